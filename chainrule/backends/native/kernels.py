"""Primitives as calls of compiled kernels: a rule for each that takes the arrays and gives the call, or None.

None means that the arrays do not suit the kernel (another dtype, another order in memory), and NumPy serves. A rule
gets the operands, then the arrays for the results, then the settings of the primitive by name.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from chainrule.backends.native.arrays import SINGLE, Array, by_rows, is_nothing, unless_nothing
from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.chains import axes_of
from chainrule.backends.native.convolutions import RULES as CONVOLUTIONS
from chainrule.backends.native.recurrences import RULES as RECURRENCES
from chainrule.backends.native.windows import RULES as WINDOWS

# Matrix products.


def matmul(x: Array, y: Array, z: Array) -> NativeCall | None:
    """Products of matrices that lie by rows or by columns, each at the same distance from the one before."""
    if not all(a.dtype == SINGLE and a.size for a in (x, y, z)):
        return None
    ways, steps = [_matrix(a) for a in (x, y, z)], [_step(a) for a in (x, y, z)]
    if None in ways or None in steps or ways[2][1]:  # type: ignore[index]
        return None
    (ldx, tx), (ldy, ty), (ldz, _) = ways  # type: ignore[misc]
    sizes = (z.shape[-2], z.shape[-1], x.shape[-1])
    return NativeCall("product", *sizes, x, ldx, tx, y, ldy, ty, z, ldz, 1.0, 0.0, prod(z.shape[:-2]), *steps)


def _matrix(x: Array) -> tuple[int, int] | None:
    """(distance of rows, 0), or (distance of columns, 1) for a transposed one; None where neither lies together."""
    row, column = (s // x.itemsize for s in x.strides[-2:])
    rows, columns = x.shape[-2:]
    if (column == 1 or columns == 1) and (row >= columns or rows == 1):
        return max(row, columns, 1), 0
    if (row == 1 or rows == 1) and (column >= rows or columns == 1):
        return max(column, rows, 1), 1
    return None


def _step(x: Array) -> int | None:
    """The distance from one matrix to the next; None where it is not always the same."""
    if x.ndim == 2:
        return 0
    axes = axes_of(x[..., 0, 0])
    return axes[0][1] if len(axes) == 1 else None


# Sums and what is made of them.


def around(x: Array, axis: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The sizes before, along and behind axes that follow one another; None where others stand between."""
    if axis and axis != tuple(range(axis[0], axis[0] + len(axis))):
        return None
    first, last = (axis[0], axis[-1] + 1) if axis else (x.ndim, x.ndim)
    return prod(x.shape[:first]), prod(x.shape[first:last]), prod(x.shape[last:])


