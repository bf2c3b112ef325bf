"""Moving entries without changing them: reshape, permute, index, join."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into, xp
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


def _free_axis(size: int, shape: tuple[int, ...]) -> dict[str, str]:
    """What to try: one axis of the shape left to be found, if there is one for which it comes out."""
    for i, n in enumerate(shape):
        if n > 0 and (rest := prod(shape) // n) and size % rest == 0:
            free = ", ".join(str(-1 if j == i else m) for j, m in enumerate(shape))
            return {"try": f"x.reshape({free}), which makes axis {i} {size // rest}"}
    return {}


def _fitting(x: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    if prod(shape) != x.size:
        raise ShapeError(
            f"{x.size} entries of shape {tuple(x.shape)} do not fill shape {tuple(shape)}.",
            **_free_axis(x.size, tuple(shape)),
        )
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
        return words.swapaxes(x, *axes)
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
def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    ndim = len(x.shape)
    return permute(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


@linear
def index_(x: Any, *, key: Any, out: Any = None) -> Any:
    """x[key] for a key of numbers, slices, `None` and `...`: a view. The adjoint puts the cotangents back."""
    return into(out, x[key])


@linear
def place_at(y: Any, *, key: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at `key`, which is made of numbers and slices."""
    result = np.zeros(shape, dtype_of(y)) if out is None else into(out, 0)
    result[key] = y
    return result


def _with_batch_axis(key: Any) -> tuple[Any, ...]:
    return (slice(None), *(key if isinstance(key, tuple) else (key,)))


index_.adjoint(lambda y_bar, x, *, key: place_at(y_bar, key=key, shape=tuple(x.shape)))
index_.shape(lambda x, *, key: _probe(x.shape)[key].shape)
index_.batching(lambda size, args, flags, *, key: index_(args[0], key=_with_batch_axis(key)))
index_.cost(lambda y, x, *, key: 0)
index_.formula(r"y_k = x_{i_k}", r"\bar x_i = [i = i_k]\, \bar y_k")
place_at.adjoint(lambda y_bar, y, *, key, shape: index_(y_bar, key=key))
place_at.shape(lambda y, *, key, shape: shape)
place_at.batching(
    lambda size, args, flags, *, key, shape: place_at(args[0], key=_with_batch_axis(key), shape=(size, *shape))
)
place_at.cost(lambda x, y, *, key, shape: 0)
place_at.formula(r"y_i = [i = i_k]\, x_k", r"\bar x_k = \bar y_{i_k}")


def _probe(shape: tuple[int, ...]) -> np.ndarray:
    """An array of the shape that holds one number only, to ask NumPy what an index gives."""
    return np.broadcast_to(np.zeros(()), shape)


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
    "matrix_transpose",
    "permute",
    "reshape",
    "squeeze",
    "stack",
    "transpose",
]
