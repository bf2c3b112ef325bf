"""A finished run that can be run again, to any of its steps, from the nearest moment that was kept."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.base.files import read_arrays
from chainrule.train import Callback, Checkpoint, CSVLog, Run, fit
from chainrule.train.checkpoints import kept
from chainrule.train.progress import Progress

WRITERS = (Checkpoint, CSVLog, Progress)
"""Callbacks that leave something outside the run, which is there already."""


class Rerun:
    """A run that can be run again: what `fit` was given, made anew, and the checkpoints that it left.

    `start()` gives the arguments of `fit` by name, with a new model and a new optimiser each time; `checkpoints` is
    the file of the run's `Checkpoint`. Moments kept beside it (`Checkpoint(path, keep=10)`) are found by themselves.
    Without any, or for steps before the first, the run is repeated from its beginning, and then `start()` must give
    the same weights as then: they are drawn after `cr.seed`.

    Callbacks that write files are left out; all others are told what they were told then, for they may have decided
    how the run went.

    >>> import chainrule as cr
    >>> def start():
    ...     cr.seed(0)
    ...     return {"model": cr.models.MLP(4, 8, 3), "data": cr.data.iris(), "epochs": 2}
    >>> cr.at(cr.glass.Rerun(start), step=3).rows[:4].tolist()
    [24, 147, 28, 12]

    Raises:
        OptionError: `start` is no function that gives the arguments of `fit`, or gives the same model twice.
    """

    def __init__(
        self, start: Callable[[], Mapping[str, Any]], checkpoints: str | os.PathLike[str] | None = None
    ) -> None:
        if not callable(start):
            raise OptionError(
                f"A Rerun takes a function that makes what fit was given, got a {type(start).__name__}.",
                fix='def start(): return {"model": cr.models.MLP(4, 8, 3), "data": data}',
            )
        self.start, self.path = start, None if checkpoints is None else Path(checkpoints)
        self._given: weakref.ref[Any] | None = None

    @property
    def moments(self) -> dict[int, Path]:
        """The checkpoints that there are, by step, in order.

        Raises:
            CheckpointError: the newest is damaged.
        """
        if self.path is None:
            return {}
        newest = {_step_of(self.path): self.path} if self.path.exists() else {}
        return dict(sorted((newest | kept(self.path)).items()))

    def run_to(self, step: int | None, watching: Sequence[Callback] = ()) -> Run:
        """The run after so many updates, or at its end; `watching` are told of all that is repeated.

        Raises:
            OptionError: the run has fewer steps.
            CheckpointError: a checkpoint is damaged, or of another run.
        """
        near = [path for at, path in self.moments.items() if step is not None and at <= step]
        return self.run_from(near[-1] if near else None, step, watching)

    def run_from(self, checkpoint: Path | None, step: int | None, watching: Sequence[Callback] = ()) -> Run:
        """The run after so many updates, from this checkpoint on, or from its beginning."""
        given, stop = self._arguments(), Arrive(step)
        own = [c for c in given.pop("callbacks", ()) if not isinstance(c, WRITERS)]
        fit(**given | {"callbacks": [*own, *watching, stop], "progress": False, "resume": checkpoint})
        if step is not None and stop.run.step != step:
            raise OptionError(
                f"The run has {stop.run.step} steps, so there is no step {step}.",
                known=f"0 to {stop.run.step}, where {stop.run.step} is the end",
            )
        return stop.run

    def _arguments(self) -> dict[str, Any]:
        given = self.start()
        if not isinstance(given, Mapping) or not {"model", "data"} <= given.keys():
            raise OptionError(
                "start() gives the arguments of fit by name, the model and the data at least.",
                fix='return {"model": model, "data": data, "loss": "mse", "epochs": 5}',
            )
        if self._given is not None and self._given() is given["model"]:
            raise OptionError(
                "start() gives the same model each time, trained by then.", fix="make the model inside of it"
            )
        self._given = weakref.ref(given["model"])
        return dict(given)


class Arrive(Callback):
    """Ends the run at a step, as Ctrl-C would, its epoch concluded where the step was the last of one."""

    run: Run

    def __init__(self, step: int | None) -> None:
        self.step = step

    def on_start(self, run: Run) -> None:
        self.run = run
        if run.batch < len(run.loader):  # else the checkpoint is of the last step, before the end of its epoch
            self._arrived()

    def on_step(self, run: Run) -> None:
        self._arrived()

    def on_epoch(self, run: Run) -> None:
        self._arrived()

    def _arrived(self) -> None:
        if self.step is not None and self.run.step >= self.step:
            self.run.stop("interrupted")


def _step_of(path: Path) -> int:
    """The step that a checkpoint is of."""
    _, texts = read_arrays(path)
    return int(json.loads(texts["run"])["step"]) if "run" in texts else 0
