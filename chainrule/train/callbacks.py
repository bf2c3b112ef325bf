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

if TYPE_CHECKING:
    from chainrule.train.run import Run


class Callback:
    """Four moments of a run; override those that matter. What must survive a resume goes into `state_dict`.

    A callback may read everything of the run, and end it by `run.stop("why")`.
    """

    def on_start(self, run: Run) -> None:
        """Before the first step, or the first after a resume."""

    def on_step(self, run: Run) -> None:
        """After an update."""

    def on_epoch(self, run: Run) -> None:
        """After an epoch, its row already in `run.history`."""

    def on_end(self, run: Run) -> None:
        """After the last step, however the run ended."""

    def state_dict(self) -> dict[str, Any]:
        """Numbers, texts and arrays by name, to be saved with a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""


class EarlyStopping(Callback):
    """Ends the run when a figure has not improved for `patience` epochs; the best weights are restored.

    An epoch improves when the figure is below the best so far by more than `min_delta` (above, for
    `largest=True`); training stops as soon as `patience` epochs in a row have not. So the losses 0.40, 0.38,
    0.37, 0.375, 0.373 of epochs 10 to 14 stop patience 2 after epoch 14 and restore epoch 12 (004 §3.6.1 counts
    improvement against the previous epoch instead, and stops after 17).
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        largest: bool = False,
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise OptionError(f"patience is at least 1 epoch, got {patience}.")
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.sign, self.restore_best = (-1.0 if largest else 1.0), restore_best
        self.best, self.best_epoch, self.waited = inf, 0, 0
        self.weights: dict[str, np.ndarray] = {}

    def on_epoch(self, run: Run) -> None:
        row = run.history.rows[-1]
        if self.monitor not in row:
            raise OptionError(
                f"There is no figure {self.monitor!r} to watch.",
                known=", ".join(k for k in row if k != "epoch"),
                **{"try": "fit(..., validation=...)"},
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
        if self.weights and run.stopped != "interrupted":
            run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        numbers = {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}
        return numbers | {f"weights.{name}": array for name, array in self.weights.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self.weights = {k.removeprefix("weights."): v for k, v in state.items() if k.startswith("weights.")}


class Checkpoint(Callback):
    """Saves the whole run to one file, every `every_steps` updates, every `every_epochs` epochs, and at the end.

    The file is written atomically: a kill or a full disk leaves the one before.
    """

    def __init__(self, path: str | os.PathLike[str], every_steps: int | None = None, every_epochs: int | None = 1):
        self.path, self.every_steps, self.every_epochs = Path(path), every_steps, every_epochs

    def on_step(self, run: Run) -> None:
        if self.every_steps and run.step % self.every_steps == 0:
            run.save(self.path)

    def on_epoch(self, run: Run) -> None:
        if self.every_epochs and run.epoch % self.every_epochs == 0:
            run.save(self.path)

    def on_end(self, run: Run) -> None:
        if run.stopped == "interrupted":
            run.save(self.path)


class LearningRateSchedule(Callback):
    """Sets the learning rate of every step from a function of the step number, counted from 0."""

    def __init__(self, schedule: Callable[[int], float]) -> None:
        self.schedule = schedule

    def on_start(self, run: Run) -> None:
        run.optimizer.lr = self.schedule(run.step)

    def on_step(self, run: Run) -> None:
        run.optimizer.lr = self.schedule(run.step)


class CSVLog(Callback):
    """Writes the history as CSV after every epoch, whole each time, so that a reader never finds half a row."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch(self, run: Run) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, run.history.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(run.history.rows)
        write_atomically(self.path, text.getvalue().encode())
