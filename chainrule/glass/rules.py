"""The rule of each kind of layer, forwards and backwards, with the numbers that go into it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core import PRIMITIVES, Tensor
from chainrule.glass.figures import SHOWN
from chainrule.glass.record import Call
from chainrule.glass.run import kind
from chainrule.glass.signs import Signs, named
from chainrule.glass.steps import Formula

FUNCTIONS = {"sigmoid": r"\sigma", "tanh": r"\tanh", "relu": r"\operatorname{ReLU}"}
"""Signs of activations; any other goes by its name."""

SLOPES = {
    "sigmoid": r"$\sigma'(z) = a (1 - a)$",
    "tanh": r"$\tanh'(z) = 1 - a^2$",
    "relu": r"$\operatorname{ReLU}'(z) = [z > 0]$",
}
"""Their derivatives in the letters of this derivation; of others the formula of the primitive is shown."""

EXPANDED = 4
"""Up to so many terms a sum of products is written out."""

Term = tuple[str, Formula | None]
"""A part of a rule in LaTeX, and the same with numbers where they can be shown."""


def function(call: Call) -> str:
    """The sign of an activation: σ, tanh, ReLU, or its name."""
    name = _primitive(call)
    plain = type(call.module).__name__ if call.module is not None else name
    return FUNCTIONS.get(name, rf"\operatorname{{{plain}}}".replace("_", r"\_"))


def forward(call: Call, signs: Signs) -> tuple[str, Formula | None, tuple[str, ...]]:
    """The rule of a layer, the rule with numbers, and notes."""
    x, y = call.inputs[0], signs.sign(call.output)
    if call.passes:
        what = "nothing is dropped in evaluation" if kind(call) == "dropout" else "the layer passes its input on"
        return f"{y} = {signs.sign(x)}", None, (what,)
    X, numbers = signs.sign(x), signs.value(x)
    match kind(call):
        case "linear":
            return _linear(call, signs)
        case "activation":
            f = function(call)
            return f"{y} = {f}({X})", (f"{f}(", numbers, ")"), ()
        case "softmax":
            f = r"\operatorname{softmax}" if "log" not in _primitive(call) else r"\ln \operatorname{softmax}"
            return rf"{y} = {f}({X})", (f"{f}(", numbers, ")"), _formula_notes(call, 0)
        case "dropout":
            mask = signs.lay(signs.run.slope(call))
            rule = rf"{y} = {X} \odot M/(1 - p)"
            return (
                rule,
                (numbers, r"\odot", mask),
                (f"$M$ is the mask drawn, $p = {call.module.p}$ the part that is dropped",),
            )
        case "batch norm" | "layer norm":
            return _norm(call, signs)
        case "flatten":
            return rf"{y} = \operatorname{{vec}} {X}", None, (f"{x.shape} → {call.output.shape}",)
        case "residual":
            return (
                f"{y} = {' + '.join(map(signs.sign, call.inputs))}",
                _joined("+", map(signs.value, call.inputs)),
                (),
            )
    return rf"{y} = {_name(call)}({', '.join(map(signs.sign, call.inputs))})", None, _formula_notes(call, 0)


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """What a layer sends back to one of its inputs: a term of ∂L/∂(input)."""
    y, bar = signs.delta(call.output), signs.slope(call.output)
    match kind(call):
        case "linear":
            weight = signs.run.own_parameters(call)["weight"].data
            if signs.columns:
                return rf"{signs.weight(call.path, True)} {y}", (weight.T, r"\cdot", bar)
            return rf"{y} {signs.weight(call.path)}", (bar, r"\cdot", weight)
        case "activation":
            slope = signs.lay(signs.run.slope(call))
            return rf"{y} \odot {function(call)}'({signs.sign(x)})", (bar, r"\odot", slope)
        case "dropout":
            return rf"{y} \odot M/(1 - p)", (bar, r"\odot", signs.lay(signs.run.slope(call)))
        case "softmax" if "log" not in _primitive(call):
            return rf"{(p := signs.sign(call.output))} \odot ({y} - \langle {y}, {p} \rangle)", None
        case "batch norm" if not call.module.training:
            return rf"{y} \odot \gamma / \sqrt{{\sigma^2 + \epsilon}}", None
        case "batch norm" | "layer norm":
            g = r"\gamma \odot " + y
            means = rf"\operatorname{{mean}}({g}) - \hat x \odot \operatorname{{mean}}(\hat x \odot {g})"
            return rf"({g} - {means}) / \sqrt{{\sigma^2 + \epsilon}}", None
        case "flatten":
            return rf"\operatorname{{reshape}}({y})", None
        case "residual":
            return y, (bar,)
    return rf"J^\top {y}", None


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, str, Formula | None]:
    """∂L/∂(parameter) of a layer: its sign, the rule, the rule with numbers."""
    y, bar = signs.delta(call.output), signs.slope(call.output)
    match kind(call), name:
        case "linear", "weight":
            x = call.inputs[0]
            X, numbers = signs.sign(x), signs.value(x)
            left, right = (y, _t(X)) if signs.columns else (_t(y), X)
            pair = (bar, r"\cdot", numbers.T) if signs.columns else (bar.T, r"\cdot", numbers)
            return signs.weight(call.path), f"{left} {right}", pair
        case "linear", "bias":
            b = f"b^{{({signs.layer[call.path]})}}"
            if signs.single:
                return b, y, None
            return b, (rf"{y} \mathbf{{1}}" if signs.columns else rf"\mathbf{{1}}^\top {y}"), None
        case (("batch norm" | "layer norm"), "weight"):
            return r"\gamma", rf"\textstyle\sum_i {y} \odot \hat x", None
        case (("batch norm" | "layer norm"), "bias"):
            return r"\beta", rf"\textstyle\sum_i {y}", None
    sign = named(name)
    return sign, rf"\textstyle\sum ({y}) \odot \partial {signs.sign(call.output)}/\partial {sign}", None


def slope_notes(call: Call, x: Tensor) -> tuple[str, ...]:
    """The derivative of a layer for one of its inputs: in the letters of this derivation, or its formula."""
    name = _primitive(call)
    if name in SLOPES:
        return (SLOPES[name],)
    among = [x.node is getattr(a, "node", None) for a in call.output.node.args] if call.module is None else [True]
    return _formula_notes(call, 1 + among.index(True))


def _linear(call: Call, signs: Signs) -> tuple[str, Formula, tuple[str, ...]]:
    own, x = signs.run.own_parameters(call), call.inputs[0]
    W, X, w, numbers = signs.weight(call.path), signs.sign(x), own["weight"].data, signs.value(x)
    rule = f"{W} {X}" if signs.columns else f"{X} {signs.weight(call.path, True)}"
    put_in: Formula = (w, r"\cdot", numbers) if signs.columns else (numbers, r"\cdot", w.T)
    if "bias" in own:
        ones = (r" \mathbf{1}^\top",) if signs.columns and not signs.single else ()
        rule = f"{rule} + {signs.bias(call.path)}"
        put_in = (*put_in, "+", signs.vector(own["bias"].data), *ones)
    return f"{signs.sign(call.output)} = {rule}", put_in, ()


def expanded(call: Call, signs: Signs) -> tuple[Formula, ...]:
    """The entries of a dense layer's pre-activation one by one, for one sample and few inputs."""
    own = signs.run.own_parameters(call)
    x, w = call.inputs[0].data, own["weight"].data
    if len(x) != 1 or not 2 <= w.shape[1] <= EXPANDED or w.shape[0] > SHOWN:
        return ()
    z, head = call.output.data[0], signs.sign(call.output)
    bias = own["bias"].data if "bias" in own else None
    return tuple(
        _entry(head.replace("^", f"_{{{j + 1}}}^"), x[0], w[j], None if bias is None else bias[j], z[j])
        for j in range(len(w))
    )


