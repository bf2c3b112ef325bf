"""Rules of the operations that a model's own `forward` does between its layers: sums, entries, means, products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core import Tensor
from chainrule.glass.explanation.rules import Rule, Term, joined
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call

STEPS_AXIS = 1
"""Of sequences (n, T, features) the axis of time."""


def sum_of(call: Call, signs: Signs) -> Rule:
    """y = a + b: a shortcut, or two branches that meet."""
    if len(call.inputs) == 1:
        return rf"{signs.sign(call.inputs[0])} + \text{{constant}}", None, ()
    return " + ".join(map(signs.sign, call.inputs)), joined("+", map(signs.value, call.inputs)), ()


def sum_back(call: Call, x: Tensor, signs: Signs) -> Term:
    """Each summand gets the whole derivative."""
    return signs.delta(call.output), (signs.slope(call.output),)


def entries(call: Call, signs: Signs) -> Rule:
    """y = x[key]."""
    return f"{signs.sign(call.inputs[0])}[{_key(call)}]", None, _which(call)


def entries_back(call: Call, x: Tensor, signs: Signs) -> Term:
    """The derivative goes to the entries taken; those left out get 0."""
    return rf"{signs.delta(call.output)} \text{{ at }} [{_key(call)}],\; 0 \text{{ elsewhere}}", None


def _key(call: Call) -> str:
    key = call.output.node.params["key"]
    parts = key if isinstance(key, tuple) else (key,)
    return r",\, ".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    if part is Ellipsis:
        return r"\dots"
    if not isinstance(part, slice):
        return str(part)
    ends = ("" if end is None else str(end) for end in (part.start, part.stop))
    return ":".join(ends) + ("" if part.step is None else f":{part.step}")


def _which(call: Call) -> tuple[str, ...]:
    """Which step of a sequence is taken, where it is one."""
    key, x = call.output.node.params["key"], call.inputs[0]
    match key:
        case (slice(start=None, stop=None, step=None), int(t)) if x.ndim == 3:
            return (f"step {t % x.shape[STEPS_AXIS] + 1} of {x.shape[STEPS_AXIS]} of each sequence",)
    return ()


def mean(call: Call, signs: Signs) -> Rule:
    """The mean over some axes."""
    return rf"\operatorname{{mean}} {signs.sign(call.inputs[0])}", None, (f"over {_averaged(call)}",)


def mean_back(call: Call, x: Tensor, signs: Signs) -> Term:
    """Each entry gets its share: the derivative over how many there are."""
    share = x.size // call.output.size
    return rf"\tfrac{{1}}{{{share}}} {signs.delta(call.output)} \text{{ at each of the {share} places}}", None


def _averaged(call: Call) -> str:
    axes = call.output.node.params["axis"]
    if call.inputs[0].ndim == 3 and tuple(axes) == (STEPS_AXIS,):
        return f"the {call.inputs[0].shape[STEPS_AXIS]} steps of each sequence"
    return "the " + ("axes " if len(axes) > 1 else "axis ") + ", ".join(map(str, axes))


def product(call: Call, signs: Signs) -> Rule:
    """y = a b, a matrix product."""
    return " ".join(map(signs.sign, call.inputs)), None, ()


def product_back(call: Call, x: Tensor, signs: Signs) -> Term:
    """ā = ȳ bᵀ, b̄ = aᵀ ȳ."""
    y = signs.delta(call.output)
    if len(call.inputs) < 2:
        return rf"J^\top {y}", None
    a, b = call.inputs
    return (rf"{y} {signs.sign(b)}^\top" if x is a else rf"{signs.sign(a)}^\top {y}"), None


FORWARD: dict[str, Callable[[Call, Signs], Rule]] = {
    "add": sum_of,
    "index": entries,
    "mean": mean,
    "matmul": product,
}
"""By the name of the primitive."""

BACKWARD: dict[str, Callable[[Call, Tensor, Signs], Term]] = {
    "add": sum_back,
    "index": entries_back,
    "mean": mean_back,
    "matmul": product_back,
}
"""What each sends back to an input."""
