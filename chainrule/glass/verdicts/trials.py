"""Trials: what the same training would have done with one thing changed, run for some steps on a copy of the model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.base.errors import ChainruleError
from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.glass.verdicts.evidence import Data, Evidence
from chainrule.glass.verdicts.levelling import level
from chainrule.glass.verdicts.reference import picked
from chainrule.glass.verdicts.standing import ROWS, Standing, loss_of, outer_of, standing
from chainrule.nn import Dropout, Dropout1d, Dropout2d, Dropout3d
from chainrule.optim import SGD, clip_grad_norm
from chainrule.train.evaluate import outputs
from chainrule.train.objective import compared

STEPS = 200
"""Steps of a trial at most."""

LONGEST = 1000
"""Steps of a trial that goes on from the end: small models take a quarter of a millisecond for each."""

LONG = 600
"""The same where a trial is to end where the training did; asked only where there is a sign of illness."""

WORK = 3e9
"""Multiplications of a trial at most, forward: some tenths of a second."""

FEWEST = 20
"""Steps below which a trial shows nothing."""

SOME = 60
"""Steps of the trials of a training that ended early in numbers that are not finite."""

KEY = Key(0) / "trial"

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Trial:
    """A short training: its losses before each step, and how the model stands after it, on rows of the training."""

    losses: np.ndarray
    after: Standing | None
    held: Standing | None = None

    @property
    def relative(self) -> float:
        """The mean error as a share of the best constant's; infinite where numbers were not finite."""
        return self.after.relative if self.after is not None else np.inf


