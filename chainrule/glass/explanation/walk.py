"""Walk: a derivation in parts of one's own, told like the explanation of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part, agreement
from chainrule.glass.explanation.told import Told


class Walk(Told):
    """A worked example in parts: print it, or take its numbers by name.

    It is printed as an `Explanation` is. `walk["v3.bar"]` is the number of a step by its name, `steps` are all steps in
    order. `words` say below the title what it is about.
    """

    def __init__(self, title: str, parts: Iterable[Part], words: Sequence[str] = (), digits: int = 5) -> None:
        self.title, self.words, self.digits = title, tuple(words), digits
        self._parts = tuple(parts)

    def parts(self) -> Iterator[Part]:
        """The parts in order."""
        return iter(self._parts)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all parts."""
        return tuple(step for part in self._parts for step, _ in part.steps)

    @property
    def checks(self) -> list[Check]:
        """Every derivative's check."""
        return [step.check for step in self.steps if step.check is not None]

    def introduction(self) -> list[str]:
        """What it is about, and how many of its derivatives were checked."""
        return [*self.words, *([agreement(self.checks)] if self.checks else [])]

    def step(self, name: str) -> Step:
        """The first step of this name.

        Raises:
            OptionError: no step has this name.
        """
        found = next((step for step in self.steps if step.name == name), None)
        if found is None:
            raise OptionError(f"There is no step {name!r} here.", known=", ".join(self))
        return found

    def __getitem__(self, name: str) -> np.ndarray:
        return self.step(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(step.name for step in self.steps))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return any(step.name == name for step in self.steps)

    def keys(self) -> list[str]:
        """The names of all steps, so that `dict(walk)` is their numbers."""
        return list(self)

    def __repr__(self) -> str:
        good, checks = sum(map(bool, self.checks)), len(self.checks)
        return f"<Walk {self.title!r}: {len(self.steps)} steps, {good} of {checks} derivatives checked>"


def part(title: str, *steps: Step, words: Sequence[str] = (), level: int = 2, given: Any = ()) -> Part:
    """A part made of steps, each with its own notes."""
    return Part(title, level, tuple((step, list(step.notes)) for step in steps), tuple(given), words=tuple(words))


def chapter(title: str, told: Told, prefix: str, words: Sequence[str] = ()) -> Iterator[Part]:
    """Another derivation as a chapter of this one: its headlines stand one level below, its names behind a prefix."""
    yield Part(title, 1, words=(*words, *told.introduction()))
    for each in told.parts():
        steps = tuple((noted(step, name=f"{prefix}.{step.name}"), notes) for step, notes in each.steps)
        yield replace(each, level=each.level + 1, steps=steps)


def shown(
    name: str, rule: str, value: Any, numbers: Formula | None = None, *, caption: str = "", notes: Sequence[str] = (),
    phase: str = "forward", expanded: tuple[Formula, ...] = (), check: Check | None = None,
) -> Step:  # fmt: skip
    """A step written by hand: its rule in LaTeX, the number, and the rule with numbers."""
    symbol = rule.partition(" = ")[0].partition(r" \leftarrow ")[0]
    return Step(
        name=name, kind="walk", phase=phase, caption=caption, symbol=symbol, rule=rule, value=np.asarray(value),
        substituted=numbers, expanded=expanded, notes=tuple(notes), check=check,
    )  # fmt: skip


def noted(step: Step, *notes: str, name: str = "") -> Step:
    """A step with further notes, and another name where given."""
    return replace(step, notes=(*step.notes, *notes), name=name or step.name)
