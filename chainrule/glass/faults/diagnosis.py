"""diagnose: the first number that is not finite, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError, OptionError
from chainrule.core import Tensor
from chainrule.core.stack import stack
from chainrule.glass.explanation.problem import loss_named
from chainrule.glass.faults.broken_rules import Rule, rule_of
from chainrule.glass.faults.search import Fault, backward_fault, finite, forward_fault
from chainrule.glass.labels import labels
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.train.objective import compared, dtype_of

OPERANDS = ("a", "b", "c", "d", "e", "f")


@dataclass(frozen=True)
class Operand:
    """One number that had part in it: what it is called, its value, and its place in its array."""

    name: str
    value: float
    place: tuple[int, ...]

    def __str__(self) -> str:
        where = f" at {', '.join(map(str, self.place))}" if self.place else ""
        return f"{self.name} = {self.value:.6g}{where}"


@dataclass(frozen=True)
class Diagnosis:
    """The first number that is not finite in a step: where it was made, from what, by which rule, and a fix.

    `phase` is "input", "parameter", "forward", "backward" or "update", and empty where all is finite; `operation` the
    primitive (or the optimiser), `layer` the path of the layer at work, `source` the line of the model's code.
    `operands` are the numbers that did it; `place` is where the first bad number stands in the array of shape `shape`,
    of which `count` entries are bad. It prints as a report, and counts as true where all is finite.
    """

    phase: str = ""
    rule: str = ""
    why: str = ""
    fix: str = ""
    operation: str = ""
    layer: str = ""
    source: str = ""
    operands: tuple[Operand, ...] = ()
    value: float = 0.0
    place: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    count: int = 0
    shown: str = ""

    def __bool__(self) -> bool:
        return not self.phase

    def __str__(self) -> str:
        if self:
            return "Everything is finite: the loss, its gradients, and the update."
        return "\n".join([self._headline(), *(f"  {name:<7} {place}" for name, place in self._places() if place)])

    def _headline(self) -> str:
        where = {
            "input": f"The input {self.operation} is not finite.",
            "parameter": f"The parameter {self.operation} is not finite.",
            "forward": f"The forward pass is not finite: {self.rule}.",
            "backward": f"The loss is finite, its gradient is not: {self.rule}.",
            "update": f"Loss and gradient are finite, the update is not: {self.rule}.",
        }
        return where[self.phase]

    def _places(self) -> Iterator[tuple[str, str]]:
        if self.phase not in ("input", "parameter"):
            line = f" at {self.source}" if self.source else ""
            yield "in", f"{'the derivative of ' if self.phase == 'backward' else ''}{self.operation}{line}"
        yield "layer", self.shown
        yield "from", ", ".join(map(str, self.operands))
        where = f" at {', '.join(map(str, self.place))}" if self.place else ""
        size = int(np.prod(self.shape))
        yield "gave", f"{self.value:g}{where}" + (f"; {self.count} of {size} entries" if size > 1 else "")
        yield "rule", self.why
        yield "try", self.fix


def diagnose(model: Module, x: Any, y: Any, loss: Callable[..., Any] | str, optimizer: Any = None) -> Diagnosis:
    """The first number that is not finite in one step of training, and the rule of arithmetic that it broke.

    One forward and one backward pass by define-by-run, in the mode that the model is in, looked at operation by
    operation; with `optimizer` one update too. Inputs and parameters are looked at first. An infinity is a fault only
    where it spoils the loss or a gradient: −∞ in a mask does not. Buffers, parameters, the optimiser and the random
    stream are as they were afterwards; gradients that were there are gone if an optimiser was given.

    Shapes: x and y as for the model and the loss, which is a function loss(prediction, target) or its name.

    Raises:
        OptionError: the model or the optimiser is none, there is no such loss, or it is no tensor.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc=cr.nn.Linear(2, 1, bias=False), exp=cr.nn.Lambda(cr.exp))
    >>> model.fc.weight.assign([[50.0, 50.0]])
    >>> diagnosis = cr.diagnose(model, [[1.0, 2.0]], [[1.0]], "mse")
    >>> diagnosis.rule, diagnosis.layer, round(diagnosis.operands[0].value)
    ('overflow of exp', 'exp', 150)
    """
    if not isinstance(model, Module):
        raise OptionError(f"diagnose needs a model made of modules, got {type(model).__name__}.")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        shown = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
        raise OptionError(
            f"diagnose needs an optimizer that is made, got {shown}.", fix="cr.optim.Adam(model, lr=1e-3)"
        )
    function = loss_named(loss)
    for name, array in (("x", x), ("y", y)):
        if not finite(array.numpy() if isinstance(array, Tensor) else array):
            return spoiled("input", name, np.asarray(array.numpy() if isinstance(array, Tensor) else array))
    for name, p in model.named_parameters():
        if not finite(p.numpy()):
            return spoiled("parameter", name, p.numpy(), model)
    with restored(model, optimizer), np.errstate(all="ignore"):
        x = watched(x, model)
        prediction = model(x)
        try:
            value = compared(function, prediction, narrowed(y, model))
        except ChainruleError:  # losses refuse predictions out of range, and NaN is
            fault = forward_fault(prediction)
            if fault is None:
                raise
            return of_fault(fault, model)
        if not isinstance(value, Tensor):
            raise OptionError(
                f"diagnose needs a loss that is a tensor, this one gave {type(value).__name__}.",
                fix="operations of cr on the prediction: NumPy's are not recorded",
            )
        fault = forward_fault(value) or backward_fault(value, getattr(x, "node", None))
        if fault is not None:
            return of_fault(fault, model)
        return updated(model, value, optimizer) if optimizer is not None else Diagnosis()


def watched(x: Any, model: Module) -> Any:
    """An input of floats as a tensor that is recorded, so that operations on it alone are seen too."""
    array = narrowed(x, model)
    return Tensor(array).requires_grad_() if array.dtype.kind == "f" else x


def narrowed(given: Any, model: Module) -> np.ndarray:
    """What is given as an array: floats in the dtype of the model, as `fit` makes them, but for those of a tensor."""
    if isinstance(given, Tensor):
        return given.numpy()
    array = np.asarray(given)
    return array.astype(dtype_of(model), copy=False) if array.dtype.kind == "f" else array


@contextmanager
def restored(model: Module, optimizer: Any) -> Iterator[None]:
    """Model, optimiser and random stream are behind the block as they were before it."""
    key, draws = stack.key, stack.draws
    state, kept = model.state_dict(), None if optimizer is None else optimizer.state_dict()
    try:
        yield
    finally:
        stack.key, stack.draws = key, draws
        model.load_state_dict(state)
        if optimizer is not None:
            optimizer.load_state_dict(kept)
            optimizer.zero_grad()


def spoiled(phase: str, name: str, array: np.ndarray, model: Module | None = None) -> Diagnosis:
    """An input or a parameter that is not finite before anything is computed."""
    bad = np.argwhere(~np.isfinite(array))
    place = tuple(map(int, bad[0]))
    path = name.rpartition(".")[0]
    fixes = {
        "input": ("it was not finite in the data", "drop those rows, or fill them in, before training"),
        "parameter": ("an earlier step has spoiled it", "diagnose at the step that did: cr.at(run, step)"),
    }
    why, fix = fixes[phase]
    shown = labels(path, model) if model is not None and path else ""
    return Diagnosis(
        phase, f"{phase} not finite", why, fix, name, path, value=float(array[place]), place=place, shape=array.shape,
        count=len(bad), shown=shown,
    )  # fmt: skip


def of_fault(fault: Fault, model: Module) -> Diagnosis:
    """What a fault is, in words."""
    node, rule = fault.node, rule_of(fault)
    operands = tuple(Operand(OPERANDS[i], *value_at(fault, i)) for i in range(min(len(fault.operands), len(OPERANDS))))
    if fault.bar is not None and fault.bar.shape == fault.made.shape:
        operands += (Operand("ȳ", float(fault.bar[fault.place]), fault.place),)
    paths = dict(model.named_modules())
    shown = labels(node.path, model) if node.path and node.path in paths else ""
    return Diagnosis(
        fault.phase, rule.name, rule.why, rule.fix, node.name, node.path, node.source, operands,
        float(fault.made[fault.place]), fault.place, fault.made.shape, int(fault.bad.sum()), shown,
    )  # fmt: skip


def value_at(fault: Fault, operand: int) -> tuple[float, tuple[int, ...]]:
    """A number of an operand with its place."""
    value, place = fault.at(operand)
    return float(value), place


def updated(model: Module, loss: Tensor, optimizer: Any) -> Diagnosis:
    """What one step of the optimiser makes of finite gradients, of parameters and of what it keeps for them."""
    optimizer.zero_grad()
    loss.backward()
    before = before_step(optimizer)
    optimizer.step()
    return spoiled_step(model, optimizer, before)


def before_step(optimizer: Any) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Copies of all parameters that have a gradient, and of that, by the parameter's id."""
    return {
        id(p): (np.array(p.numpy()), np.array(p.grad.numpy())) for p in optimizer.parameters() if p.grad is not None
    }


