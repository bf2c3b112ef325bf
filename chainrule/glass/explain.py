"""The worked example of any multilayer perceptron: forwards, backwards, update, with every number shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, OptionError, ShapeError
from chainrule.base.keys import Key
from chainrule.core import Tensor, next_key
from chainrule.glass.differences import Check
from chainrule.glass.latex import latex
from chainrule.glass.page import body, page
from chainrule.glass.passes import Pass, kept
from chainrule.glass.run import Run, float64
from chainrule.glass.steps import Step
from chainrule.glass.text import text
from chainrule.nn import BatchNorm1d, Dropout, Module

LAYOUTS = ("rows", "columns")
ENDING = ("prediction", "losses", "loss")
"""Kinds of forward steps that are no layers."""


@dataclass(frozen=True)
class Note:
    """A remark printed below a step: of the batch or of one sample (from 0), after so many updates."""

    name: str
    text: str
    updates: int = 0
    sample: int | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """What is explained: a model on a batch, in float64."""

    model: Module
    x: np.ndarray
    y: Any
    loss: Callable[..., Any]
    layout: str
    key: Key

    def run(self, state: dict[str, np.ndarray] | None, backward: bool = True) -> Pass:
        """One pass with the numbers of `state`, or with the model's own."""
        with float64(self.model, state):
            return kept(Run(self.model, self.x, self.y, self.loss, self.key), self.layout, backward)


def explain(
    model: Module,
    x: Any,
    y: Any,
    loss: Callable[..., Any],
    *,
    layout: str = "rows",
    lr: float | None = None,
    optimizer: Callable[..., Any] | None = None,
    steps: int = 1,
    samples: Sequence[int] = (),
    digits: int = 5,
    title: str = "",
    notes: Sequence[Note] = (),
) -> Explanation:
    """The whole forward and backward pass of a multilayer perceptron, with its numbers, step by step.

    For samples in rows, z = a Wᵀ + b and Δ⁽ˡ⁾ = (Δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾) ⊙ σ'(Z⁽ˡ⁾); with `layout="columns"` the same
    transposed, as 000 §5.3.3 writes it. Every number is the library's own, computed in float64 on copies of
    the model's numbers, and every derivative is checked against central differences.

    Shapes: x (n, features), or one sample (features); y as the loss takes it. `lr` adds `steps` updates of
    gradient descent, θ ← θ − η ∂L/∂θ, and the forward pass behind each; `optimizer` instead is a function
    that makes one from parameters, such as `lambda p: cr.optim.Adam(p, lr=1e-3)`. `samples` (from 0) are
    walked through one by one before the batch. 000 ch. 5-6; 004 §2.4.4.

    Raises:
        OptionError: the layout is unknown; the model is no module, or has a layer that cannot be explained.
        ShapeError: x and y have different numbers of samples.
        DataError: there is no sample, or a number is not finite.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc1=cr.nn.Linear(1, 1), act=cr.nn.Sigmoid(), fc2=cr.nn.Linear(1, 1))
    >>> e = cr.explain(model, [[1.0]], [[0.5]], cr.losses.half_squared)
    >>> str(e.step("fc1.delta")), bool(e.step("fc1.delta").check)
    ("δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾) ⊙ σ'(z⁽¹⁾)", True)
    """
    _check_options(model, layout, lr, optimizer, steps)
    problem = Problem(model, *_batch(x, y), loss, layout, next_key())
    passes = tuple(_passes(problem, lr, optimizer, steps))
    return Explanation(problem, passes, tuple(samples), digits, title, tuple(notes))


