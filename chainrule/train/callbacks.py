"""Callbacks: what happens beside training, after steps and epochs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.files import write_atomically
from chainrule.optim.limits import COUNT, NOT_NEGATIVE

if TYPE_CHECKING:
    from chainrule.train.run import Run


class Callback:
    """Four moments of a run; override those that matter. What must survive a resume goes into `state_dict`.

    A callback may read everything of the run, and end it by `run.stop("why")`. Callbacks are told in the
    order they are given, checkpoints last; of the end in reverse.
    """

    def on_start(self, run: Run) -> None:
        """Before the first step, or the first after a resume."""

    def on_step(self, run: Run) -> None:
        """After an update; where `sees_each_step` is False, it may be the last of several."""

    def on_epoch(self, run: Run) -> None:
        """After an epoch, its row already in `run.history`."""

    def on_end(self, run: Run) -> None:
        """After the last step, however the run ended: `run.stopped` says how, "failed" after an error."""

    @property
    def sees_each_step(self) -> bool:
        """Whether `on_step` must be told of every update: where it is overridden, unless the class says otherwise.

        Where no callback does, `fit` computes several small steps at once, for some hundredths of a second, and tells
        of the last one.
        """
        return overrides_on_step(self, Callback)

    def state_dict(self) -> dict[str, Any]:
        """Numbers, texts and arrays by name, to be saved with a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""


def overrides_on_step(callback: Callback, kind: type[Callback]) -> bool:
    """Whether the `on_step` of a callback is another than that of a class."""
    return getattr(callback.on_step, "__func__", None) is not kind.on_step


class EarlyStopping(Callback):
    """Ends the run when a figure has not improved for `patience` epochs; the best weights are restored.

    An epoch improves when the figure is below the best so far by more than `min_delta` (above, for
    `largest=True`); training stops as soon as `patience` epochs in a row have not. So the losses 0.40, 0.38,
    0.37, 0.375, 0.373 of epochs 10 to 14 stop patience 2 after epoch 14 and restore epoch 12 (004 §3.6.1
    counts improvement against the previous epoch instead, and stops after 17). A run that ends otherwise,
    because its epochs are over, restores the best weights too; an interrupted or failed one keeps those it
    has.

    Raises:
        OptionError: a setting is out of range, or the run has no such figure.
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        largest: bool = False,
        restore_best: bool = True,
    ) -> None:
        self.monitor, self.patience = monitor, COUNT("EarlyStopping", "patience", patience)
        self.min_delta = NOT_NEGATIVE("EarlyStopping", "min_delta", min_delta)
        self.sign, self.restore_best = (-1.0 if largest else 1.0), restore_best
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.waited = inf, 0, 0
        self.weights: dict[str, np.ndarray] = {}

    def on_start(self, run: Run) -> None:
        if self.monitor.startswith("validation") and run.validation is None:
            raise OptionError(
                f"There is no validation data, so {self.monitor!r} cannot be watched.",
                fix='fit(..., validation=...), or EarlyStopping("train_loss")',
            )
        if run.step == 0:  # the same callback in a second run
            self._forget()
        if self.waited >= self.patience:  # resumed after it had stopped
            run.stop("early stopping")

    def on_epoch(self, run: Run) -> None:
        row = run.history.rows[-1]
        if self.monitor not in row:
            raise OptionError(
                f"There is no figure {self.monitor!r} to watch.",
                known=", ".join(k for k in row if k != "epoch"),
            )
        value = self.sign * row[self.monitor]
        if value < self.best - self.min_delta:
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            self.weights = run.model.state_dict() if self.restore_best else {}
        else:
            self.waited += 1
        if self.waited >= self.patience:
            run.stop("early stopping")

    def on_end(self, run: Run) -> None:
        if self.weights and run.stopped not in ("interrupted", "failed"):
            run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        numbers = {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}
        return numbers | {f"weights.{name}": array for name, array in self.weights.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self.weights = {k.removeprefix("weights."): v for k, v in state.items() if k.startswith("weights.")}


class LearningRateSchedule(Callback):
    """Sets the learning rate of every step from a function of the step number, counted from 0."""

    def __init__(self, schedule: Callable[[int], float]) -> None:
        self.schedule = schedule

    def on_start(self, run: Run) -> None:
        run.optimizer.lr = self.schedule(run.step)

    def on_step(self, run: Run) -> None:
        run.optimizer.lr = self.schedule(run.step)


class CSVLog(Callback):
    """Writes the history as CSV after every epoch, whole each time: a reader never finds half a row."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch(self, run: Run) -> None:
        text = io.StringIO()
        columns = dict.fromkeys(name for row in run.history for name in row)
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(run.history)
        write_atomically(self.path, text.getvalue().encode())