def spoiled_step(model: Module, optimizer: Any, before: dict[int, tuple[np.ndarray, np.ndarray]]) -> Diagnosis:
    """What a step of the optimiser has just made of what was finite `before` it, if that is not finite."""
    names = {id(p): name for name, p in model.named_parameters()}
    for p in optimizer.parameters():
        kept = optimizer.moments_of(p)
        bad = next((array for array in (p.numpy(), *kept.values()) if not finite(array)), None)
        if bad is not None and id(p) in before:
            place = tuple(map(int, np.argwhere(~np.isfinite(bad))[0]))
            values = dict(zip("θg", (float(a[place]) for a in before[id(p)]), strict=True))
            values |= {name: float(array[place]) for name, array in kept.items()}
            return of_step(model, optimizer, names[id(p)], values, bad, place)
    return Diagnosis()


def of_step(
    model: Module, optimizer: Any, name: str, values: dict[str, float], bad: np.ndarray, place: tuple[int, ...]
) -> Diagnosis:
    """An update that is not finite, in words; θ and g are those before it, what the optimiser keeps that behind it."""
    rule, path = of_update(values, bad.dtype, optimizer), name.rpartition(".")[0]
    return Diagnosis(
        "update", rule.name, rule.why, rule.fix, f"{type(optimizer).__name__} on {name}", path, "",
        tuple(Operand(key, value, place) for key, value in values.items()), float(bad[place]), place, bad.shape,
        int((~np.isfinite(bad)).sum()), labels(path, model) if path else "",
    )  # fmt: skip


def of_update(values: dict[str, float], dtype: Any, optimizer: Any) -> Rule:
    """Why an update is not finite."""
    eps = optimizer.settings.get("eps")
    if values["g"] == 0 and eps == 0:
        return Rule("0/0", "the gradient and its mean square are 0, and eps is 0", "eps=1e-8")
    largest = f"the largest number of {np.dtype(dtype)} is {np.finfo(dtype).max:.6g}"
    squares = any(np.isinf(v) for key, v in values.items() if key not in "θg")
    if squares:
        return Rule("overflow of the gradient's square", largest, "clip_norm=1.0, or a loss on a smaller scale")
    fix = f"a smaller learning rate than {optimizer.lr:g}, or clip_norm=1.0"
    return Rule("overflow of the step", largest, fix)
