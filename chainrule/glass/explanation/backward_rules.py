"""The rule of each kind of layer backwards: what it sends back, and the derivatives of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chainrule.core import Tensor
from chainrule.glass.explanation import operations, recurrences_backward
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Term, function, is_log
from chainrule.glass.explanation.run import kind
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """What a layer sends back to one of its inputs: a term of ∂L/∂(input)."""
    return RULES.get(kind(call), _general)(call, x, signs)


def inside(call: Call, signs: Signs) -> Iterable[Inside]:
    """What a layer tells on the way back, before the derivatives of its parameters and inputs."""
    tell = INSIDE.get(kind(call))
    return () if tell is None else tell(call, signs)


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂(parameter) of a layer: the parameter's sign, and the rule of its derivative."""
    if kind(call) in PARAMETERS:
        return PARAMETERS[kind(call)](call, name, signs)
    y = signs.delta(call.output)
    match kind(call), name:
        case "linear", "weight":
            return signs.weight(call.path), _of_weight(call, signs)
        case "linear", "bias":
            return f"b^{{({signs.layer[call.path]})}}", (_summed(y, signs), None)
        case (("batch norm" | "layer norm"), "weight"):
            return r"\gamma", (rf"\textstyle\sum_i {y} \odot \hat x", None)
        case (("batch norm" | "layer norm"), "bias"):
            return r"\beta", (rf"\textstyle\sum_i {y}", None)
    sign = named(name)
    return sign, (rf"\textstyle\sum ({y}) \odot \partial {signs.sign(call.output)}/\partial {sign}", None)


def parameter_notes(call: Call, name: str, signs: Signs) -> tuple[str, ...]:
    """That 1 sums over the samples, said at the last dense layer, the first on the way back."""
    first = signs.layer[call.path] == max(signs.layer.values())
    if kind(call) != "linear" or name != "bias" or signs.single or not first:
        return ()
    return (r"$\mathbf{1}$ is a column of ones: the sum over the samples",)


def _of_weight(call: Call, signs: Signs) -> Term:
    y, bar = signs.delta(call.output), signs.slope(call.output)
    x, numbers = signs.sign(call.inputs[0]), signs.value(call.inputs[0])
    if signs.columns:
        return f"{y} {_t(x)}", (bar, r"\cdot", numbers.T)
    return f"{_t(y)} {x}", (bar.T, r"\cdot", numbers)


def _summed(y: str, signs: Signs) -> str:
    """The sum over the samples."""
    if signs.single:
        return y
    return rf"{y} \mathbf{{1}}" if signs.columns else rf"\mathbf{{1}}^\top {y}"


# Kinds of layers.


def _linear(call: Call, x: Tensor, signs: Signs) -> Term:
    y, bar = signs.delta(call.output), signs.slope(call.output)
    weight = signs.run.own_parameters(call)["weight"].data
    if signs.columns:
        return rf"{signs.weight(call.path, True)} {y}", (weight.T, r"\cdot", bar)
    return rf"{y} {signs.weight(call.path)}", (bar, r"\cdot", weight)


def _activation(call: Call, x: Tensor, signs: Signs) -> Term:
    return _entry_by_entry(call, f"{function(call)}'({signs.sign(x)})", signs)


def _dropout(call: Call, x: Tensor, signs: Signs) -> Term:
    return _entry_by_entry(call, "M/(1 - p)", signs)


def _entry_by_entry(call: Call, slope: str, signs: Signs) -> Term:
    numbers = (signs.slope(call.output), r"\odot", signs.lay(signs.run.slope(call)))
    return rf"{signs.delta(call.output)} \odot {slope}", numbers


def _softmax(call: Call, x: Tensor, signs: Signs) -> Term:
    if is_log(call):
        return _general(call, x, signs)
    y, p = signs.delta(call.output), signs.sign(call.output)
    return rf"{p} \odot ({y} - \langle {y}, {p} \rangle)", None


def _norm(call: Call, x: Tensor, signs: Signs) -> Term:
    y, root = signs.delta(call.output), r"\sqrt{\sigma^2 + \epsilon}"
    if kind(call) == "batch norm" and not call.module.training:
        return rf"{y} \odot \gamma / {root}", None
    g = r"\gamma \odot " + y
    means = rf"\operatorname{{mean}}({g}) - \hat x \odot \operatorname{{mean}}(\hat x \odot {g})"
    return rf"({g} - {means}) / {root}", None


def _flatten(call: Call, x: Tensor, signs: Signs) -> Term:
    return rf"\operatorname{{reshape}}({signs.delta(call.output)})", None


def _residual(call: Call, x: Tensor, signs: Signs) -> Term:
    return signs.delta(call.output), (signs.slope(call.output),)


def _general(call: Call, x: Tensor, signs: Signs) -> Term:
    return rf"J^\top {signs.delta(call.output)}", None


def _t(sign: str) -> str:
    """The transpose of a sign: Δ⁽²⁾ᵀ."""
    if "/" in sign:
        return rf"({sign})^\top"
    return sign[:-1] + r"\top}" if sign.endswith(")}") else sign + r"^\top"


RULES: dict[str, Callable[[Call, Tensor, Signs], Term]] = {
    "linear": _linear,
    "activation": _activation,
    "softmax": _softmax,
    "dropout": _dropout,
    "batch norm": _norm,
    "layer norm": _norm,
    "flatten": _flatten,
    "residual": _residual,
    "recurrent": recurrences_backward.pulled,
    **operations.BACKWARD,
}
"""By kind of layer; any other goes by `_general`."""

PARAMETERS: dict[str, Callable[[Call, str, Signs], tuple[str, Term]]] = {"recurrent": recurrences_backward.parameter}
"""Signs and rules of the derivatives of parameters, by kind of layer; any other goes by `parameter`."""

INSIDE: dict[str, Callable[[Call, Signs], Iterable[Inside]]] = {"recurrent": recurrences_backward.backwards}
"""Kinds of layers that tell several steps on the way back."""
