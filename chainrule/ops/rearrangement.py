"""Cutting, repeating, reversing and moving axes: compositions of slices, repeats and permutations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.cumulative import part, reverse
from chainrule.ops.operands import axis_of, broadcast_to, operand
from chainrule.ops.reductions import Axis, reduced_axes
from chainrule.ops.shapes import concatenate, reshape


@words.define
def split(x: Any, sizes: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of given sizes along an axis; one number gives parts of that size, the last one shorter, as PyTorch's.

    Raises:
        ShapeError: the sizes do not add up to that of the axis.

    >>> [part.shape for part in split(np.zeros((5, 2)), 2)]
    [(2, 2), (2, 2), (1, 2)]
    """
    x = operand(x)
    axis = axis_of(axis, x.shape)
    n = x.shape[axis]
    if isinstance(sizes, int):
        if sizes < 1:
            raise ShapeError(f"Parts have a size of at least 1, not {sizes}.")
        sizes = [min(sizes, n - start) for start in range(0, n, sizes)]
    ends = np.cumsum([0, *sizes])
    if ends[-1] != n or min(sizes, default=0) < 0:
        raise ShapeError(f"Sizes {list(sizes)} do not add up to {n}, the size of axis {axis} of {tuple(x.shape)}.")
    return [part(x, axis, int(a), int(b)) for a, b in pairwise(ends)]


@words.define
def chunk(x: Any, n: int, axis: int = 0) -> list[Any]:
    """At most n parts of equal size along an axis, the last one shorter, as PyTorch's.

    Raises:
        ShapeError: n is below 1.
    """
    if n < 1:
        raise ShapeError(f"There is no cutting into {n} parts.")
    x = operand(x)
    return split(x, max(1, -(-x.shape[axis_of(axis, x.shape)] // n)), axis)


@words.define
def flip(x: Any, axis: Axis = None) -> Any:
    """The entries in reverse order along axes (all for None)."""
    x = operand(x)
    for k in reduced_axes(x, axis):
        x = reverse(x, k)
    return x


@words.define
def roll(x: Any, shift: int | tuple[int, ...], axis: Axis = None) -> Any:
    """Entries moved on by `shift` places along axes; those pushed out come in again. Flattened for no axis.

    Raises:
        ShapeError: there is not one shift for each axis.
    """
    x = operand(x)
    if axis is None:
        return reshape(roll(reshape(x, (prod(x.shape),)), shift, 0), tuple(x.shape))
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(f"There is not one shift for each axis: shifts {shifts}, axes {axes}.")
    for steps, k in zip(shifts, axes, strict=True):
        x = _rolled(x, steps, axis_of(k, x.shape))
    return x


def _rolled(x: Any, shift: int, axis: int) -> Any:
    n = x.shape[axis]
    cut = -shift % n if n else 0
    return concatenate([part(x, axis, cut, None), part(x, axis, None, cut)], axis) if cut else x


@words.define
def repeat(x: Any, n: int | Sequence[int], axis: int | None = None) -> Any:
    """Each entry n times in a row along an axis (flattened for None), as NumPy's; n may be one number an entry."""
    x = operand(x)
    if axis is None:
        x, axis = reshape(x, (prod(x.shape),)), 0
    axis = axis_of(axis, x.shape)
    if not isinstance(n, int):
        return words.take(x, np.repeat(np.arange(x.shape[axis]), n), axis)
    shape = tuple(x.shape)
    wide = broadcast_to(words.expand_dims(x, axis + 1), shape=(*shape[: axis + 1], n, *shape[axis + 1 :]))
    return reshape(wide, (*shape[:axis], shape[axis] * n, *shape[axis + 1 :]))


@words.define
def tile(x: Any, counts: int | Sequence[int]) -> Any:
    """x laid side by side, `counts` times along each axis (the last ones, where x has more), as NumPy's."""
    x = operand(x)
    counts = (counts,) if isinstance(counts, int) else tuple(counts)
    ndim = max(len(counts), len(x.shape))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - len(x.shape)) + tuple(x.shape)
    apart = reshape(x, tuple(size for n in shape for size in (1, n)))
    wide = broadcast_to(apart, shape=tuple(size for pair in zip(counts, shape, strict=True) for size in pair))
    return reshape(wide, tuple(c * n for c, n in zip(counts, shape, strict=True)))


@words.define
def swapaxes(x: Any, a: int, b: int) -> Any:
    """Two axes exchanged."""
    x = operand(x)
    a, b = axis_of(a, x.shape), axis_of(b, x.shape)
    order = list(range(len(x.shape)))
    order[a], order[b] = b, a
    return words.reordered(x, order)


@words.define
def moveaxis(x: Any, source: int | Sequence[int], target: int | Sequence[int]) -> Any:
    """Axes moved to other places, the others in order.

    Raises:
        ShapeError: an axis is named twice, or the numbers of axes differ.
    """
    x = operand(x)
    sources, targets = (_counted(a, x.shape) for a in (source, target))
    if len(sources) != len(targets):
        raise ShapeError(f"{len(sources)} axes cannot be moved to {len(targets)} places.")
    order = [k for k in range(len(x.shape)) if k not in sources]
    for place, k in sorted(zip(targets, sources, strict=True)):
        order.insert(place, k)
    return words.reordered(x, order)


def _counted(axes: int | Sequence[int], shape: Any) -> list[int]:
    counted = [axis_of(a, shape) for a in ([axes] if isinstance(axes, int) else axes)]
    if len(set(counted)) < len(counted):
        raise ShapeError(f"An axis is named twice in {axes}, of shape {tuple(shape)}.")
    return counted
