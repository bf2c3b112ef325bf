"""The time machine: any step of a finished run, as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.glass.explanation.explain import Explanation, explain
from chainrule.glass.faults.diagnosis import Diagnosis, diagnose
from chainrule.glass.reruns.rerun import Rerun
from chainrule.glass.stepping.stepper import Stepper, stepper
from chainrule.nn import Module
from chainrule.train import History, Run
from chainrule.train.evaluate import modes_restored
from chainrule.train.step import Step


def at(run: Rerun, step: int) -> Moment:
    """The state of a run after `step` updates, before the next: as it was, bit for bit.

    It is rebuilt from the nearest checkpoint before it, by running the steps between again, or from the beginning
    where there is none. Step 0 is the start; the last one, the end.

    Raises:
        OptionError: the run has no such step, or it is no run.
        CheckpointError: a checkpoint is damaged, or of another run.
        NumericalError: the run broke off before this step, for its loss was not finite.
    """
    if not isinstance(run, Rerun):
        raise OptionError(
            f"A run is the folder of `chainrule train` or a Rerun, got {type(run).__name__}.",
            fix="cr.glass.Rerun(start, checkpoints)",
        )
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 0:
        raise OptionError(f"A step is a whole number from 0 on, got {step!r}.")
    return Moment(run.run_to(int(step)))


class Moment:
    """A run between two updates: model, optimiser and history as they were, and what the next step sees.

    `batches` are the row numbers of the batches that make the next update (one, unless gradients are accumulated; none
    at the end of the run), `rows`, `x` and `y` all of them together, in the dtype in which the model got them.
    The model is the moment's own, in training mode while it computes.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self.run.step

    @property
    def epoch(self) -> int:
        """Epochs finished so far."""
        return self.run.epoch

    @property
    def batch(self) -> int:
        """Batches done in the epoch at work."""
        return self.run.batch

    @property
    def model(self) -> Module:
        """The model."""
        return self.run.model

    @property
    def optimizer(self) -> Any:
        """The optimiser, with what it keeps."""
        return self.run.optimizer

    @property
    def history(self) -> History:
        """The rows of the epochs that were finished."""
        return self.run.history

    @cached_property
    def batches(self) -> tuple[np.ndarray, ...]:
        """The row numbers of each batch of the next update."""
        if self.run.epoch >= self.run.epochs:
            return ()
        rows = self.run.loader.rows(self.run.epoch, start=self.run.batch)
        return tuple(batch for batch, _ in zip(rows, range(self._accumulate), strict=False))

    @property
    def rows(self) -> np.ndarray:
        """The row numbers of the examples of the next update, shape (n,)."""
        return np.concatenate(self._some())

    @property
    def x(self) -> np.ndarray:
        """The inputs of the next update, shape (n, …)."""
        return self.run.loader.x[self.rows]

    @property
    def y(self) -> np.ndarray:
        """The targets of the next update, shape (n, …)."""
        return self.run.loader.y[self.rows]

    def key(self, batch: int = 0) -> Key:
        """The key of the random numbers that a batch of the next update draws."""
        return Key(self.run.seed) / "step" / (self.run.epoch * len(self.run.loader) + self.run.batch + batch)

    def stream(self, batch: int = 0) -> random_stream:
        """Inside the block, draws are those of a batch of the next update: `with moment.stream(): moment.model(x)`."""
        return random_stream(self.key(batch))

    def loss(self) -> float:
        """The loss of the next update, penalty included: the mean over its examples."""
        return self.computed()[0]

    def gradients(self) -> dict[str, np.ndarray]:
        """The gradient of every parameter in the next update, by name, before it is clipped; nothing changes.

        Parameters that have none are left out. Computed by define-by-run, so a last digit may differ from that of a
        plan.
        """
        return self.computed()[1]

    def computed(self) -> tuple[float, dict[str, np.ndarray]]:
        """The loss and the gradients of the next update in one pass: its batches added up as the step does."""
        batches, run = self._some(), self.run
        step = Step(run, run.model.task, run.settings["penalty"], None, self._accumulate, compiled=False)  # type: ignore[attr-defined]
        total, n = 0.0, sum(map(len, batches))
        with self._training():
            for i, rows in enumerate(batches):
                with self.stream(i):
                    share = 1.0 if self._accumulate == 1 else n / len(rows)
                    x, y = np.take(run.loader.x, rows, axis=0), np.take(run.loader.y, rows, axis=0)
                    _, *losses = step.compute(x, y, first=i == 0, complete=False, share=share)
                total += float(losses[-1]) * len(rows) / n
            named = self.model.named_parameters()
            gradients = {name: np.array(p.grad.numpy()) for name, p in named if p.grad is not None}
            self.optimizer.zero_grad()
        return total, gradients

    def explain(self, **options: Any) -> Explanation:
        """The next step on its (first) batch, with every number shown; `options` are those of `cr.explain`.

        Masks of dropout are those of the step; penalty and clipping are not part of it.
        """
        rows = self._some()[0]
        x, y = self.run.loader.x[rows], self.run.loader.y[rows]
        with self._training():
            return explain(self.model, x, y, self.run.loss, key=self.key(), **options)

    def diagnose(self) -> Diagnosis:
        """The first number that is not finite in the next step, on its (first) batch; see `cr.diagnose`.

        Masks of dropout are those of the step; penalty and clipping are not part of it.
        """
        rows = self._some()[0]
        x, y = self.run.loader.x[rows], self.run.loader.y[rows]
        with self._training(), self.stream():
            return diagnose(self.model, x, y, self.run.loss, self.optimizer)

    def stepper(self, n: int | None = None) -> Stepper:
        """The next step on its (first) batch, or on the first n rows of it, one operation at a time; see `cr.stepper`.

        Masks of dropout are those of the step; penalty and clipping are not part of it.
        """
        rows = self._some()[0][:n]
        x, y = self.run.loader.x[rows], self.run.loader.y[rows]
        with self._training(), self.stream():
            return stepper(self.model, x, y, self.run.loss, self.optimizer)

    def __repr__(self) -> str:
        return f"<Moment at step {self.step}: epoch {self.epoch + 1}, batch {self.batch + 1} of {len(self.run.loader)}>"

    @property
    def _accumulate(self) -> int:
        return self.run.settings["accumulate"]

    def _some(self) -> tuple[np.ndarray, ...]:
        if not self.batches:
            raise OptionError(
                f"The run ends with step {self.step}: there is no batch behind it.", fix="an earlier step"
            )
        return self.batches

    @contextmanager
    def _training(self) -> Iterator[None]:
        """The model trains inside the block; its parameters, buffers and modes, and the run's place, come back."""
        run, state = self.run, self.model.state_dict()
        batch, sums = run.batch, dict(run.sums)
        with modes_restored(self.model):
            if not self.model.training:  # parts that were frozen by eval() stay so
                self.model.train()
            try:
                yield
            finally:
                self.model.load_state_dict(state)
                run.batch, run.sums = batch, sums
