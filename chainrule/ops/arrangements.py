"""Parts, rows and pixels in other places: joining, cutting, turning, and exchanging channels with space."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.shapes import concatenate, reshape


def ravel(x: Any) -> Any:
    """All entries in one axis, row by row."""
    return reshape(x, (prod(operand(x).shape),))


@with_dim
def unflatten(x: Any, axis: int, sizes: Sequence[int]) -> Any:
    """One axis as several of these sizes (one may be −1): the inverse of `flatten`."""
    x = operand(x)
    axis = axis_of(axis, x.shape)
    return reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


def hstack(xs: Sequence[Any]) -> Any:
    """Side by side: joined along axis 1, vectors along axis 0."""
    parts = [operand(x) for x in xs]
    parts = [reshape(x, (1,)) if len(x.shape) == 0 else x for x in parts]
    return concatenate(parts, 0 if len(parts[0].shape) == 1 else 1)


def vstack(xs: Sequence[Any]) -> Any:
    """One below the other: joined along axis 0, vectors as rows."""
    parts = [operand(x) for x in xs]
    return concatenate([reshape(x, (1, prod(x.shape))) if len(x.shape) < 2 else x for x in parts])


@with_dim
def select(x: Any, axis: int, index: int) -> Any:
    """The slice at one place of an axis, without that axis."""
    x = operand(x)
    return words.index(x, (*[slice(None)] * axis_of(axis, x.shape), index))


@with_dim
def narrow(x: Any, axis: int, start: int, length: int) -> Any:
    """`length` entries of an axis from `start` on.

    Raises:
        ShapeError: the axis has not so many.
    """
    x = operand(x)
    axis = axis_of(axis, x.shape)
    n = x.shape[axis]
    first = start + n if start < 0 else start
    if length < 0 or not 0 <= first <= n - length:
        raise ShapeError(f"Axis {axis} of {tuple(x.shape)} has no {length} entries from {start} on.")
    return words.index(x, (*[slice(None)] * axis, slice(first, first + length)))


@with_dim
def index_select(x: Any, axis: int, index: Any) -> Any:
    """The slices at these places of an axis, in their order: `take` with PyTorch's order of arguments."""
    return words.take(x, index, axis)


def masked_select(x: Any, mask: Any) -> Any:
    """The entries where a mask holds, in one axis; x and mask are broadcast. Their number depends on the mask."""
    x, mask = operand(x), operand(mask)
    shape = np.broadcast_shapes(tuple(x.shape), tuple(mask.shape))
    return words.index(words.broadcast_to(x, shape=shape), words.broadcast_to(mask, shape=shape))


@with_dim
def tensor_split(x: Any, parts: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts along an axis: as many as asked for, sizes differing by one at most; or cut before these places.

    Raises:
        ShapeError: less than one part is asked for.

    >>> [len(part) for part in tensor_split(np.arange(7), 3)]
    [3, 2, 2]
    """
    x = operand(x)
    n = x.shape[axis_of(axis, x.shape)]
    if isinstance(parts, int):
        if parts < 1:
            raise ShapeError(f"There is no cutting into {parts} parts.")
        return words.split(x, [n // parts + (k < n % parts) for k in range(parts)], axis)
    lead = (slice(None),) * axis_of(axis, x.shape)
    starts, ends = [0, *parts], [*parts, n]
    return [words.index(x, (*lead, slice(a, b))) for a, b in zip(starts, ends, strict=True)]


def fliplr(x: Any) -> Any:
    """Left and right exchanged: axis 1 in reverse order."""
    return words.flip(x, 1)


def flipud(x: Any) -> Any:
    """Up and down exchanged: axis 0 in reverse order."""
    return words.flip(x, 0)


def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turned by k quarters of a circle in the plane of two axes, from the first towards the second.

    >>> rot90(np.array([[1, 2], [3, 4]]))
    array([[2, 4],
           [1, 3]])
    """
    k, (a, b) = k % 4, axes
    if k == 2:
        return words.flip(x, (a, b))
    turned = words.swapaxes(words.flip(x, b) if k == 1 else x, a, b) if k else operand(x)
    return words.flip(turned, b) if k == 3 else turned


def pixel_shuffle(x: Any, factor: int) -> Any:
    """Channels as finer pixels: (…, c r², h, w) → (…, c, h r, w r) for the factor r. Shi et al. (2016), eq. 4.

    Raises:
        ShapeError: the channels are no multiple of r².
    """
    x = operand(x)
    *lead, channels, height, width = x.shape
    if channels % factor**2:
        raise ShapeError(
            f"pixel_shuffle by {factor} takes a multiple of {factor**2} channels, got {channels}.",
            input=tuple(x.shape),
        )
    x = reshape(x, (*lead, channels // factor**2, factor, factor, height, width))  # (…, c, r, r, h, w)
    n = len(lead)
    x = words.reordered(x, [*range(n + 1), n + 3, n + 1, n + 4, n + 2])  # (…, c, h, r, w, r)
    return reshape(x, (*lead, channels // factor**2, height * factor, width * factor))


def pixel_unshuffle(x: Any, factor: int) -> Any:
    """Pixels as channels: (…, c, h r, w r) → (…, c r², h, w), the inverse of `pixel_shuffle`.

    Raises:
        ShapeError: height or width is no multiple of the factor.
    """
    x = operand(x)
    *lead, channels, height, width = x.shape
    if height % factor or width % factor:
        raise ShapeError(
            f"pixel_unshuffle by {factor} takes multiples of it as height and width, got {height} and {width}.",
            input=tuple(x.shape),
        )
    x = reshape(x, (*lead, channels, height // factor, factor, width // factor, factor))  # (…, c, h, r, w, r)
    n = len(lead)
    x = words.reordered(x, [*range(n + 1), n + 2, n + 4, n + 1, n + 3])  # (…, c, r, r, h, w)
    return reshape(x, (*lead, channels * factor**2, height // factor, width // factor))


def channel_shuffle(x: Any, groups: int) -> Any:
    """Channels dealt out anew, so that grouped convolutions see those of all groups. (n, c, …). Zhang et al. (2018).

    Raises:
        ShapeError: the channels do not divide into so many groups.
    """
    x = operand(x)
    n, channels, *size = x.shape
    if channels % groups:
        raise ShapeError(f"{channels} channels do not divide into {groups} groups.", input=tuple(x.shape))
    apart = reshape(x, (n, groups, channels // groups, *size))
    return reshape(words.swapaxes(apart, 1, 2), (n, channels, *size))
