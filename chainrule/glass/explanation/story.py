"""In which order an explanation is told: a sample, the batch, the update, and again behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.steps import Step


@dataclass(frozen=True, eq=False)
class Part:
    """A headline of level 1, 2 or 3 and the steps below it, each with its remarks.

    `words` are paragraphs in front of them, with formulas between dollar signs; `given` are the signs and numbers that
    are shown first, `losses` the losses shown last.
    """

    title: str
    level: int
    steps: tuple[tuple[Step, list[str]], ...] = ()
    given: tuple[tuple[str, np.ndarray], ...] = ()
    losses: np.ndarray | None = None
    words: tuple[str, ...] = ()


def story(explanation: Any) -> Iterator[Part]:
    """The parts of an explanation in order."""
    batch = f"The batch of {len(explanation.problem.x)}"
    for single in explanation.walked:
        yield Part(f"Sample {single.index + 1} alone", 1, given=given(single))
        yield from _phases(single, 0)
    alone = explanation.index is not None or not explanation.walked
    yield Part("Given" if alone else batch, 2 if alone else 1, given=given(explanation))
    yield from _phases(explanation, 0)
    for k in range(1, len(explanation.passes)):
        after = f"after {k} update{'s' if k > 1 else ''}"
        for single in explanation.walked:
            yield from _phases(single, k, f" of sample {single.index + 1} alone, {after}")
        yield from _phases(explanation, k, f" of the batch, {after}" if explanation.walked else f" {after}")
    for one in (*explanation.walked, explanation) if len(explanation.passes) > 1 else ():
        which = "Sample " + str(one.index + 1) if one.index is not None else "Loss"
        yield Part(f"{which}, before and behind each update", 2, losses=one.losses)


def _phases(explanation: Any, k: int, where: str = "") -> Iterator[Part]:
    for phase in ("forward", "backward", "update"):
        steps = tuple((step, explanation.notes_on(step, k)) for step in explanation.passes[k].phase(phase))
        if steps:
            yield Part(phase.capitalize() + where, 2, steps)


def given(explanation: Any) -> tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]:
    """Signs and numbers of the data."""
    one = len(explanation.problem.x) == 1
    return ("x" if one else "X", explanation["x"]), ("y" if one else "Y", explanation["y"])


def introduction(explanation: Any) -> list[str]:
    """What is explained, and how many of its derivatives were checked."""
    m, layout = len(explanation.problem.x), explanation.problem.layout
    where = f"{m} sample{'s in ' + layout if m > 1 else ''}, float64"
    return [f"{explanation.heading}; {where}" if explanation.title else where, agreement(explanation.checks)]


def agreement(checks: list[Check]) -> str:
    """How many derivatives agree with central differences."""
    good = sum(map(bool, checks))
    mark = "✓" if good == len(checks) else "✗"
    what = "derivatives agree with central differences; beside each stands the largest difference"
    return f"{mark} {good} of {len(checks)} {what}"
