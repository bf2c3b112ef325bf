"""Where the numbers of a value lie: in memory of its own, or as a view of another's.

Reshape, permute, slices, broadcasting and unstacking move nothing where strides can say it: such an instruction is no
work at all in a plan. What strides cannot say (the reshape of a transposed matrix) stays an instruction that copies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from chainrule.plan.program import Call, Value

Strides = tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Entries of `root`, from `offset` on, at `strides`; all counted in entries."""

    root: Value
    offset: int
    strides: Strides

    def is_whole(self, value: Value) -> bool:
        """Whether a value at this place has all entries of the root, in their order."""
        return self.offset == 0 and value.size == self.root.size and is_contiguous(value.shape, self.strides)


def contiguous(shape: tuple[int, ...]) -> Strides:
    """Strides of entries that lie one behind the other in row-major order."""
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def is_contiguous(shape: tuple[int, ...], strides: Strides) -> bool:
    """Whether entries lie one behind the other; the stride of an axis of size 1 does not matter."""
    return all(n == 1 or s == c for n, s, c in zip(shape, strides, contiguous(shape), strict=True))


def own_place(value: Value) -> Place:
    """The place of a value that is no view: state and constants as their arrays lie, all others row by row."""
    array = array_of_home(value)
    return Place(value, 0, contiguous(value.shape) if array is None else strides_of(array))


def array_of_home(value: Value) -> Any:
    """The array of a constant or of a piece of state; None for what the step itself makes or is given."""
    if value.kind in ("parameter", "buffer"):
        return value.home.value
    return value.home.buffer if value.kind == "gradient" else value.home


def strides_of(array: Any) -> Strides:
    """The strides of an array of any library, in entries."""
    if not hasattr(array, "strides"):
        return tuple(array.stride()) if hasattr(array, "stride") else contiguous(tuple(array.shape))
    return tuple(s // array.itemsize for s in array.strides)


def views_of(call: Call, place: Place) -> list[Place] | None:
    """The places of a call's results as views of its first operand; None where it makes something new."""
    rule = VIEWS.get(call.name)
    if rule is None:
        return None
    found = rule(place, call.reads[0].shape, call.writes, **call.params)
    return None if found is None else [Place(place.root, offset, strides) for offset, strides in found]


Rule = Callable[..., "list[tuple[int, Strides]] | None"]


def _reshape(place: Place, old: Any, results: Any, **_: Any) -> Any:
    strides = reshaped(old, place.strides, results[0].shape)
    return None if strides is None else [(place.offset, strides)]


def _permute(place: Place, old: Any, results: Any, *, axes: tuple[int, ...]) -> Any:
    return [(place.offset, tuple(place.strides[a] for a in axes))]


def _broadcast_to(place: Place, old: Any, results: Any, **_: Any) -> Any:
    wide = results[0].shape
    new = len(wide) - len(old)
    kept = zip(old, wide[new:], place.strides, strict=True)
    return [(place.offset, (*[0] * new, *(0 if n == 1 != m else s for n, m, s in kept)))]


def _index(place: Place, old: Any, results: Any, *, key: Any) -> Any:
    """Asked of NumPy, on an array that has the strides but no memory: a basic index touches none."""
    bare = np.lib.stride_tricks.as_strided(np.empty(1, np.int8), old, place.strides)
    part = bare[key]
    offset = part.__array_interface__["data"][0] - bare.__array_interface__["data"][0]
    return [(place.offset + offset, part.strides)]


def _unstack(place: Place, old: Any, results: Any, *, axis: int) -> Any:
    strides = (*place.strides[:axis], *place.strides[axis + 1 :])
    return [(place.offset + i * place.strides[axis], strides) for i in range(len(results))]


def _same(place: Place, old: Any, results: Any) -> Any:
    return [(place.offset, place.strides)]


VIEWS: dict[str, Rule] = {
    "reshape": _reshape,
    "permute": _permute,
    "broadcast_to": _broadcast_to,
    "index": _index,
    "unstack": _unstack,
    "hold": _same,
}


def reshaped(shape: tuple[int, ...], strides: Strides, new: tuple[int, ...]) -> Strides | None:
    """The strides of the same entries under another shape; None where there are none.

    Axes are matched in groups of equal size, from the left; within a group the old axes must follow one another in
    memory.
    """
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    if 0 in shape:
        return contiguous(new)
    result: list[int] = []
    group: list[tuple[int, int]] = []
    waiting = iter(old)
    for n in new:
        if n == 1:
            result.append(0)
            continue
        if prod(m for m, _ in group) == 1:
            group = [next(waiting)]
        while prod(m for m, _ in group) % n or not _follow(group):
            more = next(waiting, None)
            if more is None or not _follow([*group, more]):
                return None
            group.append(more)
        rest = prod(m for m, _ in group) // n
        result.append(group[-1][1] * rest)
        group = [(rest, group[-1][1])]
    return tuple(result)


def _follow(group: list[tuple[int, int]]) -> bool:
    """Whether each axis steps over the whole of the next one."""
    return all(s == m * t for (_, s), (m, t) in pairwise(group))
