"""A step to walk through: of a run, as the time machine finds it, or of a worked example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chainrule.base.errors import OptionError
from chainrule.cli.names import unknown
from chainrule.cli.reruns import at
from chainrule.glass import EXAMPLES, Stepper, stepper


def walk(run: str, step: int, rows: int | None) -> Stepper:
    """The step behind so many updates of a run, on so many rows of its batch; or that of an example.

    Raises:
        OptionError: there is no such run or example, it is no step of one model, or the run has no such step.
        CheckpointError: the folder holds no run.
    """
    if run not in EXAMPLES:
        if not Path(run).is_dir():
            raise unknown("example", run, EXAMPLES, **{"or": "a run folder of chainrule train"})
        return without_sources(at(run, step).stepper(rows))
    if step:
        raise OptionError(f"The example {run} has one step, --at {step} is for runs.")
    problem = getattr(EXAMPLES[run](), "problem", None)
    if problem is None:
        headline = f"The example {run} is told in parts, it is no step of one model."
        raise OptionError(headline, fix=f"chainrule explain {run}")
    return without_sources(stepper(problem.model, problem.x[:rows], problem.y[:rows], problem.loss))


def without_sources(walk: Stepper) -> Stepper:
    """The same walk without lines of code: there are none of the user's."""
    return Stepper([replace(event, source="") for event in walk.events], walk.labels)
