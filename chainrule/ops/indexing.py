"""Indexing by arrays: the indices are arguments, so that a recorded computation can be run with others.

Two linear pairs, each the other's adjoint, over the first k axes of x, with k index arrays of one shape I:

    take_at    y[i, …] = x[i₁ᵢ, …, iₖᵢ, …]          add_at    x[i₁ᵢ, …, iₖᵢ, …] = Σ y[i, …]
    take_last  the same, 0 where a later i            put_at    x[i₁ᵢ, …, iₖᵢ, …] = y[i, …],
               names the same place                             the last i that names the place wins

A key as users write it is brought to this form: slices are cut first, the axes under arrays are moved in front.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import into, kind_of, looked_at
from chainrule.base.errors import DtypeError, ShapeError
from chainrule.core.batch import moved
from chainrule.core.families import linear
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.ops.operands import broadcast_shapes, broadcast_to, numbers, operand
from chainrule.ops.shapes import index_

# Kernels.


def _places(indices: Any, shape: tuple[int, ...]) -> Any:
    """The positions in the flattened leading axes, as one vector."""
    wrapped = [_wrapped(i, n) for i, n in zip(indices, shape, strict=False)]
    if len(wrapped) == 1:
        return wrapped[0].reshape(-1)
    return np.ravel_multi_index(tuple(wrapped), shape[: len(indices)]).reshape(-1)


def _wrapped(i: Any, n: int) -> Any:
    """Indices counted from the start; refused outside of the axis, where a flattened one would hit another row."""
    if not i.size:
        return i
    low = i.min()
    if low < -n or i.max() >= n:
        raise IndexError(f"index {low if low < -n else i.max()} is out of bounds for an axis of size {n}")
    return np.where(i < 0, i + n, i) if low < 0 else i


def _summed(rows: Any, places: Any, n: int) -> Any:
    """n rows, each the sum of those sent to its place."""
    result = np.zeros((n, rows.shape[1]), rows.dtype)
    if rows.shape[1] == 1:
        np.add.at(result[:, 0], places, rows[:, 0])  # fast for vectors; for rows sorting is
    elif len(places):
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        result[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return result


def _last_to_come(places: Any, n: int) -> Any:
    """Whether each place is named for the last time."""
    last = np.zeros(n, np.int64)
    order = np.arange(len(places))
    np.maximum.at(last, places, order)
    return last[places] == order


@linear
def take_at(x: Any, *indices: Any, out: Any = None) -> Any:
    """The entries of x at index arrays for its first axes; the adjoint adds the cotangents back."""
    return into(out, x[indices])


@linear
def add_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y added at the indices; entries named twice get both shares."""
    k, n = len(indices), prod(shape[: len(indices)])
    rows = y.reshape(indices[0].size, prod(shape[k:]))
    return into(out, _summed(rows, _places(indices, shape), n).reshape(shape).astype(y.dtype, copy=False))


@linear
def take_last(x: Any, *indices: Any, out: Any = None) -> Any:
    """The entries of x at the indices, and 0 for an entry that a later index names again."""
    k = len(indices)
    wins = _last_to_come(_places(indices, x.shape), prod(x.shape[:k])).reshape(indices[0].shape)
    return into(out, x[indices] * wins.reshape((*wins.shape, *[1] * (x.ndim - k))).astype(x.dtype))


