"""The plain recurrent network in PyTorch, and the table of all its recurrences; see `chainrule.ops.rnn`."""

from __future__ import annotations

from typing import Any

import torch

from chainrule.backends.interface import into, into_each
from chainrule.backends.torch_gru import chung_gru, chung_gru_back, gru, gru_back
from chainrule.backends.torch_lstm import lstm, lstm_back
from chainrule.backends.torch_sequences import (
    add_product,
    before,
    columns,
    held_steps,
    in_order,
    keep,
    of_columns,
    project,
    room,
    shown,
    side_by_side,
    weight_bar,
)


def rnn(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """States of all steps."""
    hs, h = project(x, w_ih, b), h0.mT
    bend = torch.tanh_ if nonlinearity == "tanh" else torch.relu_
    for h_t, held in in_order(reverse, hs, held_steps(mask)):
        bend(add_product(h_t, w_hh, h))
        keep(held, h_t, h)
        h = h_t
    return into(out, of_columns(hs))


def rnn_back(
    h_bar: Any, h: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ = h̄ ⊙ φ' of all steps, and the cotangents of h₀, the weights and the bias."""
    hs, held = columns(h), held_steps(mask)
    delta = 1 - hs * hs if nonlinearity == "tanh" else (hs > 0).to(hs.dtype)
    delta = delta if held is None else delta.masked_fill(held, 0)
    ut, (dhs, dhs_before, h0_bar) = w_hh.mT.contiguous(), room(h_bar, reverse)
    for delta_t, dh, dh_before, held_t in in_order(not reverse, delta, dhs, dhs_before, held):
        add_product(dh_before, ut, delta_t.mul_(dh))
        if held_t is not None:
            dh_before.addcmul_(dh, held_t)
    rows = side_by_side(delta)
    weights = weight_bar(rows, columns(x)), weight_bar(rows, before(h0, hs, reverse)), rows.sum(-1)
    return into_each(out, (shown(rows, len(hs)), h0_bar, *weights))


KERNELS = {
    "rnn": rnn,
    "rnn_back": rnn_back,
    "lstm": lstm,
    "lstm_back": lstm_back,
    "gru": gru,
    "gru_back": gru_back,
    "chung_gru": chung_gru,
    "chung_gru_back": chung_gru_back,
}
