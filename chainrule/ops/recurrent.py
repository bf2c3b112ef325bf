"""Recurrent networks over whole sequences: the functions that users call, on the fused primitives.

All take sequences batch first, x (n, T, in), and give the states of all steps (n, T, h) and the last state. With
a `mask` (n, T) the state passes unchanged over steps where it is False, and the sequence has 0 there: a shorter
sequence ends in the state of its own last step. `reverse` starts at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of
from chainrule.base.errors import DtypeError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.chung_gru import chung_gru_
from chainrule.ops.gru import gru_
from chainrule.ops.highway_rnn import check_carry, highway_rnn_
from chainrule.ops.lstm import lstm_
from chainrule.ops.operands import operand, promote
from chainrule.ops.residual_rnn import residual_rnn_
from chainrule.ops.rnn import check_nonlinearity, rnn_


@words.define
def rnn(
    x: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias: Any = None, *,
    nonlinearity: str = "tanh", mask: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The plain recurrent network hₜ = φ(W xₜ + U hₜ₋₁ + b): states and last state. 000 (15.2)-(15.3), 004 (106).

    Shapes: x (n, T, in), h0 (n, h), weight_ih W (h, in), weight_hh U (h, h), bias (h); 0 where it is None.

    Raises:
        OptionError: there is no such nonlinearity.
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    check_nonlinearity(nonlinearity, "rnn")
    x, h0, w, u, b = _operands(x, h0, weight_ih, weight_hh, bias, gates=1)
    hs = rnn_(x, h0, w, u, b, *_mask(mask), nonlinearity=nonlinearity, reverse=reverse)
    return _shown(hs, mask), _last(hs, reverse)


@words.define
def lstm(
    x: Any, state: tuple[Any, Any], weight_ih: Any, weight_hh: Any, bias: Any = None, *,
    mask: Any = None, reverse: bool = False,
) -> tuple[Any, tuple[Any, Any]]:  # fmt: skip
    """Long short-term memory: states, and the last (h, c); gates i, f, g, o as PyTorch lays them. 000 (16.6)-(16.11).

    Shapes: x (n, T, in), state h and c (n, h), weight_ih (4h, in), weight_hh (4h, h), bias (4h); 0 where it is
    None. Hochreiter & Schmidhuber (1997); the forget gate is Gers et al.'s (2000).

    Raises:
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    x, h0, w, u, b, c0 = _operands(x, state[0], weight_ih, weight_hh, bias, state[1], gates=4)
    hs, cs, _ = lstm_(x, h0, c0, w, u, b, *_mask(mask), reverse=reverse)
    return _shown(hs, mask), (_last(hs, reverse), _last(cs, reverse))


@words.define
def gru(
    x: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None, *,
    mask: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """PyTorch's gated recurrent unit: states and last state; gates in the order r, z, n (see `gru_cell`).

    Shapes: x (n, T, in), h0 (n, h), weight_ih (3h, in), weight_hh (3h, h), both biases (3h); 0 where None.

    Raises:
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    x, h0, w, u, b, b_hh = _operands(x, h0, weight_ih, weight_hh, bias_ih, bias_hh, gates=3)
    hs, _ = gru_(x, h0, w, u, b, b_hh, *_mask(mask), reverse=reverse)
    return _shown(hs, mask), _last(hs, reverse)


@words.define
def chung_gru(
    x: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias: Any = None, *,
    mask: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The documents' gated recurrent unit: states and last state (see `chung_gru_cell`). 003 §16.6, 004 (114)-(117).

    Shapes: x (n, T, in), h0 (n, h), weight_ih (3h, in), weight_hh (3h, h), bias (3h); 0 where it is None.

    Raises:
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    x, h0, w, u, b = _operands(x, h0, weight_ih, weight_hh, bias, gates=3)
    hs, _ = chung_gru_(x, h0, w, u, b, *_mask(mask), reverse=reverse)
    return _shown(hs, mask), _last(hs, reverse)


@words.define
def residual_rnn(
    x: Any, h0: Any, weight_ih: Any, weight_hh: Any, weight_skip: Any, bias: Any = None, *,
    nonlinearity: str = "tanh", mask: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The residual recurrent network hₜ = Q hₜ₋₁ + φ(W xₜ + U hₜ₋₁ + b): states and last state. 003 §16.4.

    Shapes: x (n, T, in), h0 (n, h), weight_ih W (h, in), weight_hh U and weight_skip Q (h, h), bias (h); 0 where
    it is None.

    Raises:
        OptionError: there is no such nonlinearity.
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    check_nonlinearity(nonlinearity, "residual_rnn")
    x, h0, w, u, q, b = _operands(x, h0, weight_ih, weight_hh, weight_skip, bias, gates=1)
    settings: Any = {"nonlinearity": nonlinearity, "reverse": reverse}
    hs, _ = residual_rnn_(x, h0, w, u, q, b, *_mask(mask), **settings)
    return _shown(hs, mask), _last(hs, reverse)


@words.define
def highway_rnn(
    x: Any, h0: Any, weight_ih: Any, weight_hh: Any, bias: Any = None, *,
    carry: str = "state", nonlinearity: str = "tanh", mask: Any = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The recurrent highway hₜ = t ⊙ n + (1 − t) ⊙ hₜ₋₁: states and last state (see `highway_cell`). 003 §16.8.

    With `carry="input"` it is xₜ in place of hₜ₋₁ that passes where the gate t is closed.
    Shapes: x (n, T, in), h0 (n, h), weight_ih (2h, in), weight_hh (2h, h), bias (2h); 0 where it is None.

    Raises:
        OptionError: there is no such nonlinearity, or nothing of this name to carry.
        ShapeError: the arguments do not fit together, or the sequence is empty.
        DtypeError: the mask is not made of booleans.
    """
    check_nonlinearity(nonlinearity, "highway_rnn")
    check_carry(carry, "highway_rnn")
    x, h0, w, u, b = _operands(x, h0, weight_ih, weight_hh, bias, gates=2)
    settings: Any = {"carry": carry, "nonlinearity": nonlinearity, "reverse": reverse}
    hs, _ = highway_rnn_(x, h0, w, u, b, *_mask(mask), **settings)
    return _shown(hs, mask), _last(hs, reverse)


def _operands(x: Any, h0: Any, w: Any, u: Any, *more: Any, gates: int) -> list[Any]:
    """All operands in one dtype; a missing bias is 0."""
    x, h0, w, u = map(operand, (x, h0, w, u))
    if len(x.shape) != 3:
        raise ShapeError(f"A recurrence takes sequences (n, T, features), got {tuple(x.shape)}.")
    if not x.shape[1]:
        raise ShapeError("The sequence has no steps.", input=tuple(x.shape))
    size = gates * h0.shape[-1]
    xs = [x, h0, w, u, *(np.zeros(size, dtype_of(w)) if v is None else operand(v) for v in more)]
    dtype = promote(*(v.dtype for v in xs))
    return [v if v.dtype == dtype else words.astype(v, dtype) for v in xs]


def _mask(mask: Any) -> tuple[Any, ...]:
    if mask is None:
        return ()
    mask = operand(mask)
    if kind_of(mask) != "b":
        raise DtypeError(
            f"A mask is made of booleans, this is {mask.dtype}.",
            fix="mask != 0, True where a step belongs to the sequence",
        )
    return (mask,)


def _shown(hs: Any, mask: Any) -> Any:
    return hs if mask is None else words.where(words.expand_dims(operand(mask), -1), hs, 0.0)


def _last(hs: Any, reverse: bool) -> Any:
    return words.index(hs, (slice(None), 0 if reverse else -1))
