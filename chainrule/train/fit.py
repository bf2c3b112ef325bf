"""fit: the loop, with everything that usually stands around it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import numpy as np

from chainrule.base.errors import NumericalError, OptionError
from chainrule.base.keys import Key
from chainrule.core import Tensor, random_stream
from chainrule.data import Loader
from chainrule.nn import Module
from chainrule.optim import OPTIMIZERS, clip_grad_norm
from chainrule.train.callbacks import Callback, Checkpoint, LearningRateSchedule
from chainrule.train.evaluate import as_dataset, evaluate, loss_named, scores
from chainrule.train.history import History
from chainrule.train.progress import Progress
from chainrule.train.run import Run

SNAPSHOT_STEPS = 16
"""Steps between two copies of the weights that a NaN falls back to: a copy costs a fraction of a step."""


def fit(
    model: Module,
    data: Any,
    loss: Callable[..., Any] | str | None = None,
    optimizer: Any = "adam",
    *,
    epochs: int = 10,
    batch_size: int = 32,
    validation: Any = None,
    callbacks: Sequence[Callback] = (),
    schedule: Callable[[int], float] | None = None,
    penalty: Callable[[Module], Any] | None = None,
    clip_norm: float | None = None,
    accumulate: int = 1,
    seed: int = 0,
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train a model; the same as the hand-written loop

        for epoch in range(epochs):
            for x, y in loader.epoch(epoch):
                optimizer.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()

    with validation, a progress line, checkpoints, a learning-rate schedule, and a guard against NaN.

    Args:
        model: any module; it is trained in place.
        data: a Dataset, a Loader (whose batch size then counts), or a pair (x, y).
        loss: a function loss(prediction, target), or a name; cross-entropy or MSE by the task if left out.
        optimizer: an optimiser, or its name; Adam with lr 0.001 if left out.
        epochs: passes through the data.
        batch_size: examples a step; 1 is single-sample, len(data) full-batch gradient descent.
        validation: data that is measured after every epoch, in any form that `data` has.
        callbacks: see `EarlyStopping`, `Checkpoint`, `CSVLog`.
        schedule: the learning rate as a function of the step, counted from 0.
        penalty: a function of the model that is added to the loss, such as `cr.losses.HalfL2(1e-4)`.
        clip_norm: the gradient's global norm is held to this.
        accumulate: batches whose gradients are averaged before an update.
        seed: of the data order and of dropout.
        progress: whether to show the line.
        resume: a checkpoint to continue from; the result equals that of an uninterrupted run, bit for bit.

    Raises:
        NumericalError: the loss became NaN or infinite; the weights are those of the last good moment.
        OptionError: a setting does not exist or does not fit.

    Ctrl-C ends the run after the step at work, with `history.stopped == "interrupted"`.
    """
    _check(epochs, accumulate)
    loader = data if isinstance(data, Loader) else None
    dataset = as_dataset(data)
    if loader is None:
        loader = Loader(dataset.x, dataset.y, batch_size, seed)
    own = [LearningRateSchedule(schedule)] if schedule else []
    run = Run(
        model,
        _optimizer(optimizer, model),
        loader,
        loss_named(loss, dataset.task),
        epochs=epochs,
        validation=None if validation is None else as_dataset(validation),
        callbacks=sorted([*own, *callbacks], key=lambda c: isinstance(c, Checkpoint)),  # they save the others
        seed=seed,
    )
    model.task = dataset.task  # type: ignore[attr-defined]
    if resume is not None:
        run.load(resume)
    if progress:
        run.callbacks.append(Progress())
    with _finishing_the_step(run):
        _train(run, Step(run, dataset.task, penalty, clip_norm, accumulate))
    return run.history


def _train(run: Run, step: Step) -> None:
    """All epochs that are left."""
    run.tell("on_start")
    try:
        while run.epoch < run.epochs and not run.stopped:
            _one_epoch(run, step)
    finally:
        run.stop("finished" if run.epoch >= run.epochs else "failed")
        run.history.stopped = run.stopped
        run.tell("on_end")


