"""The entry in the middle, the k-th smallest, quantiles; the place of a value among sorted ones; distinct values."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.mixtures import lerp
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.shapes import concatenate, reshape


@with_dim
def quantile(x: Any, q: float | Sequence[float], axis: int | None = None, keepdims: bool = False) -> Any:
    """The value below which a share q of the entries along an axis lies (of all entries for None).

    Between two entries it is interpolated: with the entries sorted, x₀ ≤ … ≤ xₙ₋₁, it is their value at place
    q (n − 1). Several q come in front of the other axes, as in PyTorch and NumPy. x holds no NaN.

    Raises:
        OptionError: a q is outside of [0, 1].
        ShapeError: there are no entries.

    >>> quantile([3.0, 1.0, 2.0, 4.0], [0.0, 0.5])
    array([1. , 2.5], dtype=float32)
    """
    x, shares = operand(x), np.asarray(q, np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise OptionError(f"Quantiles are asked for at shares between 0 and 1, got {q}.")
    ndim = len(x.shape)
    x, axis = (reshape(x, (prod(x.shape),)), 0) if axis is None else (x, axis_of(axis, x.shape))
    if not x.shape[axis]:
        raise ShapeError("There is no quantile of no entries.", input=tuple(x.shape))
    x = words.moveaxis(words.sort(x if kind_of(x) == "f" else words.astype(x, np.float32), axis), axis, 0)
    at = shares * (x.shape[0] - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, x.shape[0] - 1)
    weight = np.asarray(at - low, dtype_of(x)).reshape((*at.shape, *[1] * (len(x.shape) - 1)))
    below = words.take(x, low, 0)
    y = lerp(below, words.take(x, high, 0), weight)
    if not keepdims:
        return y
    kept = (1,) * ndim if len(x.shape) == 1 else (*x.shape[1 : axis + 1], 1, *x.shape[axis + 1 :])
    return reshape(y, (*at.shape, *kept))


@with_dim
def median(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The value in the middle along an axis (of all entries for None); of an even number the mean of the two.

    So it is in mathematics and in NumPy; PyTorch's takes the lower of the two, `kthvalue(x, (n + 1) // 2)`.
    """
    return quantile(x, 0.5, axis, keepdims)


@with_dim
def kthvalue(x: Any, k: int, axis: int = -1, keepdims: bool = False) -> tuple[Any, Any]:
    """The k-th smallest entry along an axis, counted from 1, and its position (which has no derivative).

    Raises:
        OptionError: there are fewer than k entries.
    """
    x = operand(x)
    axis = axis_of(axis, x.shape)
    if not 1 <= k <= x.shape[axis]:
        raise OptionError(f"There are {x.shape[axis]} entries along axis {axis} of shape {tuple(x.shape)}, not {k}.")
    positions = words.index(words.argsort(x, axis), (*[slice(None)] * axis, slice(k - 1, k)))
    values = words.take_along_axis(x, positions, axis)
    return (values, positions) if keepdims else (words.squeeze(values, axis), words.squeeze(positions, axis))


def searchsorted(sorted: Any, values: Any, right: bool = False) -> Any:
    """Where values would go into sorted rows: the number of entries below each (with `right`: below or equal).

    Shapes: sorted (…, n) ascending in the last axis, values (…, m), or any shape for one row. It has no derivative.

    Raises:
        ShapeError: there is not one row for each row of values.

    >>> searchsorted([1.0, 2.0, 2.0, 3.0], [0.5, 2.0])
    array([0, 1])
    """
    row, x = operand(sorted), operand(values)
    if len(row.shape) == 1:
        places = _places(row, reshape(x, (prod(x.shape),)), right)
        return reshape(places, tuple(x.shape))
    if tuple(row.shape[:-1]) != tuple(x.shape[:-1]):
        raise ShapeError(f"Values {tuple(x.shape)} have other rows than the sorted ones, {tuple(row.shape)}.")
    return _places(row, x, right)


def _places(row: Any, x: Any, right: bool) -> Any:
    """Sorted together, a value stands behind the entries below it and behind the values that come before it."""
    together = concatenate([row, x] if right else [x, row], -1)
    rank = _rank(together)
    n = x.shape[-1]
    own = rank[..., rank.shape[-1] - n :] if right else rank[..., :n]
    return own - _rank(x)


def _rank(x: Any) -> Any:
    return words.argsort(words.argsort(x, -1), -1)


def bucketize(x: Any, boundaries: Any, right: bool = False) -> Any:
    """The number of the bucket of each entry, bᵢ₋₁ < x ≤ bᵢ (with `right`: bᵢ₋₁ ≤ x < bᵢ); boundaries ascend."""
    return searchsorted(boundaries, x, right)


def unique(x: Any) -> Any:
    """The distinct entries in ascending order. Their number depends on the numbers; there is no derivative.

    >>> unique([3, 1, 3, 2])
    array([1, 2, 3])
    """
    x = words.stop_gradient(operand(x))
    x = words.sort(reshape(x, (prod(x.shape),)))
    if x.shape[0] < 2:
        return x
    return x[concatenate([np.ones(1, bool), x[1:] != x[:-1]])]