def _passes(problem: Problem, lr: float | None, optimizer: Callable[..., Any] | None, steps: int) -> Iterator[Pass]:
    if lr is None and optimizer is None:
        yield problem.run(None)
        return
    model = problem.model
    with float64(model):
        update = optimizer(model.parameters()) if optimizer else None
        for _ in range(steps):
            run = Run(model, problem.x, problem.y, problem.loss, problem.key)
            before = kept(run, problem.layout, backward=True)
            gradients = {p: run.gradient(p) for p in model.parameters()}
            for p, gradient in gradients.items():
                if update is None:
                    p.assign(p.data - lr * gradient)
                else:
                    p.grad = Tensor(gradient)
            if update is not None:
                update.step()
            yield _updated(before, model, lr, update)
        run = Run(model, problem.x, problem.y, problem.loss, problem.key)
        yield kept(run, problem.layout, backward=False)


def _updated(before: Pass, model: Module, lr: float | None, update: Any) -> Pass:
    """A pass with the steps of its update."""
    steps = list(_update_steps(before, model, lr, update))
    new = {step.name: step.value for step in steps}
    return replace(before, steps=(*before.steps, *steps), values=before.values | new)


def _update_steps(before: Pass, model: Module, lr: float | None, update: Any) -> Iterator[Step]:
    """θ ← θ − η ∂L/∂θ for every parameter, in the order of the layers."""
    derivatives = {step.name: step for step in before.phase("backward")}
    for path, p in model.named_parameters():
        owner, _, name = path.rpartition(".")
        short = {"weight": "W", "bias": "b"}.get(name, name)
        found = [(s, derivatives.get(f"{owner}.d{s}" if owner else f"d{s}")) for s in (short, name)]
        quantity, step = next(((s, d) for s, d in found if d is not None), (name, None))
        if step is None:
            continue
        sign = step.symbol.removeprefix(r"\partial L/\partial ")
        old, new = (np.reshape(v, step.value.shape) for v in (before.state[path], p.data))
        plain = lr is not None and update is None
        rule = (
            rf"{sign} \leftarrow {sign} - \eta\, {step.symbol}"
            if plain
            else rf"{sign} \leftarrow \operatorname{{step}}({sign}, {step.symbol})"
        )
        yield Step(
            name=".".join(filter(None, (owner, quantity, "new"))), kind="update", phase="update",
            caption="" if plain else repr(update).split("\n")[0], symbol=sign, rule=rule, value=np.array(new),
            substituted=(old, "-", np.float64(lr), r"\cdot", step.value) if plain else None,
        )  # fmt: skip