def _one_epoch(run: Run, step: Step) -> None:
    """The batches of an epoch that are left, then its row of the history."""
    run.model.train()
    began = time.perf_counter()
    for x, y in run.loader.epoch(run.epoch, start=run.batch):
        if step(x, y):
            run.tell("on_step")
            if run.stopped:
                break
    if run.batch < len(run.loader):
        return
    row: dict[str, Any] = {"epoch": run.epoch + 1, "step": run.step, "lr": run.optimizer.lr}
    n = run.sums.pop("examples")
    row |= {f"train_{name}": total / n for name, total in run.sums.items()}
    if run.validation is not None:
        figures = evaluate(run.model, run.validation, run.loss)
        row |= {f"validation_{name}": value for name, value in figures.items()}
    row["seconds"] = time.perf_counter() - began
    run.history.append(row)
    run.epoch, run.batch, run.sums = run.epoch + 1, 0, {}
    run.tell("on_epoch")


class Step:
    """One batch of training: forward, backward, clip, update; and the guard against NaN.

    Tells whether the batch ended in an update, as all do unless gradients are accumulated.
    """

    def __init__(
        self, run: Run, task: str, penalty: Callable[[Module], Any] | None, clip_norm: float | None, accumulate: int
    ) -> None:
        self.run, self.task, self.penalty = run, task, penalty
        self.clip_norm, self.accumulate = clip_norm, accumulate
        self.good = (run.step, run.model.state_dict())
        self.dtype = next((p.dtype for p in run.model.parameters()), np.dtype(np.float32))

    def __call__(self, x: np.ndarray, y: np.ndarray) -> bool:
        run = self.run
        if run.batch % self.accumulate == 0:
            run.optimizer.zero_grad()
        with random_stream(Key(run.seed) / "step" / (run.epoch * len(run.loader) + run.batch)):
            z = run.model(x)
            loss = run.loss(z, y)
            total = loss + self.penalty(run.model) if self.penalty else loss
        value = float(loss)
        self._guard(value)
        (total / self._group(run.batch) if self.accumulate > 1 else total).backward()
        self._count(value, z, y)
        run.batch += 1
        complete = run.batch % self.accumulate == 0 or run.batch == len(run.loader)
        if complete:
            self._update()
        return complete

    def _group(self, batch: int) -> int:
        """How many batches share the update this one belongs to; the last group may be smaller."""
        first = batch - batch % self.accumulate
        return min(self.accumulate, len(self.run.loader) - first)

    def _update(self) -> None:
        run = self.run
        if self.clip_norm is not None:
            clip_grad_norm(run.optimizer, self.clip_norm)
        run.optimizer.step()
        run.step += 1

    def _count(self, value: float, z: Tensor, y: np.ndarray) -> None:
        n = len(y)
        figures = {"examples": 1.0, "loss": value, **scores(y, z.data, self.task)}
        for name, figure in figures.items():
            self.run.sums[name] = self.run.sums.get(name, 0.0) + figure * n

    def _guard(self, value: float) -> None:
        """Keep a copy of good weights now and then; go back to it when the loss is not finite."""
        run = self.run
        if isfinite(value):
            if run.step % SNAPSHOT_STEPS == 0 and run.step != self.good[0]:
                self.good = (run.step, run.model.state_dict())
            return
        run.model.load_state_dict(self.good[1])
        raise NumericalError(
            f"The loss became {value} at step {run.step} (epoch {run.epoch + 1}, batch {run.batch + 1}).",
            kept=f"the weights of step {self.good[0]}, the last ones known to be good",
            **{"try": f"a smaller learning rate than {run.optimizer.lr:g}, or clip_norm=1.0"},
        )


def _optimizer(optimizer: Any, model: Module) -> Any:
    if not isinstance(optimizer, str):
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise OptionError(f"There is no optimiser {optimizer!r}.", known=", ".join(OPTIMIZERS))
    return OPTIMIZERS[optimizer](model, lr=1e-3)


def _check(epochs: int, accumulate: int) -> None:
    if epochs < 1:
        raise OptionError(f"fit trains for at least 1 epoch, got epochs={epochs}.")
    if accumulate < 1:
        raise OptionError(f"accumulate is a number of batches of at least 1, got {accumulate}.")


@contextmanager
def _finishing_the_step(run: Run) -> Iterator[None]:
    """Ctrl-C inside the block ends the run after the step at work; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        run.stop("interrupted")

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


