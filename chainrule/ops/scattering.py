"""Reading and writing at places named by integer tensors, under the names that NumPy and PyTorch give them.

`take_along_axis` stands in `lookup`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.indexing import add_at, put_at, take_at
from chainrule.ops.operands import axis_of, broadcast_to, operand


@words.define
def take(x: Any, indices: Any, axis: int = 0) -> Any:
    """The entries of x at indices along an axis, as x[:, …, indices, …]; rows of a table for axis 0."""
    axis = axis_of(axis, operand(x).shape)
    return words.index(x, (*[slice(None)] * axis, operand(indices)))


def _grid(index: Any, axis: int) -> list[Any]:
    """Index arrays for every axis, of one shape: the index along `axis`, counters along the others."""
    shape = tuple(index.shape)
    counters = [np.arange(n).reshape(-1, *[1] * (len(shape) - 1 - k)) for k, n in enumerate(shape)]
    return [index if k == axis else broadcast_to(c, shape=shape) for k, c in enumerate(counters)]


def _named_along(x: Any, axis: int, index: Any) -> tuple[Any, int, Any]:
    x, index = operand(x), operand(index)
    axis = axis_of(axis, x.shape)
    shape, places = tuple(x.shape), tuple(index.shape)
    if len(shape) != len(places) or any(p > n for k, (p, n) in enumerate(zip(places, shape, strict=True)) if k != axis):
        raise ShapeError(f"An index of shape {places} does not fit into shape {shape} off axis {axis}.")
    return x, axis, index


def gather(x: Any, axis: int, index: Any) -> Any:
    """y[…, k, …] = x[…, index[…, k, …], …] along an axis; off it the index may be smaller than x. PyTorch's.

    Raises:
        ShapeError: the index has another number of axes, or is larger than x off the axis.
    """
    x, axis, index = _named_along(x, axis, index)
    return take_at(x, *_grid(index, axis))


def _source_for(x: Any, source: Any, shape: tuple[int, ...]) -> Any:
    source = words.like(source, x)
    return source if tuple(source.shape) == shape else broadcast_to(source, shape=shape)


def scatter(x: Any, axis: int, index: Any, source: Any) -> Any:
    """x with source[…, k, …] written to index[…, k, …] along an axis; of several for one place the last counts."""
    x, axis, index = _named_along(x, axis, index)
    return _written(x, _grid(index, axis), _source_for(x, source, tuple(index.shape)))


def scatter_add(x: Any, axis: int, index: Any, source: Any) -> Any:
    """x with source[…, k, …] added at index[…, k, …] along an axis; several for one place are summed.

    >>> scatter_add(np.zeros(3), 0, np.array([0, 2, 0]), np.array([1.0, 2.0, 4.0]))
    array([5., 0., 2.])
    """
    x, axis, index = _named_along(x, axis, index)
    return x + add_at(_source_for(x, source, tuple(index.shape)), *_grid(index, axis), shape=tuple(x.shape))


def _written(x: Any, indices: list[Any], values: Any) -> Any:
    """x with values at index arrays for its first axes, which replace what was there."""
    shape = tuple(x.shape)
    ones = broadcast_to(np.ones((), np.float32), shape=tuple(values.shape))
    hit = add_at(ones, *indices, shape=shape) != 0
    return words.where(hit, put_at(values, *indices, shape=shape), x)


def index_add(x: Any, axis: int, index: Any, source: Any) -> Any:
    """x with the k-th slice of the source added to slice index[k] along an axis. Shapes: index (k,)."""
    x = operand(x)
    axis = axis_of(axis, x.shape)
    key = (*[slice(None)] * axis, operand(index))
    return index_put(x, key, source, accumulate=True)


def index_put(x: Any, key: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of x with x[key] = values, or, with `accumulate`, with the values added there.

    The derivative with respect to x is 0 where it was overwritten; of several values for one place the last
    counts. Slices, numbers, masks and integer arrays may be mixed as in `x[key]`.

    >>> index_put(np.zeros(3), np.array([0, 2]), np.array([1.0, 2.0]))
    array([1., 0., 2.])
    """
    x = operand(x)
    count = np.arange(prod(x.shape)).reshape(tuple(x.shape))
    places = words.index(count, key)
    source = _source_for(x, values, tuple(places.shape))
    flat, rows = words.reshape(x, (prod(x.shape),)), words.reshape(source, (prod(source.shape),))
    where = words.reshape(places, (prod(source.shape),))
    written = flat + add_at(rows, where, shape=(x.size,)) if accumulate else _written(flat, [where], rows)
    return words.reshape(written, tuple(x.shape))
