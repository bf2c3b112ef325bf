"""Attention: each query takes a mean of the values, weighted by how its key fits.

    y = softmax(Q Kᵀ/√d) V

Tokens are rows: Q (…, T, d), K (…, S, d), V (…, S, v), y (…, T, v); for several heads (…, heads, T, d).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from chainrule.backends import is_floating, kind_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.blockwise_attention import blockwise
from chainrule.ops.creation import dropout as dropped
from chainrule.ops.linear_algebra import matmul
from chainrule.ops.masks import Band
from chainrule.ops.operands import DEFAULT_FLOAT, broadcast_shapes, broadcast_to, operand, promote
from chainrule.ops.scores import attention_weights, dot_scores, fitted_mask
from chainrule.ops.shapes import expand_dims, reshape

WHOLE = 32 * 32
"""Up to so many scores of one head the weights are kept; beyond, blocks that fit the cache are faster.

Measured at 64 × 64, 12 sequences of 4 heads: a whole step of a transformer 36.9 to 45.7 ms in blocks, 39.9 to 51.7 with
the weights, by compiled kernels; by NumPy alone 64 ms against 59.
"""


@words.define
def scaled_dot_product_attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    causal: bool = False,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Any:
    """y = softmax(Q Kᵀ · scale) V, scale = 1/√d. Shapes: q (…, T, d), k (…, S, d), v (…, S, v), y (…, T, v).

    A boolean mask says True where a query attends to a key, as in PyTorch; a mask of floats is added to the
    scores; either is repeated to (…, T, S). `causal` lets query i attend to keys j ≤ i. A query that may attend to
    nothing gets 0. Where k and v have fewer heads (axis −3), each serves an equal group of heads of q: grouped
    queries, Ainslie et al. (2023). `dropout` is the probability of dropping a weight.

    Long sequences go block by block (`blockwise_attention`), so that the weights are never held, unless there is
    dropout or a mask of floats. Vaswani et al. (2017), (1); 000 (18.7).

    Raises:
        ShapeError: widths of q and k, lengths of k and v, heads or the mask do not fit.
        DtypeError: the mask is neither boolean nor floating-point.

    >>> import numpy as np
    >>> scaled_dot_product_attention(np.eye(2), np.eye(2), np.eye(2)).round(4)
    array([[0.6698, 0.3302],
           [0.3302, 0.6698]])
    """
    q, k, v, mask, result = arranged(q, k, v, mask)
    scale = _scale(q) if scale is None else scale
    boolean = mask is None or kind_of(mask) == "b"
    if boolean and not dropout and q.shape[-2] * k.shape[-2] > WHOLE:
        y = blockwise(q, k, v, mask, (None, 0 if causal else None), scale)
    else:
        weights = attention_weights(dot_scores(q, k), mask, causal, scale)
        y = matmul(dropped(weights, dropout) if dropout else weights, v)
    return reshape(y, result)


@words.define
def blockwise_attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    causal: bool = False,
    scale: float | None = None,
    window: int | None = None,
    block: int = 128,
) -> Any:
    """`scaled_dot_product_attention` that never holds the T × S weights, forward or backward.

    Queries and keys meet in blocks of `block`; the softmax over all keys is put together from their maxima and
    sums as it goes (Milakov & Gimelshein 2018; FlashAttention, Dao et al. 2022), and the backward pass computes
    the weights again. Equal to the plain form within rounding; memory grows as T, not T². With `window`, query i
    attends to keys |i − j| ≤ window, and blocks outside cost nothing: time grows as T · window (000 §20.5.2).
    Derivatives of higher order, and forward mode, hold the weights.

    Raises:
        OptionError: block is less than 1, or window less than 0.
        ShapeError: as `scaled_dot_product_attention`.
        DtypeError: the mask is not boolean.
    """
    if block < 1 or (window is not None and window < 0):
        raise OptionError(f"A block has 1 row or more, a window reaches 0 or more; got {block} and {window}.")
    q, k, v, mask, result = arranged(q, k, v, mask)
    band: Band = (None if window is None else -window, 0 if causal else window)
    return reshape(blockwise(q, k, v, mask, band, _scale(q) if scale is None else scale, block), result)


def _scale(q: Any) -> float:
    return 1 / sqrt(max(1, q.shape[-1]))


def arranged(q: Any, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any, Any, tuple[int, ...]]:
    """Operands of one dtype and equal leading axes, with one more for groups that share keys; the result's shape."""
    q, k, v = _floats(operand(q), operand(k), operand(v))
    _check(tuple(q.shape), tuple(k.shape), tuple(v.shape))
    groups = _groups(tuple(q.shape), tuple(k.shape), tuple(v.shape))
    if groups > 1:
        q = reshape(q, *q.shape[:-3], q.shape[-3] // groups, groups, *q.shape[-2:])
        k, v = expand_dims(k, -3), expand_dims(v, -3)
    lead = broadcast_shapes(*(tuple(x.shape[:-2]) for x in (q, k, v)))
    q, k, v = (x if tuple(x.shape[:-2]) == lead else broadcast_to(x, shape=(*lead, *x.shape[-2:])) for x in (q, k, v))
    heads = (*lead[:-2], lead[-2] * groups) if groups > 1 else lead
    if mask is not None:
        scores = (q.shape[-2], k.shape[-2])
        mask = reshape(fitted_mask(mask, (*heads, *scores)), *lead, *scores)
    return q, k, v, mask, (*heads, q.shape[-2], v.shape[-1])


def _floats(*xs: Any) -> list[Any]:
    dtype = promote(*(x.dtype for x in xs))
    dtype = dtype if is_floating(dtype) else DEFAULT_FLOAT
    return [x if x.dtype == dtype else words.astype(x, dtype) for x in xs]


def _check(q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...]) -> None:
    """Widths of q and k and lengths of k and v are the same."""
    given = {"q": q, "k": k, "v": v}
    if min(map(len, (q, k, v))) < 2:
        raise ShapeError("Attention is between rows: q (…, T, d), k (…, S, d), v (…, S, v).", **given)
    if q[-1] != k[-1]:
        raise ShapeError(
            f"Queries and keys are compared entry by entry, queries have width {q[-1]} and keys {k[-1]}.",
            **given,
            fix=f"project both to one width, as Linear({k[-1]}, {q[-1]}) on the keys",
        )
    if k[-2] != v[-2]:
        raise ShapeError(f"Each key has a value: got {k[-2]} keys and {v[-2]} values.", **given)


def _groups(q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...]) -> int:
    """How many heads of q share one of k and v; 1 where the numbers are equal, or one of them is 1."""
    if min(map(len, (q, k, v))) < 3 or 1 in (q[-3], k[-3]) or q[-3] == k[-3]:
        return 1
    if k[-3] != v[-3] or q[-3] % max(1, k[-3]):
        raise ShapeError(
            f"{q[-3]} heads of queries cannot share {k[-3]} heads of keys and {v[-3]} of values.",
            q=q,
            k=k,
            v=v,
            fix=f"as many heads of keys and of values, a number that divides {q[-3]}",
        )
    return q[-3] // k[-3]