class Trials:
    """Trainings of copies from where the training began, each asked for once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.known = evidence, {}
        self.outer = outer_of(evidence)
        self.own_loss = loss_of(evidence)
        self.steps = steps_of(evidence)

    def loss(self, z: Any, y: Any) -> Any:
        """The loss of what the model puts out, through what the loop does to it before."""
        return compared(self.own_loss, getattr(ops, self.outer)(z) if self.outer else z, y)

    @property
    def possible(self) -> bool:
        """Whether model, loss, data and optimiser are known, and small enough."""
        e = self.evidence
        known = e.train is not None and e.train.y is not None and e.prediction is not None
        moving = any(rate(e, step) > 0 for step in range(self.steps))  # a warm-up may begin at 0
        return bool(known and self.own_loss is not None and self.steps >= FEWEST and moving)

    @property
    def _given(self) -> tuple[np.ndarray, np.ndarray]:
        data = self.evidence.train
        assert data is not None and data.y is not None
        return data.x, data.y

    def with_lr(self, factor: float) -> Trial | None:
        """The same steps with the learning rate times a factor."""
        return self._once(("lr", factor), lambda: self._run(factor, *self._given))

    def with_steady_lr(self) -> Trial | None:
        """The same steps, all of them with the greatest learning rate that the training had."""
        return self._once(("steady",), lambda: self._run(1.0, *self._given, steady=True))

    def from_level_start(self) -> Trial | None:
        """The same steps, more than of other trials, from a start whose layers give numbers of size 1."""
        return self._once(("level",), lambda: self._run(1.0, *self._given, levelled=True))

    def with_inputs(self, change: Change) -> Trial | None:
        """The same steps on changed inputs."""
        x, y = self._given
        return self._once(("x",), lambda: self._run(1.0, change(x), y))

    def with_targets(self, change: Change) -> Trial | None:
        """The same steps on changed targets."""
        x, y = self._given
        return self._once(("y",), lambda: self._run(1.0, x, change(y)))

    def with_both(self, change: Change) -> Trial | None:
        """The same steps on changed inputs and targets."""
        x, y = self._given
        return self._once(("x", "y"), lambda: self._run(1.0, change(x), change(y)))

    def unbound(self) -> Trial | None:
        """The same steps without penalty, weight decay and dropout."""
        return self._once(("free",), lambda: self._run(1.0, *self._given, free=True))

    def on_half(self) -> Trial | None:
        """The same steps on one half of the rows, looked at on the other."""
        return self._once(("half",), self._halved)

    def shuffled(self) -> Trial | None:
        """The same steps with every target at another example."""
        x, y = self._given
        return self._once(("shuffled",), lambda: self._run(1.0, x, y[picked(len(y), len(y))]))

    def onward(self) -> Trial | None:
        """The same steps again, from where the training ended; None where time does not allow so many."""
        taken = len(self.evidence.losses)
        if taken > affordable(self.evidence):
            return None
        return self._once(("on",), lambda: self._run(1.0, *self._given, onward=True))

    def _once(self, name: Any, run: Callable[[], Trial | None]) -> Trial | None:
        if name not in self.known:
            try:
                self.known[name] = run() if self.possible else None
            except (ChainruleError, ValueError, TypeError, FloatingPointError):
                self.known[name] = None
        return self.known[name]

    def _halved(self) -> Trial:
        x, y = self._given
        order = picked(len(x), len(x))
        learned, held = order[len(order) // 2 :], order[: len(order) // 2]
        return self._run(1.0, x[learned], y[learned], Data(x[held], y[held]))

    def _run(
        self,
        factor: float,
        x: np.ndarray,
        y: np.ndarray,
        held: Data | None = None,
        free: bool = False,
        onward: bool = False,
        steady: bool = False,
        levelled: bool = False,
    ) -> Trial:
        e = self.evidence
        model = copy.deepcopy(e.model) if onward else begun(e)
        if levelled:
            level(model, x)
        steps = len(e.losses) if onward else steps_of(e, LONG) if levelled else self.steps
        greatest = float(e.lrs.max()) if steady and len(e.lrs) else 0.0
        optimizer = like(e.optimizer, e.model, model, {"weight_decay": 0.0} if free else {})
        penalty = None if free else e.penalty
        for module in model.modules() if free else ():
            if isinstance(module, (Dropout, Dropout1d, Dropout2d, Dropout3d)):
                module.p = 0.0
        losses = np.full(steps, np.nan)
        size = max(1, min(e.batch_size or len(x), len(x)))
        model.train()
        with random_stream(KEY), np.errstate(all="ignore"):
            for step, rows in zip(range(steps), batches(len(x), size), strict=False):
                optimizer.lr = greatest or factor * rate(e, step)
                optimizer.zero_grad()
                loss = self.loss(model(x[rows]), y[rows])
                losses[step] = float(loss)
                if not np.isfinite(losses[step]):
                    return Trial(losses[: step + 1], None)
                (loss if penalty is None else loss + penalty(model)).backward()
                if e.clip_norm is not None:
                    clip_grad_norm(optimizer, e.clip_norm)
                optimizer.step()
            return Trial(losses, self._looked(model, Data(x, y)), self._looked(model, held))

    def _looked(self, model: Any, data: Data | None) -> Standing | None:
        if data is None or data.y is None:
            return None
        rows = picked(len(data.x), 2 * ROWS)
        part = Data(data.x[rows], data.y[rows])
        z = outputs(model, part.x)
        return standing(self.evidence, part, np.asarray(getattr(ops, self.outer)(z)) if self.outer else z)


def steps_of(evidence: Evidence, most: int = STEPS) -> int:
    """How many steps a trial takes: those of the training, as far as time allows, and their number on any machine."""
    taken = len(evidence.losses) if np.isfinite(evidence.losses).all() else max(len(evidence.losses), SOME)
    return int(min(taken, most, affordable(evidence)))


def affordable(evidence: Evidence) -> float:
    """How many steps a trial may take at most, by the multiplications in one."""
    probe = evidence.probes[0] if evidence.probes else None
    if probe is None:
        return 0
    each = sum(p.size for p in probe.parameters.values())
    for layer in probe.layers.values():  # a filter is used at every place, a cell at every step
        own = sum(p.size for name, p in probe.parameters.items() if name.rpartition(".")[0] == layer.path)
        each += own * max(0, places(layer.output) - 1)
    work = max(1, each) * max(1, min(evidence.batch_size or 32, 512))
    return min(LONGEST, WORK / 3 / work)


def places(output: np.ndarray) -> int:
    """At how many places of an example a layer's weights are used, at most."""
    axes = output.shape[1:]
    return int(np.prod(axes) // max(1, min(axes[0], axes[-1]))) if len(axes) > 1 else 1


def rate(evidence: Evidence, step: int) -> float:
    """The learning rate that a step had; of updates by hand, ‖Δθ‖ / ‖∂L/∂θ‖ of the first step; 0 where unknown."""
    lrs = evidence.lrs
    if len(lrs) and np.isfinite(lrs[min(step, len(lrs) - 1)]):
        return float(lrs[min(step, len(lrs) - 1)])
    if evidence.optimizer is not None:
        return float(evidence.optimizer.lr)
    first = evidence.probes[0].parameters.values() if evidence.probes else ()
    moved, slope = sum(p.update**2 for p in first) ** 0.5, sum(p.gradient**2 for p in first) ** 0.5
    return moved / slope if slope > 0 and np.isfinite(moved) else 0.0


def batches(n: int, size: int) -> Any:
    """Rows of one batch after the other, every epoch dealt anew."""
    epoch = 0
    while True:
        order = (KEY / "order" / epoch).generator().permutation(n)
        for first in range(0, n - size + 1, size):
            yield order[first : first + size]
        epoch += 1


def begun(evidence: Evidence) -> Any:
    """A copy of the model as it was before its first step; drawn anew in sizes alike, where that is not known."""
    model = copy.deepcopy(evidence.model)
    if evidence.start is not None:
        model.load_state_dict(evidence.start)
        return model
    first = evidence.probes[0].parameters if evidence.probes else {}
    for name, p in model.named_parameters():
        value = p.numpy()
        if name not in first or not p.requires_grad:
            continue
        if value.ndim > 1:
            drawn = (KEY / name).generator().standard_normal(value.shape)
            p.assign((drawn * first[name].norm / np.sqrt(value.size)).astype(value.dtype))
        else:
            whole = np.full(value.shape, first[name].norm / np.sqrt(max(1, value.size)), value.dtype)
            p.assign(whole if name.endswith("weight") else 0 * whole)
    return model


def like(optimizer: Any, model: Any, copied: Any, changes: Mapping[str, Any]) -> Any:
    """An optimiser of the copy as the given one is of the model: the same class, groups and settings, nothing kept.

    `changes` are settings that are others where the optimiser has them. Updates by hand are taken for gradient descent.
    """
    if optimizer is None:
        return SGD(copied, lr=1e-3)
    changes = {name: value for name, value in changes.items() if name in optimizer.settings}
    names = {id(p): name for name, p in model.named_parameters()}
    own = dict(copied.named_parameters())
    groups = [
        {
            "params": [own[names[id(p)]] for p in group.flat.parameters],
            "lr": 1e-3 * group.factor,
            **{**group.settings, **changes},
        }
        for group in optimizer.groups
    ]
    return type(optimizer)(groups, lr=1e-3, **{**optimizer.settings, **changes})
