"""The rule of each kind of layer backwards: what it sends back, and the derivatives of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chainrule.core import Tensor
from chainrule.glass.explanation import (
    attention,
    convolution,
    dropout,
    linear_maps,
    lookup,
    normalisation,
    operations,
    pooling,
    positions,
    recurrences_backward,
    softmax,
    transposed,
)
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Term, function
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
            return f"b^{{({signs.held[call.path]})}}", (_summed(y, signs), None)
    sign = named(name)
    return sign, (rf"\textstyle\sum ({y}) \odot \partial {signs.sign(call.output)}/\partial {sign}", None)


def parameter_notes(call: Call, name: str, signs: Signs) -> tuple[str, ...]:
    """That 1 sums over the samples, said at the last dense layer, the first on the way back."""
    if kind(call) in NOTES:
        return NOTES[kind(call)](call, name, signs)
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


def _entry_by_entry(call: Call, slope: str, signs: Signs) -> Term:
    numbers = (signs.slope(call.output), r"\odot", signs.lay(signs.run.slope(call)))
    return rf"{signs.delta(call.output)} \odot {slope}", numbers


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
    "convolution": convolution.pulled,
    "transposed convolution": transposed.pulled,
    "activation": _activation,
    "softmax": softmax.pulled,
    "dropout": dropout.pulled,
    "batch norm": normalisation.pulled,
    "layer norm": normalisation.pulled,
    "group norm": normalisation.pulled,
    "rms norm": normalisation.pulled,
    "max pooling": pooling.pulled,
    "mean pooling": pooling.pulled,
    "embedding": lookup.pulled,
    "linear map": linear_maps.pulled,
    "flatten": _flatten,
    "residual": _residual,
    "recurrent": recurrences_backward.pulled,
    "attention": attention.pulled,
    "positions": positions.pulled,
    **operations.BACKWARD,
}
"""By kind of layer; any other goes by `_general`."""

PARAMETERS: dict[str, Callable[[Call, str, Signs], tuple[str, Term]]] = {
    "convolution": convolution.parameter,
    "transposed convolution": transposed.parameter,
    "batch norm": normalisation.parameter,
    "layer norm": normalisation.parameter,
    "group norm": normalisation.parameter,
    "rms norm": normalisation.parameter,
    "embedding": lookup.parameter,
    "recurrent": recurrences_backward.parameter,
    "attention": attention.parameter,
    "positions": positions.parameter,
}
"""Signs and rules of the derivatives of parameters, by kind of layer; any other goes by `parameter`."""

NOTES: dict[str, Callable[[Call, str, Signs], tuple[str, ...]]] = {
    "convolution": convolution.parameter_notes,
    "embedding": lookup.parameter_notes,
}
"""Remarks on the derivatives of parameters, by kind of layer."""

INSIDE: dict[str, Callable[[Call, Signs], Iterable[Inside]]] = {
    "convolution": convolution.inside_back,
    "transposed convolution": transposed.inside_back,
    "batch norm": normalisation.inside_back,
    "layer norm": normalisation.inside_back,
    "group norm": normalisation.inside_back,
    "rms norm": normalisation.inside_back,
    "max pooling": pooling.inside_back,
    "mean pooling": pooling.inside_back,
    "embedding": lookup.inside_back,
    "linear map": linear_maps.inside_back,
    "softmax": softmax.inside_back,
    "recurrent": recurrences_backward.backwards,
    "attention": attention.backwards,
}
"""Kinds of layers that tell several steps on the way back."""
