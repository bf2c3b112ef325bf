"""What the rules of the layers share: signs of activations, formulas of primitives, sums of terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainrule.core import PRIMITIVES, Tensor
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Formula
from chainrule.glass.record import Call

FUNCTIONS = {"sigmoid": r"\sigma", "tanh": r"\tanh", "relu": r"\operatorname{ReLU}"}
"""Signs of activations; any other goes by its name."""

SLOPES = {
    "sigmoid": r"$\sigma'(z) = %s (1 - %s)$",
    "tanh": r"$\tanh'(z) = 1 - %s^2$",
    "relu": r"$\operatorname{ReLU}'(z) = [z > 0]$",
}
"""Their derivatives with a place for the result; of others the formula of the primitive is shown."""

SOFTMAX = r"$\operatorname{softmax}(z)_i = e^{z_i} / \sum_j e^{z_j}$"

Term = tuple[str, Formula | None]
"""A part of a rule in LaTeX, and the same with numbers where they can be shown."""


def function(call: Call) -> str:
    """The sign of an activation: σ, tanh, ReLU, or its name."""
    name = primitive(call)
    plain = type(call.module).__name__ if call.module is not None else name
    return FUNCTIONS.get(name, rf"\operatorname{{{plain}}}".replace("_", r"\_"))


def softmax(call: Call) -> str:
    """The sign of a softmax or of its logarithm."""
    return r"\ln \operatorname{softmax}" if is_log(call) else r"\operatorname{softmax}"


def is_log(call: Call) -> bool:
    """Whether a softmax layer gives log-probabilities."""
    return "log" in primitive(call)


def slope_notes(call: Call, x: Tensor, signs: Signs) -> tuple[str, ...]:
    """The derivative of a layer for one of its inputs: by its result a or ŷ, or by the formula of its operation."""
    name = primitive(call)
    if name in SLOPES:
        a = signs.small(call.output)
        return (SLOPES[name].replace("%s", "a" if a.startswith("a") else a),)
    among = [x.node is getattr(a, "node", None) for a in call.output.node.args] if call.module is None else [True]
    return formula_notes(call, 1 + among.index(True))


def formula_notes(call: Call, which: int) -> tuple[str, ...]:
    """The formulas of the operations of a layer: of the value (0), or of its derivative (1)."""
    if call.output.node is None:
        return ("its derivative is 0",) if which else ()
    shown = [(name, PRIMITIVES[name].latex) for name in _operations(call)]
    return tuple(f"{n.replace('_', ' ')}: ${latex[which]}$" for n, latex in shown if len(latex) > which)


def _operations(call: Call) -> Iterable[str]:
    """The primitives of a layer, each once, from its result back to its inputs."""
    stops = {x.node for x in call.inputs}
    names: dict[str, None] = {}
    waiting = [call.output.node]
    while waiting:
        node = waiting.pop()
        if node.primitive is not None and node not in stops:
            names[node.name] = None
            waiting.extend(node.parents)
    return names


def primitive(call: Call) -> str:
    """The name of the operation that made a layer's result."""
    if call.operation:
        return call.operation
    if call.output.node is not None and call.output.node.primitive is not None and not call.passes:
        return call.output.node.name
    return type(call.module).__name__.lower()


def joined(sign: str, parts: Iterable[Any]) -> Formula:
    """Numbers, or formulas, with a sign between them."""
    found: list[Any] = []
    for part in parts:
        found += ([sign] if found else []) + (list(part) if isinstance(part, tuple) else [part])
    return tuple(found)


def tenths(number: float) -> str:
    r"""A setting in LaTeX: its digits, and powers of ten as such.

    >>> print(tenths(0.9), tenths(1e-8), tenths(2.5e-7))
    0.9 10^{-8} 2.5 \cdot 10^{-7}
    """
    mantissa, _, exponent = f"{number:g}".partition("e")
    power = f"10^{{{int(exponent)}}}" if exponent else mantissa
    return power if mantissa == "1" or not exponent else rf"{mantissa} \cdot {power}"
