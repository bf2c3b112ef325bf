"""Report: what was found in the trainings of a block, as data and as a text."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.glass.faults.diagnosis import Diagnosis
from chainrule.glass.labels import labels
from chainrule.glass.verdicts.blow_up import blow_up
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.judge import judge
from chainrule.glass.verdicts.not_finite import not_finite
from chainrule.glass.verdicts.spectator import Spectator
from chainrule.glass.verdicts.verdict import Verdict
from chainrule.nn import Module


class Report:
    """What is wrong with the trainings of a block of `cr.diagnosing()`; filled in at its end.

    `verdicts` are what holds, the cause first, `cause` the first of them or None. `failure` is the first number that
    was not finite, as `cr.diagnose` tells of it, or None; `error` what ended the block, or None. `evidence` is what was
    seen of each training. It prints as a text, and counts as true where nothing was found.
    """

    def __init__(self) -> None:
        self.verdicts: tuple[Verdict, ...] = ()
        self.failure: Diagnosis | None = None
        self.error: BaseException | None = None
        self.evidence: tuple[Evidence, ...] = ()

    @property
    def cause(self) -> Verdict | None:
        """The verdict that explains the others."""
        return self.verdicts[0] if self.verdicts else None

    def __bool__(self) -> bool:
        return not self.verdicts

    def close(self, spectator: Spectator) -> None:
        """Judge what was seen."""
        runs = [observer.evidence for observer in spectator.observers if hasattr(observer, "evidence")]
        loops = [loop.evidence() for loop in spectator.loops]
        self.evidence = (*runs, *loops)
        self.failure = next((e.failure for e in runs if e.failure is not None), spectator.failure)
        if not self.evidence and self.failure is not None:  # it never came to an update
            self.evidence = (Evidence(None, failure=self.failure),)
        self.verdicts = tuple(_each_once(v for e in self.evidence for v in judged(e)))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        steps, n = sum(len(e.losses) for e in self.evidence), len(self.evidence)
        if not n:
            yield "Nothing was trained."
            return
        seen = f"{steps} steps" if n == 1 else f"{steps} steps of {n} trainings"
        if self:
            yield f"Nothing wrong was found in {seen}."
            return
        for i, verdict in enumerate(self.verdicts):
            yield from ([""] if i else [])
            yield from told(verdict, self._shown(verdict))

    def _shown(self, verdict: Verdict) -> str:
        """The layer of a verdict, as it prints itself."""
        if self.failure is not None and verdict.layer == self.failure.layer and self.failure.shown:
            return self.failure.shown
        models = (e.model for e in self.evidence if isinstance(e.model, Module))
        model = next((m for m in models if verdict.layer in dict(m.named_modules())), None)
        return verdict.layer if model is None or not verdict.layer else labels(verdict.layer, model)


def judged(evidence: Evidence) -> list[Verdict]:
    """The verdicts on one training, the cause first: a blow-up explains all that comes after it."""
    found = [] if evidence.model is None else list(judge(evidence))
    for rule in (not_finite, blow_up):
        verdict = rule(evidence)
        if verdict is not None and all(other.name != verdict.name for other in found):
            found.insert(0, verdict)
    return found


def told(verdict: Verdict, layer: str) -> Iterator[str]:
    """A verdict in lines."""
    yield verdict.headline
    yield f"  {'verdict':<7} {verdict.name}"
    if layer:
        yield f"  {'layer':<7} {layer}"
    if verdict.step is not None:
        yield f"  {'step':<7} {verdict.step}"
    for i, line in enumerate(verdict.evidence):
        yield f"  {'' if i else 'seen':<7} {line}"
    yield f"  {'try':<7} {verdict.fix}"


def _each_once(verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    """The same verdict on several trainings, as on the folds of a cross-validation, is given once."""
    seen: set[tuple[str, str]] = set()
    for verdict in verdicts:
        if (verdict.name, verdict.layer) not in seen:
            seen.add((verdict.name, verdict.layer))
            yield verdict
