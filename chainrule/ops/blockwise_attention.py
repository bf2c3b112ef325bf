"""Attention block by block: the T × S matrix of weights is never held, forward or backward.

For a block of queries the blocks of keys come one after the other. With the largest score so far m, the sum
of exponentials ℓ and the weighted sum of values a, a new block of scores s updates

    m' = max(m, max s),   ℓ' = ℓ e^(m − m') + Σ e^(s − m'),   a' = a e^(m − m') + e^(s − m') V ,

and at the end y = a/ℓ, L = m + ln ℓ. The backward pass computes the weights again, P = e^(S − L).
Milakov & Gimelshein (2018); Dao et al. (2022), Algorithms 1 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into_each, kind_of, xp
from chainrule.base.errors import DtypeError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.elementary import exp, log
from chainrule.ops.linear_algebra import matmul_
from chainrule.ops.masks import NO_BAND, Band, band_like, band_mask
from chainrule.ops.operands import broadcast_shapes, broadcast_to
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import expand_dims, matrix_transpose


def blockwise(q: Any, k: Any, v: Any, mask: Any, band: Band, scale: float, block: int = 128) -> Any:
    """softmax(scale · q kᵀ) v block by block; leading axes broadcast, the mask is boolean.

    Raises:
        DtypeError: the mask is not boolean.
    """
    if mask is not None and kind_of(mask) != "b":
        raise DtypeError(
            f"Blockwise attention takes a boolean mask (True attends), this one is {mask.dtype}.",
            fix="scaled_dot_product_attention, which adds masks of floats to the scores",
        )
    lead = broadcast_shapes(*(tuple(x.shape[:-2]) for x in (q, k, v)))
    q, k, v = (x if tuple(x.shape[:-2]) == lead else broadcast_to(x, shape=(*lead, *x.shape[-2:])) for x in (q, k, v))
    masks = () if mask is None else (mask,)
    return attention_(q, k, v, *masks, scale=scale, band=band, block=block)[0]


@fused
def attention_(q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int, out: Any = None) -> Any:
    """Attention y = softmax(S) v with scores S = scale · q kᵀ, and the logarithm L = ln Σ e^S of each query.

    Shapes: q (…, T, d), k (…, S, d), v (…, S, v), a boolean mask (…, T, S) or none; y (…, T, v), L (…, T). A query
    that sees nothing has y = 0 and, so that it stays finite, L = 0.
    """
    rows = [_rows(q, k, v, mask, scale, band, i, block) for i in _blocks(q.shape[-2], block)]
    y, logarithm = zip(*rows, strict=True)
    places = (None, None) if out is None else out
    return xp(q).concatenate(y, axis=-2, out=places[0]), xp(q).concatenate(logarithm, axis=-1, out=places[1])


def _rows(q: Any, k: Any, v: Any, mask: Any, scale: float, band: Band, i: slice, block: int) -> tuple[Any, Any]:
    """One block of queries against all keys."""
    np_ = xp(q)
    rows = q[..., i, :] * float(scale)
    top = np_.full_like(rows, -np.inf, shape=(*rows.shape[:-1], 1))
    total, a = np_.zeros_like(top), np_.zeros_like(rows, shape=(*rows.shape[:-1], v.shape[-1]))
    for j in _seen(i, k.shape[-2], band, block):
        s = _scores(rows, k, mask, band, i, j)
        highest = np_.maximum(top, np_.max(s, axis=-1, keepdims=True))
        shift = _finite(highest)
        p, shrink = np_.exp(np_.subtract(s, shift, out=s), out=s), np_.exp(top - shift)
        total = total * shrink + np_.sum(p, axis=-1, keepdims=True)
        a = a * shrink + np_.matmul(p, v[..., j, :])
        top = highest
    some = np_.where(total == 0, 1.0, total)
    return a / some, (np_.log(some) + _finite(top))[..., 0]


def _finite(top: Any) -> Any:
    """A largest score, and 0 where there is none."""
    return xp(top).where(xp(top).isfinite(top), top, 0.0)


def _scores(rows: Any, k: Any, mask: Any, band: Band, i: slice, j: slice) -> Any:
    """The scores of one block, −∞ where nothing is seen."""
    np_ = xp(rows)
    s = np_.matmul(rows, np_.swapaxes(k[..., j, :], -1, -2))
    if mask:
        s = np_.where(mask[0][..., i, j], s, -np.inf)
    if not _is_inside(i, j, band):
        low, high = (None if b is None else b + i.start - j.start for b in band)
        s = np_.where(band_like(s, (low, high)), s, -np.inf)
    return s


def _blocks(n: int, block: int) -> list[slice]:
    """0 … n in slices; one empty slice for n = 0."""
    return [slice(a, min(a + block, n)) for a in range(0, max(n, 1), block)]


def _seen(i: slice, n: int, band: Band, block: int) -> Iterator[slice]:
    """The blocks of keys of which some lie in the band of a block of queries."""
    low, high = band
    for j in _blocks(n, block):
        before = low is not None and j.stop - 1 < i.start + low
        behind = high is not None and j.start > i.stop - 1 + high
        if j.stop > j.start and not before and not behind:
            yield j


def _is_inside(i: slice, j: slice, band: Band) -> bool:
    """Whether all pairs of two blocks lie in the band."""
    low, high = band
    return (low is None or j.start >= i.stop - 1 + low) and (high is None or j.stop - 1 <= i.start + high)


@fused
def attention_back(
    y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
    scale: float, band: Band, block: int, out: Any = None,
) -> Any:  # fmt: skip
    """The cotangents of q, k, v, from those of the results of `attention`.

    With P = e^(S − L) and D = Σ ȳ y over the width of a value,

        v̄ = Pᵀ ȳ,   S̄ = P ⊙ (ȳ vᵀ − D + L̄),   q̄ = scale · S̄ k,   k̄ = scale · S̄ᵀ q.
    """
    np_ = xp(q)
    centre = np_.sum(y_bar * y, axis=-1, keepdims=True) - log_bar[..., None]
    keys = _blocks(k.shape[-2], block)
    k_bar = {j.start: np_.zeros_like(k[..., j, :]) for j in keys}
    v_bar = {j.start: np_.zeros_like(v[..., j, :]) for j in keys}
    q_bar = []
    for i in _blocks(q.shape[-2], block):
        rows, rows_bar = q[..., i, :] * float(scale), np_.zeros_like(q[..., i, :])
        for j in _seen(i, k.shape[-2], band, block):
            s = _scores(rows, k, mask, band, i, j)
            p = np_.exp(np_.subtract(s, logarithm[..., i, None], out=s), out=s)
            v_bar[j.start] += np_.matmul(np_.swapaxes(p, -1, -2), y_bar[..., i, :])
            s_bar = np_.matmul(y_bar[..., i, :], np_.swapaxes(v[..., j, :], -1, -2))
            s_bar = np_.multiply(np_.subtract(s_bar, centre[..., i, :], out=s_bar), p, out=s_bar)
            rows_bar += np_.matmul(s_bar, k[..., j, :])
            k_bar[j.start] += np_.matmul(np_.swapaxes(s_bar, -1, -2), rows)
        q_bar.append(rows_bar * float(scale))
    bars = (np_.concatenate(list(b), axis=-2) for b in (q_bar, k_bar.values(), v_bar.values()))
    return into_each(out, tuple(bars))


# The same without blocks, in operations that have derivatives: forward mode and higher order hold all weights.


def _visible_scores(q: Any, k: Any, mask: Any, scale: float, band: Band) -> Any:
    s = matmul_(q, matrix_transpose(k)) * scale
    for visible in (*mask, *([] if band == NO_BAND else [band_mask(s.shape[-2], s.shape[-1], band)])):
        s = words.where(visible, s, -np.inf)
    return s


def _composed(q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int) -> tuple[Any, Any]:
    s = _visible_scores(q, k, mask, scale, band)
    top = words.max(words.stop_gradient(s), -1, keepdims=True) if s.shape[-1] else np.zeros((1, 1), dtype_of(s))
    top = words.where(top == -np.inf, 0.0, top)
    e = exp(s - top)
    total = sum(e, -1, keepdims=True)
    some = words.where(total == 0, 1.0, total)
    return matmul_(e / some, v), words.squeeze(log(some) + top, -1)


def _composed_back(
    y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
    scale: float, band: Band, block: int,
) -> tuple[Any, Any, Any]:  # fmt: skip
    p = exp(_visible_scores(q, k, mask, scale, band) - expand_dims(logarithm, -1))
    centre = sum(y_bar * y, -1, keepdims=True) - expand_dims(log_bar, -1)
    s_bar = p * (matmul_(y_bar, matrix_transpose(v)) - centre) * scale
    return matmul_(s_bar, k), matmul_(matrix_transpose(s_bar), q), matmul_(matrix_transpose(p), y_bar)


# Shapes and costs.


def _result_shapes(q: Any, k: Any, v: Any, *mask: Any, **settings: Any) -> list[tuple[int, ...]]:
    lead, scores = q.shape[:-2], (*q.shape[:-1], k.shape[-2])
    if k.shape != (*lead, k.shape[-2], q.shape[-1]) or v.shape[:-1] != k.shape[:-1]:
        raise ShapeError(f"Attention of queries {q.shape}, keys {k.shape} and values {v.shape}: they do not fit.")
    if mask and mask[0].shape != scores:
        raise ShapeError(f"A mask {mask[0].shape} says nothing about scores {scores}.")
    return [(*q.shape[:-1], v.shape[-1]), q.shape[:-1]]


def _cotangent_shapes(y_bar: Any, log_bar: Any, y: Any, logarithm: Any, *args: Any, **settings: Any) -> Any:
    wanted = _result_shapes(*args)
    if [y_bar.shape, log_bar.shape] != wanted or [y.shape, logarithm.shape] != wanted:
        raise ShapeError(
            f"Results have shapes {wanted}, not {y.shape} and {logarithm.shape}, "
            f"or their cotangents {y_bar.shape} and {log_bar.shape}."
        )
    return [x.shape for x in args[:3]]


def pairs(queries: int, keys: int, band: Band = NO_BAND) -> int:
    """How many pairs of a query and a key lie in a band: T S without one, about T · (high − low + 1) with one."""
    low, high = (-queries if band[0] is None else band[0]), (keys if band[1] is None else band[1])
    i = np.arange(queries)
    return int(np.maximum(np.minimum(i + high, keys - 1) - np.maximum(i + low, 0) + 1, 0).sum())


def _flops(per_pair: int, q: Any, k: Any, band: Band) -> float:
    heads = prod(q.shape[:-2])
    return heads * pairs(q.shape[-2], k.shape[-2], band) * per_pair


attention_.composed(_composed, arguments=3)
attention_.backward(lambda needed, bars, ys, *args, **settings: attention_back(*bars, *ys, *args, **settings))
attention_.shape(_result_shapes)
leading(attention_)
attention_.cost(lambda y, q, k, v, *mask, scale, band, block: _flops(2 * q.shape[-1] + 2 * v.shape[-1] + 6, q, k, band))
attention_.formula(
    r"y = P v,\; P = e^{S - L},\; S = c\, q k^\top,\; L = \ln \textstyle\sum_j e^{S_j}",
    r"\bar q = c\, \bar S k,\; \bar S = P \odot (\bar y v^\top - \langle \bar y, y \rangle + \bar L)",
    r"\bar k = c\, \bar S^\top q",
    r"\bar v = P^\top \bar y",
)
attention_back.composed(_composed_back, arguments=7)
attention_back.shape(_cotangent_shapes)
leading(attention_back)
attention_back.cost(
    lambda bars, y_bar, log_bar, y, logarithm, q, k, v, *mask, scale, band, block: _flops(
        6 * q.shape[-1] + 4 * v.shape[-1] + 5, q, k, band
    )
)
attention_back.formula(
    r"\bar q = c\, \bar S k,\; \bar k = c\, \bar S^\top q,\; \bar v = P^\top \bar y,\;"
    r" \bar S = P \odot (\bar y v^\top - \langle \bar y, y \rangle + \bar L)",
    *(
        rf"\bar{{{x}}} = \partial \langle \bar S, \cdot \rangle / \partial {x}"
        for x in (r"\bar y", r"\bar L", *"yLqkv")
    ),
)
