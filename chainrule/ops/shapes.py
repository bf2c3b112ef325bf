"""Moving entries without changing them: reshape, permute, index, join."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import into, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import along_axes
from chainrule.core.families import linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, broadcast_to, operand, promote, with_dim


@linear
def reshape_(x: Any, *, shape: tuple[int, ...], out: Any = None) -> Any:
    """The entries in the same (row-major) order under another shape."""
    return into(out, xp(x).reshape(x, shape))


reshape_.adjoint(lambda y_bar, x, *, shape: reshape(y_bar, tuple(x.shape)))
reshape_.shape(lambda x, *, shape: _fitting(x, shape))
reshape_.batching(lambda size, args, flags, *, shape: reshape_(args[0], shape=(size, *shape)))
reshape_.cost(lambda y, x, *, shape: 0)
reshape_.formula(
    r"\operatorname{vec} y = \operatorname{vec} x", r"\operatorname{vec} \bar x = \operatorname{vec} \bar y"
)


def _fitting(x: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    if prod(shape) != x.size:
        raise ShapeError(f"{x.size} entries of shape {tuple(x.shape)} do not fill shape {tuple(shape)}.")
    return shape


@words.define
def reshape(x: Any, *shape: Any) -> Any:
    """x under another shape, given as numbers or one tuple; one size may be −1 and is worked out.

    Raises:
        ShapeError: the number of entries differs.
    """
    x = operand(x)
    wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if min(wanted, default=0) < 0:
        known = prod(n for n in wanted if n != -1)
        size = prod(x.shape)
        if wanted.count(-1) != 1 or known <= 0 or size % known:
            raise ShapeError(f"{size} entries of shape {tuple(x.shape)} do not fill shape {wanted}.")
        wanted = tuple(size // known if n == -1 else n for n in wanted)
    return x if wanted == tuple(x.shape) else reshape_(x, shape=wanted)


@words.define
def flatten(x: Any, start: int = 0) -> Any:
    """All axes from `start` on as one; `start=1` keeps the batch axis, as a dense layer needs (000 §12.3.3)."""
    x = operand(x)
    start = axis_of(start, x.shape) if x.shape else 0
    return reshape(x, *x.shape[:start], prod(x.shape[start:]))


@words.define
def squeeze(x: Any, axis: int | None = None) -> Any:
    """Without the axes of size 1, or without the one named."""
    shape = tuple(operand(x).shape)
    if axis is None:
        return reshape(x, tuple(n for n in shape if n != 1))
    axis = axis_of(axis, shape)
    if shape[axis] != 1:
        raise ShapeError(f"Axis {axis} of shape {shape} has size {shape[axis]}, not 1.")
    return reshape(x, shape[:axis] + shape[axis + 1 :])


@words.define
def expand_dims(x: Any, axis: int) -> Any:
    """With a new axis of size 1 at `axis`."""
    shape = tuple(operand(x).shape)
    axis = axis_of(axis, (*shape, 1))
    return reshape(x, (*shape[:axis], 1, *shape[axis:]))


@linear
def permute(x: Any, *, axes: tuple[int, ...], out: Any = None) -> Any:
    """Axis i of the result is axis axes[i] of x; the adjoint permutes back."""
    return into(out, xp(x).transpose(x, axes))


permute.adjoint(lambda y_bar, x, *, axes: permute(y_bar, axes=tuple(int(i) for i in np.argsort(axes))))
permute.shape(lambda x, *, axes: tuple(x.shape[a] for a in axes))
permute.batching(lambda size, args, flags, *, axes: permute(args[0], axes=(0, *(a + 1 for a in axes))))
permute.cost(lambda y, x, *, axes: 0)
permute.formula(r"y_{ij} = x_{ji}", r"\bar x_{ji} = \bar y_{ij}")


@words.define
def transpose(x: Any, *axes: Any) -> Any:
    """Axes in another order: two axes change places, as in PyTorch; none given, all are reversed, as in NumPy.

    Three or more are the whole order: axis i of the result is axis axes[i].

    Raises:
        ShapeError: `axes` is not a permutation of the axes of x.
    """
    x = operand(x)
    axes = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    if len(axes) == 2:
        return swapaxes(x, *axes)
    return reordered(x, *(axes or reversed(range(len(x.shape)))))


@words.define
def reordered(x: Any, *axes: Any) -> Any:
    """All axes in another order: axis i of the result is axis axes[i].

    Raises:
        ShapeError: `axes` is not a permutation of the axes of x.
    """
    x = operand(x)
    ndim = len(x.shape)
    axes = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    order = tuple(a % ndim if -ndim <= a < ndim else a for a in axes)
    if sorted(order) != list(range(ndim)):
        raise ShapeError(f"{axes} is not an order of the {ndim} axes of shape {tuple(x.shape)}.")
    return permute(x, axes=order)


@words.define
def swapaxes(x: Any, a: int, b: int) -> Any:
    """Two axes change places.

    Raises:
        ShapeError: there is no such axis.
    """
    x = operand(x)
    a, b = axis_of(a, x.shape), axis_of(b, x.shape)
    order = list(range(len(x.shape)))
    order[a], order[b] = b, a
    return permute(x, axes=tuple(order))


@words.define
def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    ndim = len(x.shape)
    return permute(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


@linear
def index_(x: Any, *, key: Any, out: Any = None) -> Any:
    """x[key], with NumPy's rules; the adjoint adds the cotangents back where they came from."""
    return into(out, x[key])


