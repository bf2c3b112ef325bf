"""How often the diagnosis is right: hits, misses and false alarms by verdict, against the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.glass.verdicts.verdict import NAMES
from tests.bank.runs import Outcome, producer_right
from tests.bank.scripts import Script

CAUSES_RIGHT = 0.9
"""Share of the broken scripts whose first verdict is the cause, at least."""

FALSE_ALARMS = 0.02
"""Share of the healthy scripts in which something is found wrong, at most."""


@dataclass(frozen=True)
class Results:
    """All outcomes of the bank, each with its script."""

    broken: Sequence[tuple[Script, Outcome]]
    repaired: Sequence[tuple[Script, Outcome]]
    healthy: Sequence[tuple[Script, Outcome]]

    @property
    def causes(self) -> tuple[int, int]:
        """Broken scripts whose cause was named, of how many."""
        return sum(s.cause == o.cause for s, o in self.broken), len(self.broken)

    @property
    def producers(self) -> tuple[int, int]:
        """First producers of a number that is not finite that were found, of how many."""
        stated = [(s, o) for s, o in self.broken if s.rule is not None]
        return sum(producer_right(s, o) for s, o in stated), len(stated)

    @property
    def layers(self) -> tuple[int, int]:
        """Among the hits without a number that is not finite: layers right, of those that are stated."""
        stated = [(s, o) for s, o in self.broken if s.layer and s.rule is None and s.cause == o.cause]
        return sum(s.layer == o.layer for s, o in stated), len(stated)

    @property
    def missed_targets(self) -> list[str]:
        """What is below its target, in words; empty if nothing is."""
        missed = []
        if self.producers[0] < self.producers[1]:
            missed.append(f"first producers right: {of(self.producers)}, not all")
        if self.causes[0] < CAUSES_RIGHT * self.causes[1]:
            missed.append(f"causes right: {of(self.causes)}, below {CAUSES_RIGHT:.0%}")
        if len(alarms(self.healthy)) > FALSE_ALARMS * len(self.healthy):
            missed.append(
                f"false alarms: {of((len(alarms(self.healthy)), len(self.healthy)))}, over {FALSE_ALARMS:.0%}"
            )
        return missed

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        columns = f"{'scripts':>8}{'hits':>6}{'misses':>8}{'false alarms':>14}{'repaired':>10}"
        yield f"{'verdict':<30}{columns}   said instead"
        for name in NAMES:
            of_it = [(s, o) for s, o in self.broken if s.cause == name]
            missed = [(s, o) for s, o in of_it if o.cause != name]
            false, again = (sum(name in o.verdicts for _, o in part) for part in (self.healthy, self.repaired))
            said = "; ".join(f"{s.name}: {o.cause or 'nothing'}" for s, o in missed)
            hits = len(of_it) - len(missed)
            yield f"{name:<30}{len(of_it):>8}{hits:>6}{len(missed):>8}{false:>14}{again:>10}   {said}".rstrip()
        yield ""
        for s, o in self.broken:
            if s.rule is not None and not producer_right(s, o):
                yield f"producer of {s.name}: {(s.phase, s.rule, s.operation, s.layer)}, said {o.failure}"
        for kind, part in (("healthy", self.healthy), ("repaired", self.repaired)):
            for s, o in alarms(part):
                yield f"false alarm, {kind} {s.name}: {', '.join(o.verdicts) or o.failure}"
        yield ""
        yield f"cause right             {of(self.causes)}"
        yield f"first producer right    {of(self.producers)}"
        yield f"layer right             {of(self.layers)} of the hits that have one"
        yield f"false alarms            {of((len(alarms(self.healthy)), len(self.healthy)))} of the healthy scripts"
        yield f"                        {of((len(alarms(self.repaired)), len(self.repaired)))} of the repaired ones"
        outcomes = [o for part in (self.broken, self.repaired, self.healthy) for _, o in part]
        slowest = max(outcomes, key=lambda o: o.seconds)
        yield f"seconds                 {sum(o.seconds for o in outcomes):.1f}; {slowest.name} {slowest.seconds:.1f}"


def alarms(part: Sequence[tuple[Script, Outcome]]) -> list[tuple[Script, Outcome]]:
    """The scripts in which something was found wrong."""
    return [(s, o) for s, o in part if o.alarmed]


def of(counts: tuple[int, int]) -> str:
    """Some of all: "9 of 10 (90 %)"."""
    some, whole = counts
    return f"{some:>3} of {whole:<3} ({100 * some / max(whole, 1):.1f} %)"
