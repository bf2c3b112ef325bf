"""A stretch of a run of `fit` once more, step by step, when something has happened: how far each update moved what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError, NumericalError
from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.glass.faults.diagnosis import Diagnosis, diagnose
from chainrule.glass.verdicts.evidence import ParameterProbe
from chainrule.glass.verdicts.probing import moved, sound, values_of
from chainrule.glass.verdicts.restoring import as_before
from chainrule.train import Run
from chainrule.train.objective import compared
from chainrule.train.step import Step


@dataclass(frozen=True, eq=False)
class Moment:
    """A run between two updates: where it is, and the numbers of its model and its optimiser."""

    epoch: int
    batch: int
    step: int
    model: dict[str, np.ndarray]
    optimizer: dict[str, Any]

    @staticmethod
    def of(run: Run) -> Moment:
        """The run as it is now."""
        epoch, batch = (run.epoch, run.batch) if run.batch < len(run.loader) else (run.epoch + 1, 0)
        return Moment(epoch, batch, run.step, run.model.state_dict(), run.optimizer.state_dict())

    def load(self, run: Run) -> None:
        """Put the numbers back."""
        run.model.load_state_dict(self.model)
        run.optimizer.load_state_dict(self.optimizer)
        run.epoch, run.batch, run.step = self.epoch, self.batch, self.step


@dataclass(eq=False)
class Stretch:
    """What updates did to every parameter, an entry a step; the first number that was not finite, and its step."""

    updates: list[dict[str, ParameterProbe]] = field(default_factory=list)
    failure: Diagnosis | None = None
    failed: int | None = None


def retrace(run: Run, since: Moment, lrs: list[float], end: int) -> Stretch:
    """The steps of a run from a moment on, at most up to `end`, with the learning rates that they had.

    Computed as the run did it, with its batches and random numbers; model and optimiser are as before afterwards.
    """
    found = Stretch()
    again = Run(run.model, run.optimizer, run.loader, run.loss, epochs=run.epochs, seed=run.seed, settings=run.settings)
    with as_before([run.model], [run.optimizer]), np.errstate(all="ignore"):
        since.load(again)
        run.model.train()
        step = _step(again)
        for rows in _batches(again, end):
            before, values, updates = Moment.of(again), values_of(run.model), again.step
            if again.step - since.step < len(lrs):
                run.optimizer.lr = lrs[again.step - since.step]
            try:
                step([rows])
            except NumericalError:
                found.failure, found.failed = _failure(again, before, rows), before.step
                break
            after = values_of(run.model)
            if again.step > updates:
                found.updates.append(moved(values, after))
            if not sound(run.optimizer):
                found.failure, found.failed = _failure(again, before, rows), before.step
                break
    return found


def _step(run: Run) -> Step:
    settings = run.settings
    compiled = settings.get("compile") is not False
    return Step(run, run.model.task, settings["penalty"], settings["clip_norm"], settings["accumulate"], compiled)  # type: ignore[attr-defined]


def _batches(run: Run, end: int) -> Iterator[np.ndarray]:
    """The rows of batch after batch, until so many updates are done."""
    while run.epoch < run.epochs and run.step < end:
        for rows in run.loader.rows(run.epoch, start=run.batch):
            yield rows
            if run.step >= end:
                return
        run.epoch, run.batch = run.epoch + 1, 0


def _failure(run: Run, moment: Moment, rows: np.ndarray) -> Diagnosis | None:
    """The first number that is not finite in a batch, from the weights before it."""
    moment.load(run)
    x, y = np.take(run.loader.x, rows, axis=0), np.take(run.loader.y, rows, axis=0)
    penalty = run.settings["penalty"]

    def minimised(z: Any, target: Any) -> Any:
        loss = compared(run.loss, z, target)
        return loss + penalty(run.model) if penalty else loss

    key = Key(run.seed) / "step" / (moment.epoch * len(run.loader) + moment.batch)
    try:
        with random_stream(key):
            found = diagnose(run.model, x, y, minimised, run.optimizer)
    except ChainruleError:
        return None
    return None if found else found
