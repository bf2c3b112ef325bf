"""fit: the loop, with everything that usually stands around it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, NumericalError, OptionError
from chainrule.data import Dataset, Loader
from chainrule.nn import Module
from chainrule.optim import OPTIMIZERS
from chainrule.optim.limits import COUNT, POSITIVE, Limit
from chainrule.train.before import check_batches, check_owner, check_target, deals_plainly, row_numbers
from chainrule.train.callbacks import Callback, LearningRateSchedule
from chainrule.train.checkpoints import Checkpoint
from chainrule.train.evaluate import evaluate, modes_restored
from chainrule.train.history import History
from chainrule.train.objective import as_dataset, dtype_of, learned, task_for
from chainrule.train.planned import suits_a_plan
from chainrule.train.progress import Progress
from chainrule.train.run import Run
from chainrule.train.step import Step

SEED = Limit("a whole number", lambda _: True, int)


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
    compile: bool | None = None,
) -> History:
    """Train a model; the same as the hand-written loop

        for epoch in range(epochs):
            for x, y in loader.epoch(epoch):
                optimizer.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()

    with validation, a progress line, checkpoints, a learning-rate schedule, and a guard against NaN. With
    dropout too, where batch n is within `random_stream(Key(seed) / "step" / n)`.

    Args:
        model: any module; it is trained in place. In evaluation mode it is set to training for the time.
        data: a Dataset, a Loader (whose batch size then counts), or a pair (x, y). The loss says how targets
            are read: whole numbers are quantities to "mse", labels to "cross-entropy", −1 and +1 to "hinge".
            What float64 holds is narrowed to the dtype of the model.
        loss: a function loss(prediction, target), or a name; cross-entropy or MSE by the task if left out. To
            the losses of this library targets (n,) and outputs (n, 1) go together.
        optimizer: an optimiser, or its name; Adam with lr 0.001 if left out.
        epochs: passes through the data.
        batch_size: examples a step; 1 is single-sample, len(data) full-batch gradient descent.
        validation: data that is measured after every epoch, in any form that `data` has.
        callbacks: see `EarlyStopping`, `Checkpoint`, `CSVLog`.
        schedule: the learning rate as a function of the step, counted from 0.
        penalty: a function of the model that is added to the loss, such as `cr.losses.HalfL2(1e-4)`.
        clip_norm: the gradient's global norm is held to this.
        accumulate: batches that make one update together, as one batch so many times as large would.
        seed: of the data order and of dropout.
        progress: whether to show the line.
        resume: a checkpoint to continue from; the result equals that of an uninterrupted run, bit for bit.
            The settings must be those of the first run, but `epochs` may be more.
        compile: whether the step becomes a plan (see `cr.compile`), which computes the same, faster. If left out, it
            does where the model, the loss and the penalty can be seen to do nothing but compute: no printing, no
            counting, no randomness of their own. What a plan cannot hold runs as it is written.

    Raises:
        NumericalError: the loss became NaN or infinite; the weights are those of the last good moment.
        OptionError: a setting does not exist or does not fit.
        DataError: values that are not finite, labels without an output, one class alone, columns whose
            differences the model's dtype does not hold.
        CheckpointError: one could not be written, which ends the run with the old file as it was; or the one
            to resume is damaged, or of another run.

    Ctrl-C ends the run between two steps, with `history.stopped == "interrupted"`. Small steps of a plan are made
    several at once, for some hundredths of a second, where no callback looks at each (`Callback.sees_each_step`).
    """
    _check(epochs, accumulate, clip_norm, callbacks)
    seed = SEED("fit", "seed", seed)  # a NumPy integer would name another stream of random numbers
    dataset, function = learned(data, loss)
    task = task_for(function, dataset)
    check_target(dataset)
    dataset = dataset.narrowed(dtype_of(model), check=True)
    loader = data if isinstance(data, Loader) else Loader(dataset.x, dataset.y, batch_size, seed)
    check_batches(model, loader)
    optimizer = _optimizer(optimizer, model)
    compiled = suits_a_plan(model, function, penalty, optimizer) if compile is None else compile
    run = Run(
        model,
        optimizer,
        loader,
        function,
        epochs=epochs,
        validation=_validation(validation, dataset, function),
        callbacks=_ordered(callbacks, schedule),
        seed=seed,
        settings={"penalty": penalty, "clip_norm": clip_norm, "accumulate": accumulate, "schedule": schedule}
        | ({} if compiled else {"compile": False})
        | ({"learning rate": "by the schedule"} if schedule else {}),
    )
    model.task = task  # type: ignore[attr-defined]
    if resume is not None:
        run.load(resume)
    if progress:
        run.callbacks.append(Progress())
    with _finishing_the_step(run), modes_restored(model):
        _train(run, Step(run, task, penalty, clip_norm, accumulate, compiled))
    return run.history


def _train(run: Run, step: Step) -> None:
    """All epochs that are left."""
    run.tell("on_start")
    try:
        while run.epoch < run.epochs and not run.stopped:
            _one_epoch(run, step)
        run.stop("finished")
    except BaseException as error:
        run.stopped = "failed"
        if isinstance(error, NumericalError):
            step.guard.restore(error)
        raise
    finally:
        step.finish()
        run.history.stopped = run.stopped
        run.tell("on_end")


def _one_epoch(run: Run, step: Step) -> None:
    """The batches of an epoch that are left, then its row of the history."""
    if not run.model.training:  # parts that were frozen by eval() stay so
        run.model.train()
    began = time.perf_counter()
    for batches, following in _in_groups(_batches(run), step.at_once):
        if step(batches, following):
            run.tell("on_step")
            if run.stopped:
                break
    if run.batch == len(run.loader):
        run.check_finite()
        run.history.append(_row(run) | {"seconds": time.perf_counter() - began})
        run.epoch, run.batch, run.sums = run.epoch + 1, 0, {}
        run.tell("on_epoch")


def _batches(run: Run) -> Iterator[np.ndarray]:
    """The rows of the batches that are left of the epoch; those that a loader deals in its own way are looked at."""
    batches = run.loader.rows(run.epoch, start=run.batch)
    return batches if deals_plainly(run.loader) else (row_numbers(rows, len(run.loader.x)) for rows in batches)


def _in_groups(batches: Iterator[Any], at_once: Callable[[Any], int]) -> Iterator[tuple[list[Any], Any]]:
    """Batches of equal size that follow one another, `at_once(rows)` at most, with the batch behind them, or None."""
    rows = next(batches, None)
    while rows is not None:
        group, n = [rows], at_once(rows)
        following = next(batches, None)
        while following is not None and len(group) < n and len(following) == len(rows):
            group.append(following)
            following = next(batches, None)
        yield group, following
        rows = following


def _row(run: Run) -> dict[str, Any]:
    """What the epoch just done is remembered by."""
    row: dict[str, Any] = {"epoch": run.epoch + 1, "step": run.step, "lr": run.optimizer.lr}
    n = run.sums["examples"]
    row |= {f"train_{name}": total / n for name, total in run.sums.items() if name != "examples"}
    if run.validation is not None:
        figures = evaluate(run.model, run.validation, run.loss)
        row |= {f"validation_{name}": value for name, value in figures.items()}
    return row


# What was given, checked and completed.


def _check(epochs: Any, accumulate: Any, clip_norm: Any, callbacks: Sequence[Any]) -> None:
    COUNT("fit", "epochs", epochs)
    COUNT("fit", "accumulate", accumulate)
    if clip_norm is not None:
        POSITIVE("fit", "clip_norm", clip_norm)
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise OptionError(
                f"A callback is a Callback, got {_kind(callback)}.",
                fix="class Mine(cr.train.Callback): def on_epoch(self, run): ...",
            )


def _optimizer(optimizer: Any, model: Module) -> Any:
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise OptionError(f"There is no optimiser {optimizer!r}.", known=", ".join(OPTIMIZERS))
        return OPTIMIZERS[optimizer](model, lr=1e-3)
    if isinstance(optimizer, type) or not hasattr(optimizer, "step"):
        raise OptionError(
            f"An optimiser is made for the model, or a name, got {_kind(optimizer)}.",
            fix='optimizer=cr.optim.Adam(model, lr=1e-3), or optimizer="adam"',
        )
    check_owner(optimizer, model)
    return optimizer


def _kind(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _validation(validation: Any, training: Dataset, loss: Callable[..., Any]) -> Dataset | None:
    if validation is None:
        return None
    data = as_dataset(validation, loss)
    if data.x.shape[1:] != training.x.shape[1:]:
        raise DataError(
            "The examples of the validation data have another shape than those of the training data.",
            training=training.x.shape[1:],
            validation=data.x.shape[1:],
            fix="the same columns, in the same order",
        )
    return data


def _ordered(callbacks: Sequence[Callback], schedule: Callable[[int], float] | None) -> list[Callback]:
    """The schedule first, then in the given order; checkpoints last, for they save what the others keep."""
    own = [LearningRateSchedule(schedule)] if schedule else []
    return sorted([*own, *callbacks], key=lambda c: isinstance(c, Checkpoint))


@contextmanager
def _finishing_the_step(run: Run) -> Iterator[None]:
    """Ctrl-C inside the block ends the run after the step, or the steps, at work; a second one ends it at once.

    Python gives signals to the main thread alone; a process that ignores Ctrl-C, as one under nohup, goes on.
    """
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before in (signal.SIG_IGN, None):
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        run.stop("interrupted")

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
