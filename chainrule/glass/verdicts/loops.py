"""Loop: what is seen of one training that is written by hand, by its optimiser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.base.errors import ChainruleError
from chainrule.core import Tensor, no_grad
from chainrule.glass.faults.diagnosis import Diagnosis
from chainrule.glass.ledgers.one_step import array
from chainrule.glass.verdicts.evidence import Data, Evidence, ParameterProbe, Probe
from chainrule.glass.verdicts.losses_noted import LossCall
from chainrule.glass.verdicts.observer import predicted
from chainrule.glass.verdicts.probing import Probing, is_ours, moved, norm, ratio
from chainrule.glass.verdicts.rows import Rows
from chainrule.nn import Dropout, Module, ModuleList, ParameterList, StochasticDepth
from chainrule.nn.batch_norms import BatchNorm
from chainrule.train.objective import correct

WHOLLY = 0.999
"""Examples of which at least this share was trained on are the training data, measured."""


@dataclass(eq=False)
class Forward:
    """A model called by a loop, without its graph: what came in and out, in which mode, and the loss taken of it.

    `serials` are the numbers of the nodes of the results: a backward pass that meets one went through this call.
    """

    model: Module
    x: np.ndarray | None
    prediction: np.ndarray | None
    serials: frozenset[int]
    training: bool
    source: np.ndarray | None = None
    """The inputs that a loader dealt this batch from."""
    target: np.ndarray | None = None
    loss: LossCall | None = None
    given: np.ndarray | None = None
    """What the loss was given: the prediction, or what was made of it."""
    again: Callable[[], Any] | None = None
    """The same call once more, with an input that is recorded; not kept when the step is over."""

    @property
    def whole(self) -> np.ndarray | None:
        """The data that the inputs are from, as far as is known: all that a loader deals from, else themselves."""
        return self.x if self.source is None else self.source

    @property
    def rows(self) -> int:
        """Examples that came out."""
        return len(self.prediction) if self.prediction is not None and self.prediction.ndim else 0


@dataclass(eq=False)
class Learned:
    """A backward pass: the loss it started from, the calls of models that it went through, and what is known of both.

    `outer` is the activation between the model and the loss, where the loop applies one itself.
    """

    value: float
    forwards: list[Forward]
    loss: LossCall | None
    name: str
    outer: str


@dataclass(eq=False)
class Measured:
    """A call of a model that nothing was learned from, after so many updates: on other data, or on the same."""

    update: int
    forward: Forward


@dataclass(eq=False)
class Loop:
    """A training by one optimiser, or by hand, as it is seen."""

    model: Any
    optimizer: Any
    start: dict[str, np.ndarray] = field(init=False)
    losses: list[float] = field(default_factory=list)
    lrs: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    updates: dict[int, Mapping[str, ParameterProbe]] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    pending: Probing | None = None
    next: int = 0
    rows: Rows = field(default_factory=Rows)
    sizes: Counter[int] = field(default_factory=Counter)
    measured: list[Measured] = field(default_factory=list)
    loss: Any = None
    loss_name: str = ""
    outer: str = ""
    accumulated: list[int] = field(default_factory=list)
    in_evaluation: int = 0
    failure: Diagnosis | None = None
    failed: int | None = None
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    dealt: list[np.ndarray] = field(default_factory=list)
    """The inputs that loaders dealt batches of training from."""
    places: tuple[int | None, ...] = (None, None)
    """Which arguments of a compiled step are the inputs and the targets."""
    loss_now: float = nan
    """The loss of a compiled step when it was last looked into."""

    def __post_init__(self) -> None:
        self.start = self.model.state_dict()

    @property
    def step(self) -> int:
        """Updates made so far."""
        return len(self.losses)

    @property
    def looking(self) -> bool:
        """Whether the next update is one to look into: 0, 1, 2, 4, 8, ..."""
        return self.step >= self.next

    def learned(self, passes: Iterable[Learned]) -> None:
        """Backward passes were made for the next update."""
        modal = depends_on_mode(self.model)
        for learned in passes:
            for forward in learned.forwards:
                self.met(forward.x, forward.target)
                if forward.source is not None and not any(forward.source is x for x in self.dealt):
                    self.dealt.append(forward.source)
            if learned.loss is not None:
                self.loss, self.loss_name = learned.loss.again, learned.loss.name
            elif learned.name and not self.loss_name:
                self.loss_name = learned.name
            self.outer = learned.outer
        self.in_evaluation += modal and any(not f.training for learned in passes for f in learned.forwards)

    def met(self, x: np.ndarray | None, y: np.ndarray | None) -> None:
        """A batch was trained on."""
        if x is not None and x.ndim:
            self.sizes[len(x)] += 1
            self.rows.add(x, y)
            self.x, self.y = x, y

    def took(self, probes: Iterable[Probe]) -> None:
        """The next update was looked into beside the training."""
        self.probes += [replace(probe, step=self.step) for probe in probes]
        while self.next <= self.step:
            self.next = max(1, 2 * self.next)

    def updated(
        self, loss: float, lr: float, gradient: float, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
    ) -> None:
        """An update was made."""
        self.updates[self.step] = moved(before, after)
        if self.pending is not None:
            self.probes.append(self.pending.done(after))
            while self.next <= self.step:
                self.next = max(1, 2 * self.next)
        self.pending = None
        self.losses.append(loss)
        self.lrs.append(lr)
        self.gradients.append(gradient)

    def evidence(self) -> Evidence:
        """All of it."""
        train, validation, epochs = self.rows.data(), None, []
        known = [m for m in self.measured if m.forward.x is not None and m.forward.x.ndim]
        others = [m for m in known if self.rows.share(m.forward.x) < WHOLLY]  # type: ignore[arg-type]
        others = others or [m for m in known if self._apart(m, known)]
        if others:
            validation = _together(others)
            epochs = list(_curve(self, others))
        steps = self.step
        return Evidence(
            self.model,
            self.optimizer,
            self.loss,
            self.loss_name,
            self.sizes.most_common(1)[0][0] if self.sizes else 0,
            np.array(self.losses),
            np.array(self.lrs),
            np.array(self.gradients),
            np.array([ratio(self.updates[k].values()) if k in self.updates else nan for k in range(steps)]),
            epochs,
            tuple(self.probes),
            train,
            validation,
            self._prediction(train),
            self._prediction(validation),
            tuple(self.accumulated),
            self.in_evaluation,
            sum(m.forward.training for m in others) if depends_on_mode(self.model) else 0,
            failure=self.failure,
            failed=self.failed,
            updates=self.updates,
            start=self.start,
        )

    def _apart(self, measured: Measured, known: Sequence[Measured]) -> bool:
        """Whether rows that were trained on are kept a second time, to be measured again and again.

        Who wants to see how training goes measures the array that it is dealt from. A second one with the same rows is
        meant for other data. What is made anew for each measurement is not kept.
        """
        again = [m for m in known if m is not measured and _one_array(m.forward, measured.forward.whole)]
        return bool(self.dealt and again) and not any(_one_array(measured.forward, source) for source in self.dealt)

    def _prediction(self, data: Data | None) -> np.ndarray | None:
        """What the model says of data, with the activation that the loop applies before the loss."""
        prediction = None if isinstance(self.model, ModuleList) else predicted(self.model, data)
        if prediction is None or not self.outer:
            return prediction
        return np.asarray(getattr(ops, self.outer)(prediction))


def _one_array(forward: Forward, other: np.ndarray | None) -> bool:
    """Whether what a model was called with comes from the memory of an array."""
    return forward.whole is not None and other is not None and np.may_share_memory(forward.whole, other)


def _together(measured: Iterable[Measured]) -> Data | None:
    """The data of several measurements, each example once."""
    rows = Rows()
    for m in measured:
        rows.add(m.forward.x, m.forward.target)
    return rows.data()


def _curve(loop: Loop, measured: Iterable[Measured]) -> Iterator[dict[str, Any]]:
    """A row for each time that other data was measured: the mean loss of training since, and that of validation."""
    groups: dict[int, list[Forward]] = {}
    for m in measured:
        groups.setdefault(m.update, []).append(m.forward)
    since = 0
    for k, (update, group) in enumerate(groups.items()):
        row: dict[str, Any] = {"epoch": k + 1, "step": update}
        if loop.losses[since:update]:
            row["train_loss"] = float(np.mean(loop.losses[since:update]))
        since = update
        yield row | _figures([f for f in group if f.target is not None and f.rows == len(f.target)])


def _figures(known: Sequence[Forward]) -> dict[str, float]:
    """The loss of predictions on data that was not trained on, and the share of labels that they hit."""
    n = sum(f.rows for f in known)
    if not n:
        return {}
    figures: dict[str, float] = {}
    with suppress(ChainruleError, ValueError, IndexError), no_grad(), np.errstate(all="ignore"):
        losses = [float(f.loss.again(Tensor(f.given), f.target)) * f.rows for f in known if f.loss]
        if len(losses) == len(known):
            figures["validation_loss"] = sum(losses) / n
        if all(f.target.dtype.kind in "iu" for f in known):  # type: ignore[union-attr]
            figures["validation_accuracy"] = sum(correct(f.prediction, f.target) for f in known) / n  # type: ignore[arg-type]
    return figures


def depends_on_mode(model: Any) -> bool:
    """Whether it makes a difference if a model trains: it drops units, or normalises by batches."""
    return isinstance(model, Module) and any(map(_reads_mode, model.modules()))


def _reads_mode(module: Module) -> bool:
    if isinstance(module, BatchNorm):
        return True
    if isinstance(module, (Dropout, StochasticDepth)):
        return module.p > 0
    if "dropout" in vars(module):
        return bool(vars(module)["dropout"])
    code = getattr(type(module).forward, "__code__", None)
    return code is not None and "training" in code.co_names and not is_ours(module)


def model_of(models: Sequence[Module], parameters: Sequence[Any] | None) -> Any:
    """The model that has these parameters, of those that were called; several, or mere parameters, as a list."""
    wanted = None if parameters is None else {id(p) for p in parameters}
    own = [m for m in models if wanted is None or any(id(p) in wanted for p in m.parameters())]
    if not own:
        return ParameterList(parameters or ())
    return own[0] if len(own) == 1 else ModuleList(own)


def gradient_of(parameters: Iterable[Any]) -> float:
    """The norm of the gradients that parameters hold."""
    return norm(np.array([norm(array(p.grad)) for p in parameters if p.grad is not None]))
