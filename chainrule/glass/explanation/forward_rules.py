"""The rule of each kind of layer forwards, with the numbers that go into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.rules import SOFTMAX, formula_notes, function, is_log, joined, softmax, tenths
from chainrule.glass.explanation.run import kind
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Formula
from chainrule.glass.record import Call

EXPANDED = 4
"""Up to so many terms a sum of products is written out."""

Rule = tuple[str, Formula | None, tuple[str, ...]]
"""The rule of a layer in LaTeX, the rule with numbers where they can be shown, and notes."""


def forward(call: Call, signs: Signs) -> Rule:
    """How a layer's result comes from its inputs."""
    rule, numbers, notes = _passed_on(call, signs) if call.passes else RULES.get(kind(call), _general)(call, signs)
    return f"{signs.sign(call.output)} = {rule}", numbers, notes


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
    products = joined("+", [(wi, r"\cdot", xi) for wi, xi in zip(w, x, strict=True)])
    sums = joined("+", w * x)
    shift = () if b is None else ("+", b)
    return (head, "=", *products, *shift, "=", *sums, *shift, "=", z)


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


def _dropout(call: Call, signs: Signs) -> Rule:
    x, mask = call.inputs[0], signs.lay(signs.run.slope(call))
    note = f"$M$ is the mask drawn, $p = {call.module.p}$ the part that is dropped"
    return rf"{signs.sign(x)} \odot M/(1 - p)", (signs.value(x), r"\odot", mask), (note,)


def _norm(call: Call, signs: Signs) -> Rule:
    batch = kind(call) == "batch norm"
    normed = rf"\hat x = ({signs.sign(call.inputs[0])} - \mu)/\sqrt{{\sigma^2 + \epsilon}}"
    rule = rf"\gamma \odot \hat x + \beta,\; {normed}"
    if batch and not call.module.training:
        return rule, None, (r"$\mu$ and $\sigma^2$ are the running statistics (evaluation)",)
    over = "each feature over the batch" if batch else "each sample over its features"
    return rule, None, (rf"$\mu$ and $\sigma^2$ of {over}; $\epsilon = {tenths(call.module.eps)}$",)


def _flatten(call: Call, signs: Signs) -> Rule:
    x = call.inputs[0]
    return rf"\operatorname{{vec}} {signs.sign(x)}", None, (f"{x.shape} → {call.output.shape}",)


def _residual(call: Call, signs: Signs) -> Rule:
    return " + ".join(map(signs.sign, call.inputs)), joined("+", map(signs.value, call.inputs)), ()


def _general(call: Call, signs: Signs) -> Rule:
    name = (type(call.module).__name__ if call.module else call.operation).replace("_", r"\_")
    inputs = ", ".join(map(signs.sign, call.inputs))
    return rf"\operatorname{{{name}}}({inputs})", None, formula_notes(call, 0)


RULES: dict[str, Callable[[Call, Signs], Rule]] = {
    "linear": _linear,
    "activation": _activation,
    "softmax": _softmax,
    "dropout": _dropout,
    "batch norm": _norm,
    "layer norm": _norm,
    "flatten": _flatten,
    "residual": _residual,
}
"""By kind of layer; any other goes by `_general`."""
