"""One step of training, and the guard that keeps good weights against NaN."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, NumericalError, OptionError
from chainrule.base.keys import Key
from chainrule.core import Tensor, random_stream
from chainrule.nn import Module
from chainrule.nn.state import parts
from chainrule.optim import clip_grad_norm
from chainrule.train.batches import Batches, Found
from chainrule.train.before import deals_plainly
from chainrule.train.objective import compared, correct, one_output
from chainrule.train.planned import Planned
from chainrule.train.run import Run

KEPT_EVERY, AT_MOST = 16, 1024
"""Steps between two copies of the weights that a NaN falls back to: the first, and the most. A copy costs a fraction of
a step."""


ALONE = True, True, 1.0
"""Of a batch that is an update by itself: it is the first of it, the last, and all of it."""


def kept_every(step: int) -> int:
    """Steps between two copies: about a sixteenth of those that were made, so that little of a run is lost."""
    return min(AT_MOST, max(KEPT_EVERY, 1 << max(0, step.bit_length() - 4)))


class Guard:
    """A copy of weights that gave a finite loss, renewed every few steps, to go back to from NaN.

    Weights are copied before a step, and count as good when the loss that they gave turns out finite.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.step, self.weights = run, run.step, run.model.state_dict()
        self.next, self.noted = {name: np.empty_like(a) for name, a in self.weights.items()}, run.step

    def note(self) -> None:
        """Copy the weights now and then, before they are used."""
        run = self.run
        if run.step % kept_every(run.step) == 0 and run.step != self.noted:
            self.noted = run.step
            for name, part in parts(run.model).items():
                np.copyto(self.next[name], part.numpy())

    def room(self) -> int:
        """Steps up to the next copy."""
        every = kept_every(self.run.step)
        return every - self.run.step % every

    def check(self, *losses: float) -> None:
        """The weights last copied are good, as long as the losses are finite.

        Raises:
            NumericalError: a loss is NaN or infinite.
        """
        run = self.run
        for value in losses:
            if not isfinite(value):
                place = f"step {run.step} (epoch {run.epoch + 1}, batch {run.batch + 1})"
                raise NumericalError(f"The loss became {value} at {place}.", **run.remedy())
        if self.step != self.noted:
            self.step, self.weights, self.next = self.noted, self.next, self.weights

    def restore(self, error: NumericalError) -> None:
        """Put the kept weights back, and say so in the error."""
        self.run.model.load_state_dict(self.weights)
        error.at(kept=f"the weights of step {self.step}, the last ones known to be good")


