"""Windows along an axis: which entries each result looks at, and with what weight.

Convolution, pooling, unfolding and resampling are made of the same windows, one family for each spatial axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from chainrule.backends import backend_of, xp
from chainrule.base.errors import OptionError

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


class Windows:
    """A table of entries (results, entries a result) into an axis of `size`, with weights of the same shape.

    An entry outside of the axis stands for padding; its weight is 0. As a matrix: y = A x with A[r, index] the
    weight; `transposed` is the table of Aᵀ.
    """

    def __init__(self, size: int, index: np.ndarray, weight: np.ndarray) -> None:
        self.size, self.index, self.weight = size, index, weight

    def __repr__(self) -> str:
        return f"Windows({self.size} → {len(self.index)}, {self.index.shape[1]} entries)"

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def reach(self) -> tuple[int, int]:
        """How far the windows go beyond the axis, on the left and on the right."""
        first, last = (int(self.index.min()), int(self.index.max())) if self.index.size else (0, 0)
        return max(0, -first), max(0, last - self.size + 1)

    @cached_property
    def beyond(self) -> list[Any]:
        """For each place in a window, what all results take from the axis padded by `reach`."""
        return [slice_or_array(column + self.reach[0]) for column in self.index.T]

    @cached_property
    def within(self) -> list[Any]:
        """For each place in a window, what all results take from the axis; of those outside, any entry."""
        return [slice_or_array(column) for column in np.clip(self.index, 0, max(0, self.size - 1)).T]

    @cached_property
    def transposed(self) -> Windows:
        """For each entry of the axis, the results that look at it."""
        result, place = np.nonzero(self.weight)
        entry = self.index[result, place]
        order = np.argsort(entry, kind="stable")
        result, place, entry = result[order], place[order], entry[order]
        counts = np.bincount(entry, minlength=self.size)
        slot = np.arange(len(entry)) - (np.cumsum(counts) - counts)[entry]
        index = np.zeros((self.size, counts.max(initial=0)), np.int64)
        weight = np.zeros(index.shape)
        index[entry, slot], weight[entry, slot] = result, self.weight[result, place]
        return Windows(len(self), index, weight)

    def one_hot(self, dtype: Any) -> np.ndarray:
        """1 where a result's entry is an entry of the axis: (size, entries a result, results)."""
        entry = np.arange(self.size).reshape(-1, 1, 1)
        return (entry == self.index.T).astype(dtype)


def slice_or_array(index: np.ndarray) -> Any:
    """An index as a slice, which is a view, where its entries are at equal distance."""
    if len(index) < 2:
        return slice(int(index[0]), int(index[0]) + 1) if len(index) else slice(0, 0)
    steps = np.diff(index)
    if steps[0] < 1 or (steps != steps[0]).any():
        return index
    return slice(int(index[0]), int(index[-1]) + 1, int(steps[0]))


def places(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """The number of windows along an axis: ⌊(size + padding − dilation (kernel − 1) − 1)/stride⌋ + 1."""
    return (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1


@lru_cache(maxsize=4096)
def regular(
    size: int, kernel: int, stride: int = 1, padding: tuple[int, int] = (0, 0), dilation: int = 1, results: int = -1
) -> Windows:
    """Windows of `kernel` entries at equal distances, `results` of them or as many as fit; weight 1."""
    count = results if results >= 0 else places(size, kernel, stride, padding, dilation)
    index = np.arange(count)[:, None] * stride + np.arange(kernel) * dilation - padding[0]
    return Windows(size, index, ((index >= 0) & (index < size)).astype(float))


def over_axes(size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> list[Windows]:
    """Regular windows of every spatial axis."""
    return [regular(*axis) for axis in zip(size, kernel, stride, padding, dilation, strict=True)]


@lru_cache(maxsize=4096)
def adaptive(size: int, results: int) -> Windows:
    """Windows that share an axis out evenly, from ⌊r size/results⌋ to ⌈(r + 1) size/results⌉; weight 1."""
    starts = np.arange(results) * size // results
    ends = -(-(np.arange(results) + 1) * size // results)
    index = starts[:, None] + np.arange((ends - starts).max(initial=1))
    inside = index < ends[:, None]
    return Windows(size, np.where(inside, index, size), inside.astype(float))


def parts(x: Any, picks: Sequence[Sequence[Any]], axis: int = 2) -> Iterator[Any]:
    """What all windows take from x for each place in a window, the last axis running fastest."""
    if not picks:
        yield x
        return
    before = (slice(None),) * axis
    for pick in picks[0]:
        yield from parts(x[(*before, pick)], picks[1:], axis + 1)


SPATIAL, KERNEL, RESULTS = "stu", "ijk", "pqr"


def contract(terms: str, *operands: Any, windows: Sequence[Windows]) -> Any:
    """A sum of products over windows, the definition of all that is made of them.

    `terms` are subscripts as of einsum, with S for the axes of the input, K for those of the kernel, P for the
    places: "ncS,ocK->noP" is a convolution. In every axis, an entry s, a place in the kernel k and a place p go
    together where window p has s at k.
    """
    axes = len(windows)
    for letter, names in (("S", SPATIAL), ("K", KERNEL), ("P", RESULTS)):
        terms = terms.replace(letter, names[:axes])
    given, _, wanted = terms.partition("->")
    together = ["".join(names) for names in zip(SPATIAL, KERNEL, RESULTS, strict=True)][:axes]
    tables = [like(w.one_hot(np.float32), operands[0]) for w in windows]
    return xp(operands[0]).einsum(f"{','.join([given, *together])}->{wanted}", *operands, *tables, optimize=True)


def like(table: np.ndarray, x: Any) -> Any:
    """A table in the dtype of an array, in its library and on its device."""
    backend = backend_of(x)
    return backend.asarray(table, x.dtype, backend.device_of(x))


def each_axis(value: Any, axes: int, name: str, least: int = 1) -> Sizes:
    """A setting for every spatial axis: one number for all, or one each.

    Raises:
        OptionError: it is neither, or a number is too small.
    """
    values = tuple(value) if isinstance(value, Iterable) else (value,) * axes
    if len(values) != axes or not all(isinstance(v, (int, np.integer)) and v >= least for v in values):
        many = f" or {axes} of them" if axes > 1 else ""
        raise OptionError(f"{name} is a whole number of {least} or more{many}, got {value!r}.")
    return tuple(map(int, values))
