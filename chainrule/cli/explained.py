"""A worked example as data: what `chainrule explain --json` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.cli.folder import strict
from chainrule.glass.explanation.explain import Explanation
from chainrule.glass.explanation.steps import Step
from chainrule.glass.explanation.told import Told


def facts(told: Told) -> dict[str, Any]:
    """The losses, whether all derivatives agreed, and every step in the order of the passes.

    A step has the number of `updates` before it, and of the `sample` (from 0) that is walked through alone,
    null for the batch. `checked` is null where no derivative is taken; a derivation in parts has no `losses`.
    """
    if isinstance(told, Explanation):
        losses = told.losses.tolist()
        steps = [step for one in (told, *told.walked) for step in of_passes(one)]
    else:
        losses, steps = [], [fact(step) for part in told.parts() for step, _ in part.steps]
    return {"title": told.title, "losses": losses, "checked": told.checked, "steps": steps}


def of_passes(explanation: Explanation) -> Iterator[dict[str, Any]]:
    """The steps of all passes."""
    for updates, one in enumerate(explanation.passes):
        for step in one.steps:
            yield fact(step, updates, explanation.index)


def fact(step: Step, updates: int = 0, sample: int | None = None) -> dict[str, Any]:
    """One step."""
    return {
        "name": step.name,
        "kind": step.kind,
        "phase": step.phase,
        "updates": updates,
        "sample": sample,
        "rule": str(step),
        "value": strict(step.value.tolist()),
        "shape": list(step.shape),
        "checked": None if step.check is None else bool(step.check),
    }
