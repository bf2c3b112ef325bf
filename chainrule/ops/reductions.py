"""Sums, means, extrema and norms over axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import along_axes
from chainrule.core.families import general, linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, broadcast_to, operand, with_dim
from chainrule.ops.shapes import reshape

Axis = int | tuple[int, ...] | None


def reduced_axes(x: Any, axis: Axis) -> tuple[int, ...]:
    """The axes meant by `axis`, counted from 0; all of them for None.

    Raises:
        ShapeError: there is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(len(x.shape)))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    counted = {axis_of(a, x.shape) for a in axes}
    if len(counted) < len(axes):
        raise ShapeError(f"An axis is named twice in {axis}, of shape {tuple(x.shape)}.")
    return tuple(sorted(counted))


def kept_shape(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with size 1 along the reduced axes."""
    return tuple(1 if i in axis else n for i, n in enumerate(shape))


def _reduced(x: Any, *, axis: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(x.shape) if i not in axis)


def extreme_shape(x: Any, *, axis: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the largest entries over axes.

    Raises:
        ShapeError: there are no entries to choose from.
    """
    shape = _reduced(x, axis=axis)
    if not x.size and prod(shape):
        raise ShapeError(f"There is no largest or smallest of no entries: shape {x.shape}, axes {axis}.")
    return shape


def spread(bar: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """A reduced result repeated along the axes it was reduced over."""
    return broadcast_to(reshape(bar, kept_shape(tuple(x.shape), axis)), shape=tuple(x.shape))


@linear
def sum_(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Sum over axes; the adjoint repeats."""
    return xp(x).sum(x, axis=axis, dtype=x.dtype, out=out)


sum_.adjoint(lambda y_bar, x, *, axis: spread(y_bar, x, axis))
sum_.shape(_reduced)
along_axes(sum_)
sum_.cost(lambda y, x, *, axis: max_(0, x.size - y.size))
sum_.formula(r"y = \sum_i x_i", r"\bar x_i = \bar y")


@linear
def mean_(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Mean over axes; the adjoint repeats a share of 1/n."""
    return xp(x).mean(x, axis=axis, dtype=x.dtype, out=out)


mean_.adjoint(lambda y_bar, x, *, axis: spread(y_bar / max_(1, prod(x.shape[a] for a in axis)), x, axis))
mean_.shape(_reduced)
along_axes(mean_)
mean_.cost(lambda y, x, *, axis: x.size)
mean_.formula(r"y = \tfrac1n \sum_i x_i", r"\bar x_i = \bar y / n")

max_ = max  # Python's own, before the name is taken below


@general
def max_reduce(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Largest entry over axes; tied entries share the derivative equally."""
    return xp(x).max(x, axis=axis, out=out)


def _ties(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """Each entry's share of the derivative: 1/k where it is one of k that equal the extreme y, else 0."""
    at_top = words.astype(x == spread(y, x, axis), dtype=dtype_of(x))
    return at_top / spread(sum_(at_top, axis=axis), x, axis)


max_reduce.jvp(lambda dots, y, x, *, axis: sum_(_ties(y, x, axis) * dots[0], axis=axis))
max_reduce.vjps(lambda y_bar, y, x, *, axis: _ties(y, x, axis) * spread(y_bar, x, axis))
max_reduce.shape(extreme_shape)
along_axes(max_reduce)
max_reduce.cost(lambda y, x, *, axis: x.size - y.size)
max_reduce.formula(r"y = \max_i x_i", r"\bar x_i = [x_i = y]\,\bar y / \#\{j : x_j = y\}")


@general
def min_reduce(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Smallest entry over axes; tied entries share the derivative equally."""
    return xp(x).min(x, axis=axis, out=out)


min_reduce.jvp(lambda dots, y, x, *, axis: sum_(_ties(y, x, axis) * dots[0], axis=axis))
min_reduce.vjps(lambda y_bar, y, x, *, axis: _ties(y, x, axis) * spread(y_bar, x, axis))
min_reduce.shape(extreme_shape)
along_axes(min_reduce)
min_reduce.cost(lambda y, x, *, axis: x.size - y.size)
min_reduce.formula(r"y = \min_i x_i", r"\bar x_i = [x_i = y]\,\bar y / \#\{j : x_j = y\}")


def _with_axes(x: Any, axes: tuple[int, ...], y: Any, keepdims: bool) -> Any:
    return reshape(y, kept_shape(tuple(x.shape), axes)) if keepdims else y


@words.define
@with_dim
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x over `axis` (all axes for None); of booleans and narrow integers in int64."""
    x = operand(x)
    axes = reduced_axes(x, axis)
    if kind_of(x) in "biu" and x.dtype.itemsize < 8:
        x = words.astype(x, dtype=np.dtype(np.int64))
    return _with_axes(x, axes, sum_(x, axis=axes), keepdims)


@words.define
@with_dim
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of x over `axis` (all axes for None)."""
    x = operand(x)
    axes = reduced_axes(x, axis)
    if kind_of(x) != "f":
        x = words.astype(x, dtype=np.dtype(np.float32))
    return _with_axes(x, axes, mean_(x, axis=axes), keepdims)


@words.define
@with_dim
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest entry of x over `axis`; ties share the derivative equally."""
    x = operand(x)
    axes = reduced_axes(x, axis)
    return _with_axes(x, axes, max_reduce(x, axis=axes), keepdims)


@words.define
@with_dim
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest entry of x over `axis`; ties share the derivative equally."""
    x = operand(x)
    axes = reduced_axes(x, axis)
    return _with_axes(x, axes, min_reduce(x, axis=axes), keepdims)


@words.define
@with_dim
def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The biased variance mean((x − mean x)²) over `axis`."""
    x = operand(x)
    return mean(words.square(x - mean(x, axis, keepdims=True)), axis, keepdims)


@words.define
@with_dim
def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The biased standard deviation √var over `axis`; where all are equal its derivative is taken as 0."""
    return _root(var(x, axis, keepdims), 2)


def _root(x: Any, n: float) -> Any:
    """x^(1/n) for x ≥ 0, with derivative 0 at 0 instead of infinity."""
    at_zero = x == 0
    return words.where(at_zero, 0.0, words.power(words.where(at_zero, 1.0, x), 1 / n))
