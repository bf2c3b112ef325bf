"""Layers that are one fixed matrix: images made larger, padded, dealt out anew; shown by a row and a column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.core import Tensor, gradients
from chainrule.glass.explanation.entries import indexed, largest, of_batch, written_out
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call


def forward(call: Call, signs: Signs) -> Rule:
    """Every entry is a sum of entries times weights that no parameter changes."""
    x, y = call.inputs[0], call.output
    name = named(type(call.module).__name__)
    notes = (f"{x.shape} → {y.shape}", "linear: every entry is a sum of entries of the input times fixed weights $A$")
    return rf"{name}({signs.sign(x)})", None, notes


def _row(call: Call, place: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The entries of the input that one of the result is made of: weights, entries."""
    picked = np.zeros(call.output.shape)
    picked[place] = 1.0
    row = np.asarray(gradients(call.output, call.inputs[0], picked).data)
    return row[row != 0], call.inputs[0].data[row != 0]


def _column(call: Call, place: tuple[int, ...]) -> np.ndarray:
    """By how much one entry of the input counts in each of the result."""
    x = np.zeros(call.inputs[0].shape)
    nothing = np.asarray(call.module.forward(x))
    x[place] = 1.0
    return np.asarray(call.module.forward(x)) - nothing


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The result of largest size as a sum."""
    if call.output.node is None:
        return
    place = largest(call.output.data)
    weights, entries = _row(call, place)
    value, y = call.output.data[place], of_batch(signs.sign(call.output), place, signs)
    alone = (weights[0], r"\cdot", entries[0]) if len(weights) == 1 else None
    yield Inside(
        "entry", y, r"\textstyle\sum_i A_i x_i", value, substituted=alone,
        expanded=() if alone else written_out(y, weights, entries, None, value), caption="the entry of largest size",
    )  # fmt: skip


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """The largest derivative of an input: from each entry that it counts in, by its weight there."""
    x = call.inputs[0]
    if not signs.run.sends_alone(x):
        return
    gradient = signs.run.gradient(x)
    place = largest(gradient)
    column, bar = _column(call, place), signs.run.gradient(call.output)
    weights, bars = column[column != 0], bar[column != 0]
    one, delta = of_batch(signs.delta(x), place, signs), indexed(signs.delta(call.output), "p")
    alone = (weights[0], r"\cdot", bars[0]) if len(weights) == 1 else None
    yield Inside(
        "da_entry", one, rf"\textstyle\sum_p A_p {delta}", gradient[place], substituted=alone,
        expanded=() if alone else written_out(one, weights, bars, None, gradient[place]),
        caption="the input with the largest derivative: from each entry that it counts in, by its weight there",
        check=signs.run.check_entry(x, place),
    )  # fmt: skip


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """Back through the transposed matrix."""
    return rf"A^\top {signs.delta(call.output)}", None
