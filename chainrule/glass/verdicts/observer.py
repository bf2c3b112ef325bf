"""Observer: a callback that fills the evidence of a run of `fit`, and looks into few of its steps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError, NumericalError
from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.glass.verdicts.blow_up import exploded
from chainrule.glass.verdicts.evidence import Data, Evidence, Probe
from chainrule.glass.verdicts.probing import Probing, probing, ratio, sound, together, values_of
from chainrule.glass.verdicts.retracing import Moment, retrace
from chainrule.glass.verdicts.rows import MOST_ROWS
from chainrule.optim import Optimizer
from chainrule.train import Callback, Run
from chainrule.train.evaluate import modes_restored, outputs
from chainrule.train.objective import compared, dtype_of, function_of, log_loss, one_output

FAR = 64
"""Steps before something happened that are run again at least, to see what was usual."""


class Observer(Callback):
    """What is seen of a run: its loss at every step, which costs nothing, and steps 0, 1, 2, 4, 8, ... from inside.

    The steps that are looked into are run once more, by define-by-run, on the batch and with the random numbers that
    they have anyway; training goes on as if nothing had been. The last step is one of them.
    """

    def on_start(self, run: Run) -> None:
        self.run, self.start = run, run.step
        self.first = run.model.state_dict()
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.probes: list[Probe] = []
        self.pending: Probing | None = None
        self.moments = [Moment.of(run)] if isinstance(run.optimizer, Optimizer) else []
        self.lr, self.next = run.optimizer.lr, run.step
        self.end = run.epochs * -(-len(run.loader) // run.settings["accumulate"])
        self._look()

    def on_step(self, run: Run) -> None:
        self.losses.append(run.batch_loss)
        self.lrs.append(self.lr)
        self.lr = run.optimizer.lr
        if self.pending is not None:
            self._looked()
        if run.step >= self.next or run.step == self.end - 1:
            if self.moments and run.step >= self.next:
                self.moments = [self.moments[0], *self.moments[1:][-1:], Moment.of(run)]
            self._look()

    def on_end(self, run: Run) -> None:
        error = sys.exc_info()[1]
        broken = run.stopped == "failed" and isinstance(error, NumericalError)
        if broken and not np.isfinite(run.batch_loss):
            self.losses.append(run.batch_loss)
            self.lrs.append(self.lr)
        if self.pending is not None:
            self._looked()
        self.evidence = self._evidence()
        happened = exploded(self.evidence)
        broken = broken or not sound(run.optimizer)
        if broken or happened is not None:
            last = len(self.losses)
            happened = last if happened is None else happened
            self._trace_back(happened, last + 1 if broken else happened + 1)

    # Looking into a step.

    def _look(self) -> None:
        """Look into the step that comes next."""
        run = self.run
        while self.next <= run.step:
            self.next = max(1, 2 * self.next)
        batch = next_batch(run)
        if batch is None:
            return
        x, y, key = batch
        try:
            with training(run.model), random_stream(key), np.errstate(all="ignore"):
                self.pending = probing(run.model, x, y, self._minimised, run.step)
        except ChainruleError:  # training meets it itself
            self.pending = None

    def _looked(self) -> None:
        """Add what the step did to the parameters."""
        if self.pending is not None:
            done = self.run.step > self.pending.step
            self.probes.append(self.pending.done(values_of(self.run.model) if done else None))
        self.pending = None

    def _minimised(self, z: Any, y: Any) -> tuple[Any, Any]:
        """The loss with its penalty, and without."""
        run, penalty = self.run, self.run.settings["penalty"]
        loss = compared(run.loss, z, y)
        return (loss + penalty(run.model) if penalty else loss), loss

    def _trace_back(self, happened: int, end: int) -> None:
        """Run the steps around the one at which something happened again, to see what each of them did."""
        found, wanted = self.evidence, self.start + max(happened - FAR, 0)
        since = [moment for moment in self.moments if moment.step <= wanted]
        if not since:
            return
        first = since[-1].step - self.start
        stretch = retrace(self.run, since[-1], self.lrs[first:], self.start + end)
        if stretch.failure is not None and stretch.failed is not None:
            found.failure, found.failed = stretch.failure, stretch.failed - self.start
        found.updates = {first + i: update for i, update in enumerate(stretch.updates)}
        for step, update in found.updates.items():
            if step < len(found.ratios):
                found.ratios[step] = ratio(update.values())

    # What was seen.

    def _evidence(self) -> Evidence:
        run, steps = self.run, len(self.losses)
        begun = min(run.batch * run.loader.batch_size, len(run.loader.x))
        train = data_of(run.loader.x, run.loader.y, run.epoch * len(run.loader.x) + begun)
        validation = None
        if run.validation is not None:
            held = run.validation.narrowed(dtype_of(run.model))
            validation = data_of(held.x, held.y, len(held.x))
        gradients, ratios = np.full(steps, np.nan), np.full(steps, np.nan)
        for probe in self.probes:
            if probe.step - self.start < steps:
                gradients[probe.step - self.start] = together(p.gradient for p in probe.parameters.values())
                ratios[probe.step - self.start] = ratio(probe.parameters.values())
        prediction = predicted(run.model, train)
        return Evidence(
            run.model,
            run.optimizer,
            run.loss,
            name_of(run.loss, prediction),
            run.loader.batch_size * run.settings["accumulate"],
            np.array(self.losses),
            np.array(self.lrs),
            gradients,
            ratios,
            [dict(row) for row in run.history.rows],
            tuple(self.probes),
            train,
            validation,
            prediction,
            predicted(run.model, validation),
            start=self.first,
            penalty=run.settings["penalty"],
            clip_norm=run.settings["clip_norm"],
        )


def next_batch(run: Run) -> tuple[np.ndarray, np.ndarray, Key] | None:
    """The batch of a run that comes next, with the key of its random numbers; None at the end."""
    epoch, batch = (run.epoch, run.batch) if run.batch < len(run.loader) else (run.epoch + 1, 0)
    if epoch >= run.epochs:
        return None
    rows = next(iter(run.loader.rows(epoch, start=batch)))
    key = Key(run.seed) / "step" / (epoch * len(run.loader) + batch)
    return np.take(run.loader.x, rows, axis=0), np.take(run.loader.y, rows, axis=0), key


@contextmanager
def training(model: Any) -> Iterator[None]:
    """Inside the block the model trains, parts that were frozen by `eval()` aside."""
    with modes_restored(model):
        if not model.training:
            model.train()
        yield


def data_of(x: np.ndarray, y: np.ndarray, shown: int) -> Data:
    """The first examples of a data set."""
    return Data(x[:MOST_ROWS], y[:MOST_ROWS], shown)


def name_of(loss: Any, prediction: np.ndarray | None) -> str:
    """The name of a loss function, such as "cross_entropy"; of the usual one for classes the name for such outputs."""
    if loss is log_loss:
        one = prediction is not None and one_output(prediction.shape)
        return "binary_cross_entropy_with_logits" if one else "cross_entropy"
    return getattr(function_of(loss), "__name__", type(loss).__name__)


def predicted(model: Any, data: Data | None) -> np.ndarray | None:
    """What the model says of data, in evaluation mode; None where that is no array."""
    if data is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return outputs(model, data.x)
    except (ChainruleError, AttributeError, TypeError):
        return None