class Step:
    """One batch of training: forward, backward, clip, update; as a plan where it can be one.

    Tells whether the batch ended in an update, as all do unless gradients are accumulated. A plan copies the rows
    that follow while it computes, and may compute several batches at once.
    """

    def __init__(
        self,
        run: Run,
        task: str,
        penalty: Callable[[Module], Any] | None = None,
        clip_norm: float | None = None,
        accumulate: int = 1,
        compiled: bool = True,
    ) -> None:
        self.run, self.classifies, self.penalty = run, task == "classification", penalty
        self.clip_norm, self.accumulate = clip_norm, accumulate
        self.key, self.batches = Key(run.seed) / "step", len(run.loader)
        self.guard, self.tried = Guard(run), False
        self.deals_plainly = deals_plainly(run.loader)
        functions = [run.loss] if penalty is None else [run.loss, penalty]
        self.plan = Planned(self.compute, functions, self.classifies) if compiled else None

    def at_once(self, rows: np.ndarray) -> int:
        """How many batches like this one a call may be given: one, where anybody wants to see each step."""
        run = self.run
        if self.plan is None or self.accumulate != 1 or not self.deals_plainly or run.is_seen_step_by_step:
            return 1
        return min(self.plan.at_once(run.loader.x, run.loader.y, rows, ALONE), self.guard.room())

    def finish(self) -> None:
        """Let go of what was prepared for a next step."""
        if self.plan is not None:
            self.plan.finish()

    def __call__(self, batches: Batches, following: np.ndarray | None = None) -> bool:
        """Train on the rows of batches of equal size; `following` is the batch behind them, if it is known."""
        run = self.run
        n = len(batches[0])
        _, complete, _ = settings = self._settings(n)
        self.guard.note()
        for losses, hits in self._computed(batches, following, settings):
            run.batch_loss = losses[0]
            self.guard.check(*losses)
            self._count(losses[0], hits, n)
            run.batch += 1
            run.step += complete
        return complete

    def _settings(self, examples: int) -> tuple[bool, bool, float]:
        """Whether the batch at work is the first of its update, whether it is the last, and its share of it."""
        if self.accumulate == 1:
            return ALONE
        batch = self.run.batch
        complete = (batch + 1) % self.accumulate == 0 or batch + 1 == self.batches
        return batch % self.accumulate == 0, complete, self._share(examples)

    def _computed(
        self, batches: Batches, following: np.ndarray | None, settings: tuple[bool, bool, float]
    ) -> list[Found]:
        """The losses of each batch, with and without penalty, and how many predictions hit their label."""
        x, y = self.run.loader.x, self.run.loader.y
        if self.plan is not None:
            found = self.plan(x, y, batches, following, settings, self._stream)
            if found is not None:
                return found
        (rows,) = batches
        x, y = np.take(x, rows, axis=0), np.take(y, rows, axis=0)
        with self._stream():
            z, *losses = self.compute(x, y, *settings)
        return [([float(loss) for loss in losses], correct(z.numpy(), y) if self.classifies else 0)]

    def _stream(self) -> random_stream:
        """The random numbers of the batch at work."""
        return random_stream(self.key / (self.run.epoch * self.batches + self.run.batch))

    def compute(self, x: Any, y: Any, first: bool, complete: bool, share: float) -> tuple[Any, ...]:
        """Forward, backward and update: the prediction, the loss, and the loss with its penalty where there is one."""
        run = self.run
        if first:
            run.optimizer.zero_grad()
        z = run.model(x)
        if not self.tried:
            self._check_labels(z)
        loss = compared(run.loss, z, y)
        total = loss + self.penalty(run.model) if self.penalty else loss
        if not self.tried:
            _check_loss(total)
            self.tried = True
        (total if share == 1.0 else total / share).backward()
        if complete:
            if self.clip_norm is not None:
                clip_grad_norm(run.optimizer, self.clip_norm)
            run.optimizer.step()
        return (z, loss, total) if self.penalty else (z, loss)

    def _share(self, examples: int) -> float:
        """How many times larger than this batch all batches of its update are together.

        So k batches make the step of one batch k times as large, also where the last one is smaller.
        """
        loader, first = self.run.loader, self.run.batch - self.run.batch % self.accumulate
        size = loader.batch_size
        last = min(first + self.accumulate, self.batches) * size
        return (min(last, len(loader.x)) - first * size) / examples

    def _count(self, loss: float, hits: int, n: int) -> None:
        sums = self.run.sums
        if not sums:
            sums.update({"examples": 0, "loss": 0.0} | ({"accuracy": 0} if self.classifies else {}))
        sums["examples"] += n
        sums["loss"] += loss * n
        if self.classifies:
            sums["accuracy"] += hits

    def _check_labels(self, z: Tensor) -> None:
        """Every label, of the validation data too, has an output; told before the first update.

        Raises:
            DataError: the data has more classes than the model has outputs.
        """
        if not self.classifies:
            return
        outputs = 1 if one_output(z.shape) else z.shape[1]
        check_labels("data", self.run.loader.y, outputs)
        if self.run.validation is not None:
            check_labels("validation data", self.run.validation.y, outputs)


def check_labels(where: str, y: np.ndarray, outputs: int) -> None:
    """There is an output for every label.

    Raises:
        DataError: one does not; its row is named.
    """
    classes = max(outputs, 2)  # one logit tells two classes apart
    if y.ndim != 1 or y.dtype.kind not in "iu" or y.max() < classes:
        return
    row, last = int(np.argmax(y >= classes)), int(y.max())
    fix = f"an output layer of {last + 1} units, if there are {last + 1} classes"
    if (y.min(), last) == (1, classes):
        fix = "y - 1, for labels count from 0"
    raise DataError(
        f"Label {y[row]} has no output: the model has {outputs}, for labels 0 to {classes - 1}.",
        where=f"row {row} of the {where} (counted from 0)",
        count=f"{np.count_nonzero(y >= classes)} of {len(y)} labels",
        fix=fix,
    )


def _check_loss(loss: Any) -> None:
    """What a loss function gave can be minimised.

    Raises:
        OptionError: it is no tensor, or more than one number.
    """
    if not isinstance(loss, Tensor):
        raise OptionError(
            f"The loss function gave a {type(loss).__name__}, which has no gradient.",
            fix="operations of chainrule on the prediction itself, such as cr.mean((z - y) ** 2)",
        )
    if loss.size != 1:
        raise OptionError(
            f"A loss is one number, this one has shape {tuple(loss.shape)}.",
            fix='reduction="mean", or cr.mean',
        )