def _entry(head: str, x: np.ndarray, w: np.ndarray, b: Any, z: Any) -> Formula:
    products = _joined("+", [(wi, r"\cdot", xi) for wi, xi in zip(w, x, strict=True)])
    sums = _joined("+", w * x)
    shift = () if b is None else ("+", b)
    return (head, "=", *products, *shift, "=", *sums, *shift, "=", z)


def _norm(call: Call, signs: Signs) -> tuple[str, Formula | None, tuple[str, ...]]:
    X, y, batch = signs.sign(call.inputs[0]), signs.sign(call.output), kind(call) == "batch norm"
    rule = rf"{y} = \gamma \odot \hat x + \beta,\; \hat x = ({X} - \mu)/\sqrt{{\sigma^2 + \epsilon}}"
    if batch and not call.module.training:
        return rule, None, (r"$\mu$ and $\sigma^2$ are the running statistics (evaluation)",)
    over = "each feature over the batch" if batch else "each sample over its features"
    return rule, None, (rf"$\mu$ and $\sigma^2$ of {over}; $\epsilon = {_tenths(call.module.eps)}$",)


def _formula_notes(call: Call, which: int) -> tuple[str, ...]:
    """The formulas of the operations of a layer: of the value (0), or of its derivative (1)."""
    if call.output.node is None:
        return ("its derivative is 0",) if which else ()
    stops = {x.node for x in call.inputs}
    names: dict[str, None] = {}
    waiting = [call.output.node]
    while waiting:
        node = waiting.pop()
        if node.primitive is not None and node not in stops:
            names[node.name] = None
            waiting.extend(node.parents)
    shown = [(n, PRIMITIVES[n].latex) for n in names]
    return tuple(f"{n.replace('_', ' ')}: ${latex[which]}$" for n, latex in shown if len(latex) > which)


def _tenths(number: float) -> str:
    mantissa, _, exponent = f"{number:g}".partition("e")
    power = f"10^{{{int(exponent)}}}" if exponent else mantissa
    return power if mantissa == "1" or not exponent else rf"{mantissa} \cdot {power}"


def _primitive(call: Call) -> str:
    if call.operation:
        return call.operation
    if call.output.node is not None and call.output.node.primitive is not None and not call.passes:
        return call.output.node.name
    return type(call.module).__name__.lower()


def _name(call: Call) -> str:
    return rf"\operatorname{{{type(call.module).__name__ if call.module else call.operation}}}".replace("_", r"\_")


def _t(sign: str) -> str:
    """The transpose of a sign: Δ⁽²⁾ᵀ."""
    if "/" in sign:
        return rf"({sign})^\top"
    return sign[:-1] + r"\top}" if sign.endswith(")}") else sign + r"^\top"


def _joined(sign: str, parts: Any) -> Formula:
    joined: list[Any] = []
    for part in parts:
        joined += ([sign] if joined else []) + (list(part) if isinstance(part, tuple) else [part])
    return tuple(joined)