@linear
def scatter_add(y: Any, *, key: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y added at `key`; entries named twice get both shares."""
    result = np.zeros(shape, y.dtype) if out is None else into(out, 0)
    if _is_basic(key):
        result[key] = y
    else:
        np.add.at(result, key, y)
    return result


def _is_basic(key: Any) -> bool:
    """Whether an index has numbers and slices only, so that no entry is named twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is ... or isinstance(part, (int, slice)) for part in parts)


def _keys_apart(key: Any) -> bool:
    """Whether NumPy would put the axes of integer arrays in front, because they stand apart."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [i for i, part in enumerate(parts) if not isinstance(part, slice) and part is not Ellipsis]
    return bool(arrays) and arrays != list(range(arrays[0], arrays[-1] + 1))


def _with_batch_axis(key: Any) -> tuple[Any, ...]:
    return (slice(None), *(key if isinstance(key, tuple) else (key,)))


def _index_each(size: int, x: Any, key: Any) -> Any:
    if _keys_apart(key):
        return stack([index_(index_(x, key=i), key=key) for i in range(size)])
    return index_(x, key=_with_batch_axis(key))


def _scatter_each(size: int, y: Any, key: Any, shape: tuple[int, ...]) -> Any:
    if _keys_apart(key):
        return stack([scatter_add(index_(y, key=i), key=key, shape=shape) for i in range(size)])
    return scatter_add(y, key=_with_batch_axis(key), shape=(size, *shape))


index_.adjoint(lambda y_bar, x, *, key: scatter_add(y_bar, key=key, shape=tuple(x.shape)))
index_.shape(lambda x, *, key: _probe(x.shape)[key].shape)
index_.batching(lambda size, args, flags, *, key: _index_each(size, args[0], key))
index_.cost(lambda y, x, *, key: 0)
index_.formula(r"y_k = x_{i_k}", r"\bar x_i = \sum_{k : i_k = i} \bar y_k")
scatter_add.adjoint(lambda y_bar, y, *, key, shape: index_(y_bar, key=key))
scatter_add.shape(lambda y, *, key, shape: shape)
scatter_add.batching(lambda size, args, flags, *, key, shape: _scatter_each(size, args[0], key, shape))
scatter_add.formula(r"y_i = \sum_{k : i_k = i} x_k", r"\bar x_k = \bar y_{i_k}")


def _probe(shape: tuple[int, ...]) -> np.ndarray:
    """An array of the shape that holds one number only, to ask NumPy what an index gives."""
    return np.broadcast_to(np.zeros(()), shape)


@words.define
def index(x: Any, key: Any) -> Any:
    """x[key]: numbers, slices, masks and integer arrays, as in NumPy.

    Raises:
        IndexError: the index is outside of x.
    """
    key = tuple(words.plain(k) for k in key) if isinstance(key, tuple) else words.plain(key)
    return index_(operand(x), key=key)


@linear
def concatenate_(*xs: Any, axis: int, out: Any = None) -> Any:
    """Arrays behind one another along an axis; the adjoint cuts them apart again."""
    return xp(xs[0]).concatenate(xs, axis=axis, out=out)


def _cut(y_bar: Any, *xs: Any, axis: int) -> tuple[Any, ...]:
    ends = np.cumsum([x.shape[axis] for x in xs])
    before = (slice(None),) * axis
    starts = (0, *ends[:-1])
    return tuple(index_(y_bar, key=(*before, slice(int(a), int(b)))) for a, b in zip(starts, ends, strict=True))


def _joined(*xs: Any, axis: int) -> tuple[int, ...]:
    first = xs[0].shape
    for x in xs[1:]:
        if x.ndim != len(first) or x.shape[:axis] + x.shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ShapeError(f"Shapes {first} and {x.shape} differ outside axis {axis}, along which they are joined.")
    return (*first[:axis], int(np.sum([x.shape[axis] for x in xs])), *first[axis + 1 :])


concatenate_.adjoint(_cut)
concatenate_.shape(_joined)
along_axes(concatenate_)
concatenate_.cost(lambda y, *xs, axis: 0)
concatenate_.formula(r"y = [x_1; x_2; \dots]", r"[\bar x_1; \bar x_2; \dots] = \bar y")


@words.define
@with_dim
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Tensors or arrays behind one another along an axis that exists.

    Raises:
        ShapeError: there is nothing to join, no such axis, or sizes differ on another axis.
    """
    xs = [operand(x) for x in xs]
    if not xs:
        raise ShapeError("There is nothing to join: the list is empty.")
    axis = axis_of(axis, xs[0].shape)
    dtype = promote(*(x.dtype for x in xs))
    return concatenate_(*(words.astype(x, dtype=dtype) if x.dtype != dtype else x for x in xs), axis=axis)


@words.define
@with_dim
def stack(xs: Any, axis: int = 0) -> Any:
    """Tensors or arrays of one shape along a new axis."""
    return concatenate([expand_dims(x, axis) for x in xs], axis)


__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flatten",
    "index",
    "matrix_transpose",
    "permute",
    "reshape",
    "squeeze",
    "stack",
    "transpose",
]
