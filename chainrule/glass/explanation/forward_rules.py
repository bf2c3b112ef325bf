"""The rule of each kind of layer forwards, with the numbers that go into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

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
    recurrences_forward,
    transposed,
)
from chainrule.glass.explanation.entries import written_out
from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import SOFTMAX, Rule, formula_notes, function, is_log, joined, softmax
from chainrule.glass.explanation.run import kind
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Formula
from chainrule.glass.record import Call

EXPANDED = 4
"""Up to so many terms a sum of products is written out."""


def forward(call: Call, signs: Signs) -> Rule:
    """How a layer's result comes from its inputs."""
    rule, numbers, notes = _passed_on(call, signs) if call.passes else RULES.get(kind(call), _general)(call, signs)
    return f"{signs.sign(call.output)} = {rule}", numbers, notes


def inside(call: Call, signs: Signs) -> Iterable[Inside]:
    """What a layer tells before its result."""
    tell = INSIDE.get(kind(call))
    return () if tell is None or call.passes else tell(call, signs)


def quantities(call: Call, signs: Signs) -> Iterable[tuple[str, np.ndarray]]:
    """Numbers inside a layer by name, also of what it does not tell."""
    tell = QUANTITIES.get(kind(call))
    return () if tell is None else tell(call, signs)


def expanded(call: Call, signs: Signs) -> tuple[Formula, ...]:
    """The entries of a dense layer's pre-activation one by one, for one sample and few inputs."""
    own = signs.run.own_parameters(call)
    x, w = call.inputs[0].data, own["weight"].data
    if x.ndim != 2 or len(x) != 1 or not 2 <= w.shape[1] <= EXPANDED or w.shape[0] > SHOWN:
        return ()
    z, head = call.output.data[0], signs.sign(call.output)
    bias = own["bias"].data if "bias" in own else None
    return tuple(
        line
        for j in range(len(w))
        for line in written_out(
            head.replace("^", f"_{{{j + 1}}}^"), w[j], x[0], None if bias is None else bias[j], z[j]
        )
    )


# Kinds of layers.


def _passed_on(call: Call, signs: Signs) -> Rule:
    what = "nothing is dropped in evaluation" if kind(call) == "dropout" else "the layer passes its input on"
    return signs.sign(call.inputs[0]), None, (what,)


def _linear(call: Call, signs: Signs) -> Rule:
    own, x = signs.run.own_parameters(call), call.inputs[0]
    w, numbers = own["weight"].data, signs.value(x)
    if signs.columns:
        rule, put_in = f"{signs.weight(call.path)} {signs.sign(x)}", (w, r"\cdot", numbers)
    else:
        rule, put_in = f"{signs.sign(x)} {signs.weight(call.path, True)}", (numbers, r"\cdot", w.T)
    if "bias" not in own:
        return rule, put_in, ()
    ones = (r"\cdot", r"\mathbf{1}^\top") if signs.spread else ()
    shifted = (*put_in, "+", signs.vector(own["bias"].data), *ones)
    return f"{rule} + {signs.bias(call.path)}", shifted, _bias_notes(call, signs)


def _bias_notes(call: Call, signs: Signs) -> tuple[str, ...]:
    """What adds one bias to all samples, said at the first layer."""
    if signs.single or signs.layer[call.path] > 1:
        return ()
    if signs.columns:
        return (r"$\mathbf{1}$ is a column of ones: the bias is added to every column, a column being a sample",)
    return ("the bias is added to every row, a row being a sample",)


def _activation(call: Call, signs: Signs) -> Rule:
    return *_applied(function(call), call, signs), ()


def _softmax(call: Call, signs: Signs) -> Rule:
    return *_applied(softmax(call), call, signs), formula_notes(call, 0) if is_log(call) else (SOFTMAX,)


def _applied(f: str, call: Call, signs: Signs) -> tuple[str, Formula]:
    x = call.inputs[0]
    return f"{f}({signs.sign(x)})", (f"{f}(", signs.value(x), ")")


def _flatten(call: Call, signs: Signs) -> Rule:
    x, y = call.inputs[0], call.output
    name = "vec" if x.ndim >= y.ndim == 2 and len(x.data) == len(y.data) else "reshape"
    sign = signs.sign(x) if name == "vec" else f"({signs.sign(x)})"
    return rf"\operatorname{{{name}}} {sign}", None, (f"{x.shape} → {y.shape}",)


def _residual(call: Call, signs: Signs) -> Rule:
    return " + ".join(map(signs.sign, call.inputs)), joined("+", map(signs.value, call.inputs)), ()


def _general(call: Call, signs: Signs) -> Rule:
    name = (type(call.module).__name__ if call.module else call.operation).replace("_", r"\_")
    inputs = ", ".join(map(signs.sign, call.inputs))
    return rf"\operatorname{{{name}}}({inputs})", None, formula_notes(call, 0)


RULES: dict[str, Callable[[Call, Signs], Rule]] = {
    "linear": _linear,
    "convolution": convolution.forward,
    "transposed convolution": transposed.forward,
    "activation": _activation,
    "softmax": _softmax,
    "dropout": dropout.forward,
    "batch norm": normalisation.forward,
    "layer norm": normalisation.forward,
    "group norm": normalisation.forward,
    "rms norm": normalisation.forward,
    "max pooling": pooling.forward,
    "mean pooling": pooling.forward,
    "embedding": lookup.forward,
    "linear map": linear_maps.forward,
    "flatten": _flatten,
    "residual": _residual,
    "recurrent": recurrences_forward.result,
    "attention": attention.result,
    "positions": positions.forward,
    **operations.FORWARD,
}
"""By kind of layer; any other goes by `_general`."""

INSIDE: dict[str, Callable[[Call, Signs], Iterable[Inside]]] = {
    "convolution": convolution.inside,
    "transposed convolution": transposed.inside,
    "dropout": dropout.inside,
    "batch norm": normalisation.inside,
    "layer norm": normalisation.inside,
    "group norm": normalisation.inside,
    "rms norm": normalisation.inside,
    "max pooling": pooling.inside,
    "mean pooling": pooling.inside,
    "embedding": lookup.inside,
    "linear map": linear_maps.inside,
    "recurrent": recurrences_forward.forwards,
    "attention": attention.forwards,
}
"""Kinds of layers that tell several steps; the result comes behind these."""

QUANTITIES: dict[str, Callable[[Call, Signs], Iterable[tuple[str, np.ndarray]]]] = {
    "recurrent": recurrences_forward.quantities,
}
"""Kinds of layers that have more numbers than they tell."""