class Explanation:
    """A worked example: print it, or take its numbers by name.

    `str()` is for a terminal, `latex()` and `html()` are for paper and page. `explanation["fc1.delta"]` is a
    quantity of the first pass by its name (see `Pass`), `steps` are the steps as data, `passes` the passes,
    one more than there were updates, `after` the last of them, and `losses` the loss in each.
    """

    def __init__(
        self, problem: Problem, passes: tuple[Pass, ...], samples: tuple[int, ...], digits: int, title: str,
        notes: tuple[Note, ...], sample: int | None = None,
    ) -> None:  # fmt: skip
        self.problem, self.passes, self.samples, self.digits = problem, passes, samples, digits
        self.title, self.notes, self.index = title, notes, sample
        self.walked = tuple(self.sample(i) for i in samples)

    # Numbers.

    def __getitem__(self, name: str) -> np.ndarray:
        return self.passes[0][name]

    def step(self, name: str) -> Step:
        """The step that a quantity of the first pass comes from."""
        return self.passes[0].step(name)

    @property
    def names(self) -> list[str]:
        """The names of all quantities."""
        return list(self.passes[0].values)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the first pass."""
        return self.passes[0].steps

    @property
    def after(self) -> Pass:
        """The last pass: behind all updates."""
        return self.passes[-1]

    @property
    def losses(self) -> np.ndarray:
        """The loss in each pass: before the first update, behind it, ..."""
        return np.array([float(p["loss"]) for p in self.passes])

    @property
    def checks(self) -> list[Check]:
        """Every derivative's check, in all passes and for the samples walked through."""
        passes = [*self.passes, *(p for single in self.walked for p in single.passes)]
        return [step.check for p in passes for step in p.steps if step.check is not None]

    @property
    def checked(self) -> bool:
        """Whether every derivative agreed with central differences."""
        return all(self.checks)

    def sample(self, i: int) -> Explanation:
        """The same for one sample alone, i from 0, with the parameters that the batch had in each pass.

        Raises:
            OptionError: there is no such sample, or a layer in training mode makes samples depend on each
                other or on a draw.
        """
        problem = self.problem
        m = len(problem.x)
        if not 0 <= i < m:
            raise OptionError(f"There is no sample {i}: there are {m}, counted from 0.")
        _check_alone(problem.model)
        alone = replace(problem, x=problem.x[i : i + 1], y=problem.y[i : i + 1])
        passes = tuple(alone.run(p.state, backward=k == 0) for k, p in enumerate(self.passes))
        return Explanation(alone, passes, (), self.digits, self.title, self.notes, i)

    def notes_on(self, step: Step, updates: int) -> list[str]:
        """The remarks that belong below a step of the pass behind so many updates."""
        own = [n.text for n in self.notes if (n.name, n.updates, n.sample) == (step.name, updates, self.index)]
        return [*step.notes, *own]

    # Words.

    @property
    def heading(self) -> str:
        """The layers in one line."""
        layers = [s.caption.split(": ")[-1] for s in self.passes[0].phase("forward") if s.kind not in ENDING]
        return " → ".join(layers)

    def __str__(self) -> str:
        return text(self)

    def __repr__(self) -> str:
        good, checks = sum(map(bool, self.checks)), len(self.checks)
        checked = f"{good} of {checks} derivatives checked"
        return f"<Explanation of {self.heading}: {len(self.steps)} steps, {checked}>"

    def latex(self, document: bool = False) -> str:
        """The steps as LaTeX for the body of a document (amsmath), or a whole document."""
        return latex(self, document)

    def html(self) -> str:
        """A page that needs nothing else: no scripts, no fonts, no network."""
        return page(self)

    def _repr_html_(self) -> str:
        return body(self)


def _check_options(model: Any, layout: str, lr: Any, optimizer: Any, steps: int) -> None:
    if not isinstance(model, Module):
        raise OptionError(
            f"explain needs a model made of modules, got {type(model).__name__}.",
            fix="cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.ReLU(), fc2=cr.nn.Linear(3, 1))",
        )
    if layout not in LAYOUTS:
        raise OptionError(f"There is no layout {layout!r}.", known=", ".join(LAYOUTS))
    if lr is not None and optimizer is not None:
        raise OptionError("explain takes lr or optimizer, not both.", fix="the learning rate inside the optimizer")
    if steps < 1:
        raise OptionError(f"explain takes one update or more, got steps={steps}.")


def _batch(x: Any, y: Any) -> tuple[np.ndarray, Any]:
    """x in float64 with a batch axis; y as it is, fractions in float64."""
    x, y = (np.asarray(v.data if isinstance(v, Tensor) else v) for v in (x, y))
    if x.ndim == 1:
        x, y = x[None], y[None]
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        lengths = [f"{v.shape[0]}" if v.ndim else "no" for v in (x, y)]
        raise ShapeError(f"x has {lengths[0]} samples, y has {lengths[1]}.", x=x.shape, y=y.shape)
    if x.size == 0:
        raise DataError("explain needs at least one sample, got none.", x=x.shape)
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        row, column = place[0], ", ".join(map(str, place[1:]))
        raise DataError(f"x has a number that is not finite: {x[place]}.", place=f"row {row}, column {column}")
    return x, y.astype(np.float64) if y.dtype.kind == "f" else y


def _check_alone(model: Module) -> None:
    for path, module in model.named_modules():
        if module.training and isinstance(module, (Dropout, BatchNorm1d)):
            raise OptionError(
                "One sample alone would not be what it is in the batch.",
                layer=f"{path} = {module!r}",
                cause="in training this layer draws a mask, or takes the statistics of the batch",
                fix="model.eval()",
            )