@linear
def put_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at the indices; of entries named twice the last one counts."""
    k, places = len(indices), _places(indices, shape)
    result = np.zeros((prod(shape[:k]), prod(shape[k:])), y.dtype)
    wins = _last_to_come(places, len(result))
    result[places[wins]] = y.reshape(len(places), -1 if len(places) else 0)[wins] if len(places) else 0
    return into(out, result.reshape(shape))


# Facets, the same for each pair.


def _taken_shape(x: Any, *indices: Any) -> tuple[int, ...]:
    if len(indices) > x.ndim:
        raise ShapeError(f"{len(indices)} index arrays are too many for shape {x.shape}.")
    return (*indices[0].shape, *x.shape[len(indices) :])


def _placed_shape(y: Any, *indices: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    wanted = (*indices[0].shape, *shape[len(indices) :])
    if y.shape != wanted:
        raise ShapeError(f"Entries of shape {y.shape} do not fill the places of shape {wanted} in {tuple(shape)}.")
    return tuple(shape)


def _with_examples(size: int, indices: Any, flags: Any) -> list[Any]:
    """Index arrays with the batch axis, and before them one that counts the examples."""
    ndim = max(len(i.shape) - f for i, f in zip(indices, flags, strict=True))
    counter = np.arange(size).reshape(size, *[1] * ndim)
    fronted = [words.in_front(size, i, f) for i, f in zip(indices, flags, strict=True)]
    return [broadcast_to(counter, shape=tuple(fronted[0].shape)), *fronted]


def _state_taking(take: Any, add: Any, formula: tuple[str, str]) -> None:
    def batch(size: int, args: Any, flags: Any) -> Any:
        (x, *indices), (batched, *others) = args, flags
        if not batched:
            if take is take_last:  # what comes later counts within one example
                return take(words.in_front(size, x, False), *_with_examples(size, indices, others))
            return take(x, *(words.in_front(size, i, f) for i, f in zip(indices, others, strict=True)))
        if any(others):
            return take(x, *_with_examples(size, indices, others))
        ndim = len(indices[0].shape)
        return moved(take(moved(x, 0, len(indices)), *indices), ndim, 0)

    take.adjoint(lambda y_bar, x, *i: add(y_bar, *i, shape=tuple(x.shape)), arguments=1)
    take.shape(_taken_shape)
    take.batching(batch)
    take.cost(lambda y, x, *i: 0)
    take.formula(*formula)


def _state_adding(add: Any, take: Any, formula: tuple[str, str]) -> None:
    def batch(size: int, args: Any, flags: Any, *, shape: tuple[int, ...]) -> Any:
        (y, *indices), (batched, *others) = args, flags
        if any(others):
            y = words.in_front(size, y, batched)
            return add(y, *_with_examples(size, indices, others), shape=(size, *shape))
        ndim, k = len(indices[0].shape), len(indices)
        return moved(add(moved(y, 0, ndim), *indices, shape=(*shape[:k], size, *shape[k:])), k, 0)

    add.adjoint(lambda x_bar, y, *i, shape: take(x_bar, *i), arguments=1)
    add.shape(_placed_shape)
    add.batching(batch)
    add.cost(lambda x, y, *i, shape: y.size)
    add.formula(*formula)


_state_taking(take_at, add_at, (r"y_k = x_{i_k}", r"\bar x_i = \sum_{k : i_k = i} \bar y_k"))
_state_adding(add_at, take_at, (r"x_i = \sum_{k : i_k = i} y_k", r"\bar y_k = \bar x_{i_k}"))
_state_taking(
    take_last, put_at, (r"y_k = [k = \max\{l : i_l = i_k\}]\, x_{i_k}", r"\bar x_i = \bar y_{\max\{k : i_k = i\}}")
)
_state_adding(
    put_at, take_last, (r"x_i = y_{\max\{k : i_k = i\}}", r"\bar y_k = [k = \max\{l : i_l = i_k\}]\, \bar x_{i_k}")
)


# Keys as users write them.


@words.define
def index(x: Any, key: Any) -> Any:
    """x[key]: numbers, slices, masks and integer arrays, as in NumPy.

    Integer arrays may be tensors, and differ between the examples of `vmap`. A mask stands for the places where
    it holds.

    Raises:
        IndexError: the index is outside of x.
        DtypeError: an array in the key is neither of integers nor of booleans.
    """
    x = operand(x)
    parts = _as_parts(key)
    if not any(map(_is_array, parts)):
        return index_(x, key=parts if isinstance(key, tuple) or len(parts) != 1 else parts[0])
    x, indices, front, first = axes_apart(x, parts)
    y = take_at(x, *indices)
    return _moved_block(y, len(indices[0].shape), front, first)


def axes_apart(x: Any, parts: tuple[Any, ...]) -> tuple[Any, list[Any], int, int]:
    """x with the slices of a key cut and the axes under its arrays in front, and those arrays, of one shape.

    Then how many axes NumPy leaves before those of the arrays, and where they were.
    """
    parts = _without_ellipsis(tuple(map(_arrays_for_numbers, parts)), len(x.shape))
    arrays = [k for k, part in enumerate(parts) if _is_array(part)]
    x = index_(x, key=tuple(slice(None) if _is_array(part) else part for part in parts))
    together = arrays == list(range(arrays[0], arrays[-1] + 1))
    indices = _of_one_shape([parts[k] for k in arrays])
    rest = [k for k in range(len(x.shape)) if k not in arrays]
    order = (*arrays, *rest)
    front = arrays[0] if together else 0
    return (x if order == tuple(range(len(order))) else words.reordered(x, order)), indices, front, arrays[0]


def _moved_block(y: Any, width: int, front: int, first: int) -> Any:
    """The first `width` axes of y put behind the next `front`."""
    if not front or not width:
        return y
    ndim = len(y.shape)
    return words.reordered(y, *range(width, width + front), *range(width), *range(width + front, ndim))


def _is_array(part: Any) -> bool:
    return isinstance(part, Tensor) or words.is_array(part)


def _as_parts(key: Any) -> tuple[Any, ...]:
    """The parts of a key; lists as arrays, masks as the integer arrays of the places where they hold."""
    parts: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        part = _plain_part(part)
        if not _is_array(part):
            parts.append(part)
        elif kind_of(part) == "b":
            parts.extend(np.nonzero(_mask_values(part)) if part.shape else _scalar_mask(part))
        elif kind_of(part) in "iu":
            parts.append(part)
        else:
            raise DtypeError(
                f"An index is made of integers or booleans, this one is {part.dtype}.",
                fix="index.astype(int)",
            )
    return tuple(parts)


def _mask_values(part: Any) -> np.ndarray:
    values = looked_at(words.plain(part))
    if values is None:
        raise DtypeError("How many places a mask names is not known inside jax.jit.", fix="cr.where(mask, x, 0)")
    return values


def _plain_part(part: Any) -> Any:
    """NumPy's integers as numbers, lists and truth values as arrays."""
    if isinstance(part, np.integer):
        return int(part)
    if isinstance(part, (list, bool, np.bool_)):
        return np.zeros(0, np.int64) if part == [] else numbers(part)
    return part


def _scalar_mask(part: Any) -> list[Any]:
    raise DtypeError(f"One truth value is no index: {bool(part)}.", fix="x[None] for a new axis")


def _arrays_for_numbers(part: Any) -> Any:
    """A number beside arrays is one of them, as in NumPy."""
    return np.asarray(part, np.int64) if isinstance(part, int) else part


def _without_ellipsis(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The key with a slice for every axis that `...` or its end stands for."""
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if named > ndim:
        raise IndexError(f"too many indices: the tensor has {ndim} axes, but {named} were indexed")
    gap = (slice(None),) * (ndim - named)
    at = next((k for k, part in enumerate(parts) if part is Ellipsis), len(parts))
    return (*parts[:at], *gap, *parts[at + 1 :])


def _of_one_shape(indices: list[Any]) -> list[Any]:
    shape = broadcast_shapes(*(tuple(i.shape) for i in indices))
    return [i if tuple(i.shape) == shape else broadcast_to(i, shape=shape) for i in indices]
