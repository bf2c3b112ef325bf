"""Scores of attention, and the weights made of them: how much each query takes of each value.

    A = softmax(S)

with S (…, T, S) from queries Q (…, T, d) and keys K (…, S, d): tokens are rows, queries are rows of A. The documents
that write tokens as columns have the same numbers, transposed (003 §17.3; 000 §21.3.2 leaves a transpose out,
which only T = d hides).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from chainrule.backends import kind_of, xp
from chainrule.base.errors import DtypeError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.elementary import exp, tanh
from chainrule.ops.linear_algebra import affine, matmul
from chainrule.ops.masks import NO_BAND, Band, band_mask
from chainrule.ops.operands import broadcast_shapes, broadcast_to, operand
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import expand_dims, matrix_transpose


@words.define
def dot_scores(q: Any, k: Any) -> Any:
    """S = Q Kᵀ: Luong et al. (2015). The variance grows with the width d; see `scaled_dot_scores`."""
    return matmul(q, matrix_transpose(operand(k)))


@words.define
def scaled_dot_scores(q: Any, k: Any) -> Any:
    """S = Q Kᵀ/√d: of variance 1 where the entries of Q and K are independent, of variance 1. 000 (18.8).

    Vaswani et al. (2017), §3.2.1.
    """
    return dot_scores(q, k) * (1 / sqrt(q.shape[-1]))


@words.define
def additive_scores(q: Any, k: Any, w_q: Any, w_k: Any, v: Any) -> Any:
    """Sᵢⱼ = vᵀ tanh(W_q qᵢ + W_k kⱼ): a network with one hidden layer scores each pair. Bahdanau et al. (2015).

    Shapes: q (…, T, d), k (…, S, e), w_q (h, d), w_k (h, e), v (h), result (…, T, S).
    """
    hidden = expand_dims(affine(q, w_q), -2) + expand_dims(affine(k, w_k), -3)  # (…, T, S, h)
    return matmul(tanh(hidden), v)


@fused
def masked_softmax(s: Any, *mask: Any, scale: float, band: Band, out: Any = None) -> Any:
    """p = softmax(scale · s) over the visible entries of the last axis, 0 elsewhere.

    Visible is what the boolean mask (of the shape of s) and the band say. A row of which nothing is visible is 0.
    """
    np_ = xp(s)
    z = np_.multiply(s, s.dtype.type(scale), out=out)
    for hidden in _hidden(s.shape, mask, band):
        np_.copyto(z, -np.inf, where=hidden)
    top = np_.max(z, axis=-1, keepdims=True, initial=-np.inf)
    top[np_.isneginf(top)] = 0
    z = np_.exp(np_.subtract(z, top, out=z), out=z)
    total = np_.sum(z, axis=-1, keepdims=True)
    total[total == 0] = 1
    return np_.divide(z, total, out=z)


def _hidden(shape: tuple[int, ...], mask: tuple[Any, ...], band: Band) -> list[Any]:
    """What is not visible, as boolean arrays that are repeated to the shape."""
    return [*(~m for m in mask), *([] if band == NO_BAND else [~band_mask(shape[-2], shape[-1], band)])]


def _composed(s: Any, *mask: Any, scale: float, band: Band) -> Any:
    z = s * scale
    for hidden in _hidden(tuple(s.shape), mask, band):
        z = words.where(hidden, -np.inf, z)
    top = words.stop_gradient(words.max(z, -1, keepdims=True)) if z.shape[-1] else 0.0
    e = exp(z - words.where(top == -np.inf, 0.0, top))
    total = sum(e, -1, keepdims=True)
    return e / words.where(total == 0, 1.0, total)


def _scores_shape(s: Any, *mask: Any, scale: float, band: Band) -> tuple[int, ...]:
    if mask and mask[0].shape != s.shape:
        raise ShapeError(f"A mask {mask[0].shape} says nothing about scores {s.shape}.")
    return s.shape


def _pulled(needed: Any, p_bar: Any, p: Any, s: Any, *mask: Any, scale: float, band: Band) -> tuple[Any]:
    return (p * (p_bar - sum(p * p_bar, -1, keepdims=True)) * scale,)


masked_softmax.composed(_composed, arguments=1)
masked_softmax.backward(_pulled)
masked_softmax.shape(_scores_shape)
leading(masked_softmax)
masked_softmax.cost(lambda p, s, *mask, scale, band: 6 * s.size)
masked_softmax.formula(
    r"p_j = m_j e^{c s_j} / \sum_k m_k e^{c s_k}", r"\bar s = c\, p \odot (\bar p - \langle \bar p, p \rangle)"
)


@words.define
def attention_weights(s: Any, mask: Any = None, causal: bool = False, scale: float = 1.0) -> Any:
    """A = softmax(scale · S) over the keys that a query sees. Shapes: S and A (…, T, S); each row of A sums to 1.

    A boolean mask says True where the query attends to the key, a mask of floats is added to the scores;
    `causal` lets query i attend to keys j ≤ i. A query that sees nothing has weights 0.

    Raises:
        ShapeError: the mask cannot be repeated to the shape of the scores.
        DtypeError: the mask is neither boolean nor floating-point.

    >>> attention_weights(np.zeros((3, 3)), causal=True)[1]  # 000 (18.16)
    array([0.5, 0.5, 0. ])
    """
    s = operand(s)
    if mask is not None:
        mask = fitted_mask(mask, tuple(s.shape))
        if kind_of(mask) == "f":
            s, mask, scale = s * scale + mask, None, 1.0
    return masked_softmax(s, *(() if mask is None else (mask,)), scale=scale, band=(None, 0 if causal else None))


def fitted_mask(mask: Any, scores: tuple[int, ...]) -> Any:
    """A mask repeated to the shape of the scores (a view).

    Raises:
        ShapeError: it cannot be repeated to that shape.
        DtypeError: it is neither boolean nor floating-point.
    """
    mask = operand(mask)
    if kind_of(mask) not in ("b", "f"):
        raise DtypeError(
            f"A mask is boolean (True attends) or floating-point (added to the scores), this one is {mask.dtype}.",
            fix="mask != 0, if 1 means attend",
        )
    shape = tuple(mask.shape)
    if not _repeats_to(shape, scores):
        raise ShapeError(
            f"A mask of shape {shape} does not fit scores of shape {scores}.",
            scores="the last axes are queries and keys",
            fix=_mask_advice(shape, scores),
        )
    return mask if shape == scores else broadcast_to(mask, shape=scores)


def _repeats_to(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return broadcast_shapes(shape, wanted) == wanted
    except ShapeError:
        return False


def _mask_advice(mask: tuple[int, ...], scores: tuple[int, ...]) -> str:
    if len(scores) == 4 and mask == (scores[0], scores[-1]):
        return "mask[:, None, None, :], if its rows are sequences and True is no padding"
    if len(mask) == 2 and mask == scores[:-3:-1]:
        return "mask.T (rows are queries, columns are keys)"
    return f"a mask ({scores[-2]}, {scores[-1]}), with leading axes as in the scores, or 1"
