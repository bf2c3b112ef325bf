"""Embeddings: rows picked by their ids, and derivatives added to the rows they were picked from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.entries import indexed
from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call

MATRIX = "E"
"""The sign of the table of rows."""


def _ids(call: Call) -> np.ndarray:
    return np.asarray(call.inputs[0].data)


def _one_hot(call: Call) -> np.ndarray:
    """A row for each id, 1 in its column: (ids, vocabulary)."""
    return np.eye(call.module.num_embeddings)[_ids(call).ravel()]


def forward(call: Call, signs: Signs) -> Rule:
    """The row of each id."""
    layer = call.module
    notes = [f"the {layer.num_embeddings} rows of $E$ are counted from 0, as ids are"]
    if layer.padding_idx is not None:
        notes.append(f"id {layer.padding_idx} is padding: its row gets no derivative")
    rows = signs.run.own_parameters(call)["weight"].data
    numbers = (r"\operatorname{rows}(", _ids(call), ", ", rows, ")")
    return rf"\operatorname{{rows}}({signs.sign(call.inputs[0])}, {MATRIX})", numbers, tuple(notes)


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The same as a dense layer on one-hot rows, where there are few."""
    one_hot = _one_hot(call)
    if max(one_hot.shape) <= SHOWN:
        yield Inside(
            "one_hot", "O", rf"[{signs.sign(call.inputs[0])} = v]", one_hot,
            caption=f"a row for each id, with its 1 in column $v$: the rows are $O {MATRIX}$",
        )  # fmt: skip


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """How often each row was picked: so many derivatives are added up in it."""
    ids = _ids(call)
    counts = np.bincount(ids.ravel(), minlength=call.module.num_embeddings)
    yield Inside(
        "counts", "c_v", rf"\textstyle\sum [{signs.sign(call.inputs[0])} = v]", counts,
        caption="how often each id stands: so many derivatives are added up in its row",
    )  # fmt: skip


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂E: each row the sum of what comes back to where its id stands."""
    bar = signs.run.gradient(call.output)
    one_hot = _one_hot(call)
    if call.module.padding_idx is not None:
        one_hot[:, call.module.padding_idx] = 0
    if max(one_hot.shape) > SHOWN:
        ids = indexed(signs.sign(call.inputs[0]), "t")
        return MATRIX, (rf"\textstyle\sum_{{t:\, {ids} = v}} {indexed(signs.delta(call.output), 't')}", None)
    rule = rf"O^\top {signs.delta(call.output)}"
    return MATRIX, (rule, (one_hot.T, r"\cdot", bar.reshape(len(one_hot), -1)))


def parameter_notes(call: Call, name: str, signs: Signs) -> tuple[str, ...]:
    """That the padding is left out."""
    padding = call.module.padding_idx
    return () if padding is None else (f"row {padding} is the padding's: its ones are left out of $O$",)


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """Ids have no derivative."""
    return "0", None
