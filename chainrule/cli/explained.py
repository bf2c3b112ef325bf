"""A worked example as data: what `chainrule explain --json` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.cli.folder import strict
from chainrule.glass.explanation.explain import Explanation


def facts(explanation: Explanation) -> dict[str, Any]:
    """The losses, whether all derivatives agreed, and every step in the order of the passes.

    A step has the number of `updates` before it, and of the `sample` (from 0) that is walked through alone,
    null for the batch. `checked` is null where no derivative is taken.
    """
    return {
        "title": explanation.title,
        "losses": explanation.losses.tolist(),
        "checked": explanation.checked,
        "steps": [step for one in (explanation, *explanation.walked) for step in steps(one)],
    }


def steps(explanation: Explanation) -> Iterator[dict[str, Any]]:
    """The steps of all passes."""
    for updates, one in enumerate(explanation.passes):
        for step in one.steps:
            yield {
                "name": step.name,
                "kind": step.kind,
                "phase": step.phase,
                "updates": updates,
                "sample": explanation.index,
                "rule": str(step),
                "value": strict(step.value.tolist()),
                "shape": list(step.shape),
                "checked": None if step.check is None else bool(step.check),
            }