def kept(x: Array, axis: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The sizes before, of, and behind the axes that stay, if those follow one another."""
    stay = tuple(i for i in range(x.ndim) if i not in axis)
    return around(x, stay) if stay else (1, 1, x.size)


def _sum(x: Array, y: Array, axis: tuple[int, ...], share: float) -> NativeCall | None:
    if not by_rows(x, y):
        return None
    sizes = around(x, axis)
    if sizes is not None:
        return NativeCall("sum_axis", *sizes, x, y, share)
    sizes = kept(x, axis)
    return None if sizes is None else NativeCall("sum_around", *sizes, x, y, share)


def sum_(x: Array, y: Array, *, axis: tuple[int, ...]) -> NativeCall | None:
    """The sum over axes."""
    return _sum(x, y, axis, 1.0)


def mean(x: Array, y: Array, *, axis: tuple[int, ...]) -> NativeCall | None:
    """The mean over axes."""
    return _sum(x, y, axis, 1 / max(1, prod(x.shape[a] for a in axis)))


def standardise(x: Array, y: Array, mu: Array, variance: Array, *, axis: Any, eps: float) -> NativeCall | None:
    """Standardisation over all axes but some that follow one another."""
    sizes = kept(x, axis)
    if sizes is None or not by_rows(x, y, mu, variance):
        return None
    return NativeCall("standardise", *sizes, float(eps), x, y, mu, variance)


def standardise_back(
    y_bar: Array, mu_bar: Array, variance_bar: Array, y: Array, variance: Array, x_bar: Array, *, axis: Any, eps: float
) -> NativeCall | None:
    """Its derivative."""
    sizes, bars = kept(y, axis), [unless_nothing(mu_bar), unless_nothing(variance_bar)]
    given = [bar for bar in bars if isinstance(bar, np.ndarray)]
    if sizes is None or not by_rows(y_bar, y, variance, x_bar, *given):
        return None
    return NativeCall("standardise_back", *sizes, float(eps), y_bar, y, variance, *bars, x_bar)


# Softmax and cross-entropy, along the last axis.


def softmax(x: Array, y: Array, *, axis: int) -> NativeCall | None:
    """Softmax along the last axis."""
    if axis not in (-1, x.ndim - 1) or not by_rows(x, y):
        return None
    return NativeCall("softmax", x.size // x.shape[-1], x.shape[-1], x, y)


def _labels(t: Array) -> bool:
    return t.dtype == np.int64 and t.flags.c_contiguous


def softmax_cross_entropy(z: Array, t: Array, y: Array) -> NativeCall | None:
    """Cross-entropy of rows of logits with their labels."""
    return NativeCall("entropy", y.size, z.shape[-1], z, t, y) if by_rows(z, y) and _labels(t) else None


def softmax_cross_entropy_back(y_bar: Array, z: Array, t: Array, z_bar: Array) -> NativeCall | None:
    """Its derivative; the cotangent may be one number for all rows."""
    same = not any(y_bar.strides)
    if not by_rows(z, z_bar) or not _labels(t) or not (same or by_rows(y_bar)) or y_bar.dtype != SINGLE:
        return None
    return NativeCall("entropy_back", t.size, z.shape[-1], z, t, y_bar, 0 if same else 1, z_bar)


# Rows by number.


def take_at(x: Array, *rest: Array) -> NativeCall | None:
    """Rows of a table by number."""
    *indices, y = rest
    if len(indices) != 1 or not by_rows(x, y) or not _labels(indices[0]):
        return None
    return NativeCall("take_rows", indices[0].size, len(x), prod(x.shape[1:]), x, indices[0], y)


def add_at(x: Array, *rest: Array, shape: tuple[int, ...]) -> NativeCall | None:
    """Rows added into a table of zeros by number."""
    *indices, y = rest
    if len(indices) != 1 or not by_rows(x, y) or not _labels(indices[0]):
        return None
    return NativeCall("add_rows", indices[0].size, shape[0], prod(shape[1:]), x, indices[0], y)


# Attention. A matrix of each head is packed as its address and three distances: outer axis, inner axis, rows.


def attention(q: Array, k: Array, v: Array, *rest: Array, scale: float, band: Any, block: int) -> NativeCall | None:
    """Attention of one head or many, without a mask."""
    *mask, y, log = rest
    packed = None if mask else _attention(q, k, v, y, log, scale, band)
    return None if packed is None else NativeCall("attention", *packed)


def attention_back(
    y_bar: Array, log_bar: Array, y: Array, log: Array, q: Array, k: Array, v: Array, *rest: Array,
    scale: float, band: Any, block: int,
) -> NativeCall | None:  # fmt: skip
    """Its derivative."""
    *mask, q_bar, k_bar, v_bar = rest
    packed = None if mask else _attention(q, k, v, y, log, scale, band)
    bars = _packed(y_bar, q_bar, k_bar, v_bar)
    if packed is None or bars is None or not (is_nothing(log_bar) or by_rows(log_bar)):
        return None
    return NativeCall("attention_back", *packed, unless_nothing(log_bar), *bars)


def _attention(q: Array, k: Array, v: Array, y: Array, log: Array, scale: float, band: Any) -> list[Any] | None:
    packed = _packed(q, k, v, y)
    if packed is None or not by_rows(log):
        return None
    inner, (queries, keys) = q.shape[-3] if q.ndim > 2 else 1, (q.shape[-2], k.shape[-2])
    low, high = -queries if band[0] is None else band[0], keys if band[1] is None else band[1]
    sizes = (prod(q.shape[:-2]), inner, queries, keys, q.shape[-1], v.shape[-1], low, high)
    return [*sizes, float(scale), *packed, log]


def _packed(*arrays: Array) -> list[Any] | None:
    words: list[Any] = []
    for x in arrays:
        steps = [s // x.itemsize for s in x.strides]
        together = x.shape[-1] == 1 or steps[-1] == 1
        if x.dtype != SINGLE or not x.size or x.ndim > 4 or not together or steps[-2] < x.shape[-1]:
            return None
        words += [x, *[0] * (4 - x.ndim), *steps[:-2], steps[-2]]
    return words


RULES: dict[str, Callable[..., NativeCall | None]] = {
    "add_at": add_at,
    "attention": attention,
    "attention_back": attention_back,
    "matmul": matmul,
    "mean": mean,
    "softmax": softmax,
    "softmax_cross_entropy": softmax_cross_entropy,
    "softmax_cross_entropy_back": softmax_cross_entropy_back,
    "standardise": standardise,
    "standardise_back": standardise_back,
    "sum": sum_,
    "take_at": take_at,
    **CONVOLUTIONS,
    **RECURRENCES,
    **WINDOWS,
}
