"""Order: positions of the largest, sorted values, the k largest. Positions have no derivative, the values do."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import into, kind_of, xp
from chainrule.base.errors import OptionError
from chainrule.core.batch import along_axes
from chainrule.core.families import General, general
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.reductions import extreme_shape
from chainrule.ops.shapes import reshape


def _state_positions(primitive: General, formula: str) -> None:
    """The facets of whatever gives positions along an axis: integers, without a derivative."""
    primitive.vjps(None)
    primitive.dtype(lambda x, **params: np.dtype(np.int64))
    along_axes(primitive)
    primitive.formula(formula, r"\bar x = 0")


@general
def argmax_(x: Any, *, axis: int, out: Any = None) -> Any:
    """The position of the first largest entry along an axis."""
    return xp(x).argmax(x, axis=axis, out=out)


_state_positions(argmax_, r"k = \operatorname{argmax}_i x_i")
argmax_.shape(lambda x, *, axis: extreme_shape(x, axis=(axis,)))
argmax_.cost(lambda y, x, *, axis: x.size)


@general
def argmin_(x: Any, *, axis: int, out: Any = None) -> Any:
    """The position of the first smallest entry along an axis."""
    return xp(x).argmin(x, axis=axis, out=out)


_state_positions(argmin_, r"k = \operatorname{argmin}_i x_i")
argmin_.shape(lambda x, *, axis: extreme_shape(x, axis=(axis,)))
argmin_.cost(lambda y, x, *, axis: x.size)


def _sorting_cost(y: Any, x: Any, **settings: Any) -> float:
    return x.size * np.log2(max(2, x.shape[settings["axis"]]))


@general
def argsort_(x: Any, *, axis: int, out: Any = None) -> Any:
    """Positions in ascending order of the entries along an axis; equal entries keep their order."""
    return into(out, xp(x).argsort(x, axis=axis, stable=True))


_state_positions(argsort_, r"k = \text{the order with } x_{k_1} \le x_{k_2} \le \dots")
argsort_.shape(lambda x, *, axis: x.shape)
argsort_.cost(_sorting_cost)


@general
def top_positions(x: Any, *, k: int, axis: int, out: Any = None) -> Any:
    """Positions of the k largest entries along an axis, the largest first; of equal ones any."""
    if k == 0:
        return into(out, np.argsort(x, axis=axis).take(np.arange(0), axis=axis))
    largest = np.argpartition(x, x.shape[axis] - k, axis=axis).take(np.arange(-k, 0), axis=axis)
    order = np.argsort(-np.take_along_axis(x, largest, axis), axis=axis, kind="stable")
    return into(out, np.take_along_axis(largest, order, axis))


_state_positions(top_positions, r"i = \text{the places with } x_{i_1} \ge \dots \ge x_{i_k} \ge \text{all others}")
top_positions.shape(lambda x, *, k, axis: (*x.shape[:axis], k, *x.shape[axis:][1:]))
top_positions.cost(_sorting_cost)


def _position(primitive: General, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = operand(x)
    if axis is None:
        k = primitive(reshape(x, -1 if x.size else 0), axis=0)
        return reshape(k, (1,) * len(x.shape)) if keepdims else k
    k = primitive(x, axis=axis_of(axis, x.shape))
    return words.expand_dims(k, axis_of(axis, x.shape)) if keepdims else k


@words.define
@with_dim
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) largest entry, along an axis or in the flattened array; no derivative."""
    return _position(argmax_, x, axis, keepdims)


@words.define
@with_dim
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) smallest entry, along an axis or in the flattened array; no derivative."""
    return _position(argmin_, x, axis, keepdims)


@words.define
def argsort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    """Positions that sort x along an axis; equal entries keep their order; no derivative."""
    x = operand(x)
    if descending:
        x = words.negative(x) if kind_of(x) in "if" else words.negative(words.astype(x, np.int64))
    return argsort_(x, axis=axis_of(axis, x.shape))


@words.define
def sort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    """The entries in ascending order along an axis; each cotangent goes back to where its entry came from.

    >>> sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    """
    return words.take_along_axis(x, argsort(x, axis, descending), axis)


@words.define
def top_k(x: Any, k: int, axis: int = -1) -> tuple[Any, Any]:
    """The k largest entries along an axis, the largest first, and their positions (which have no derivative).

    Raises:
        OptionError: there are fewer than k entries.

    >>> values, positions = top_k(np.array([3.0, 1.0, 2.0]), 2)
    >>> values, positions
    (array([3., 2.]), array([0, 2]))
    """
    x = operand(x)
    axis = axis_of(axis, x.shape)
    if not 0 <= k <= x.shape[axis]:
        raise OptionError(f"There are {x.shape[axis]} entries along axis {axis} of shape {tuple(x.shape)}, not {k}.")
    positions = top_positions(x, k=k, axis=axis)
    return words.take_along_axis(x, positions, axis), positions
