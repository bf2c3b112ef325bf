"""How a kernel slides over an image: what each place sees of it, and the matrices that a convolution is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from chainrule.ops.convolution import padding_pairs
from chainrule.ops.windows import Pairs, Sizes

MODES: dict[str, Any] = {"circular": "wrap", "reflect": "reflect", "replicate": "edge"}
"""What NumPy calls the ways to go on beyond an edge."""

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


@dataclass(frozen=True, eq=False)
class Sliding:
    """A kernel of some size sliding over an image (size) with results at so many places.

    `padding` has a pair, before and after, for each axis; `mode` says what stands there.
    """

    size: Sizes
    kernel: Sizes
    places: Sizes
    stride: Sizes
    padding: Pairs
    dilation: Sizes
    groups: int
    mode: str = "zeros"

    @cached_property
    def seen(self) -> np.ndarray:
        """Which entry of the image, counted through, stands at each tap of each place; −1 for an added zero.

        Shape (places, taps), the last axis of the image running fastest.
        """
        entries = np.arange(prod(self.size)).reshape(self.size)
        if self.mode == "zeros":
            padded = np.pad(entries, self.padding, constant_values=-1)
        else:
            padded = np.pad(entries, self.padding, mode=MODES[self.mode])
        settings = zip(self.places, self.kernel, self.stride, self.dilation, strict=True)
        tables = [np.arange(p)[:, None] * s + np.arange(k) * d for p, k, s, d in settings]
        return padded[_beside(tables)].reshape(prod(self.places), prod(self.kernel))

    def columns(self, image: np.ndarray) -> np.ndarray:
        """The windows of an image (c, *size) as columns (im2col): (c · taps, places)."""
        rows = image.reshape(len(image), -1)
        with_zero = np.concatenate([rows, np.zeros((len(rows), 1))], 1)
        return with_zero[:, self.seen].transpose(0, 2, 1).reshape(-1, len(self.seen))

    def spread(self, columns: np.ndarray) -> np.ndarray:
        """Columns (c · taps, places) added up where they came from (col2im): (c, *size)."""
        taps = self.seen.shape[1]
        parts = columns.reshape(-1, taps, len(self.seen))
        image = np.zeros((len(parts), prod(self.size) + 1))
        for c, part in enumerate(parts):
            np.add.at(image[c], self.seen.T, part)
        return image[:, :-1].reshape(-1, *self.size)

    def reaching(self, entry: int) -> tuple[np.ndarray, np.ndarray]:
        """The places, and the taps there, that see an entry of the image."""
        place, tap = np.nonzero(self.seen == entry)
        return place, tap

    def window(self, image: np.ndarray, place: int) -> np.ndarray:
        """What one place sees of an image (c, *size): (c, *kernel)."""
        return self.columns(image)[:, place].reshape(len(image), *self.kernel)

    def matrix(self, weight: np.ndarray) -> np.ndarray:
        """The matrix from images to results, each as one vector: (c_out · places, c_in · size)."""
        out, each = weight.shape[:2]
        taps = weight.reshape(out, each, -1)
        table = np.zeros((out, len(self.seen), each * self.groups, prod(self.size) + 1))
        for o in range(out):
            first = o // (out // self.groups) * each
            for p, entries in enumerate(self.seen):
                for c in range(each):
                    np.add.at(table[o, p, first + c], entries, taps[o, c])
        return table[..., :-1].reshape(out * len(self.seen), -1)

    def matrix_shape(self, weight: np.ndarray) -> tuple[int, int]:
        """The shape of that matrix."""
        return weight.shape[0] * prod(self.places), weight.shape[1] * self.groups * prod(self.size)

    def flat_place(self, place: tuple[int, ...]) -> int:
        """A place counted through."""
        return int(np.ravel_multi_index(place, self.places))

    def flat_entry(self, entry: tuple[int, ...]) -> int:
        """An entry of the image counted through."""
        return int(np.ravel_multi_index(entry, self.size))

    @property
    def how_many(self) -> tuple[str, ...]:
        """How the number of places along each axis comes about."""
        axes: dict[str, list[str]] = {}
        along = (self.size, self.kernel, self.stride, self.padding, self.dilation, self.places)
        for name, *settings in zip(AXES[len(self.size)], *along, strict=True):
            axes.setdefault(_count(*settings), []).append(name)
        return tuple(f"{' and '.join(names)}: {count}" for count, names in axes.items())


def _count(n: int, k: int, s: int, padding: tuple[int, int], d: int, p: int) -> str:
    """(n + 2 padding − d (k − 1) − 1)/s + 1 with numbers."""
    ends = sum(padding)
    padded = f"{n} + {padding[0]} + {padding[1]}" if ends else f"{n}"
    reach = rf"{d} \cdot ({k} - 1) - 1" if d > 1 else f"{k}"
    count = rf"({padded} - {reach})/{s} + 1" if s > 1 else rf"{padded} - {reach} + 1"
    rounded = ", the fraction rounded down" if (n + ends - d * (k - 1) - 1) % s else ""
    return f"${count} = {p}${rounded}"


def _beside(tables: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Tables (places, taps) of each axis as indices that broadcast to (*places, *taps)."""
    axes = range(len(tables))
    return tuple(
        table.reshape([table.shape[0] if j == i else 1 for j in axes] + [table.shape[1] if j == i else 1 for j in axes])
        for i, table in enumerate(tables)
    )


def combined(tables: list[np.ndarray], size: Sizes) -> np.ndarray:
    """Tables (places, taps) of each axis, −1 outside, as one of entries counted through: (places, taps)."""
    index = np.broadcast_arrays(*_beside(tables))
    outside = np.any([axis < 0 for axis in index], axis=0)
    entries = np.ravel_multi_index([np.maximum(axis, 0) for axis in index], size)
    return np.where(outside, -1, entries).reshape(prod(len(t) for t in tables), -1)


def of_layer(layer: Any, image: Sizes, places: Sizes, transposed: bool) -> Sliding:
    """How the kernel of a convolution layer slides, or of the convolution that it is the transpose of."""
    kernel, stride, dilation = layer.kernel_size, layer.stride, layer.dilation
    if transposed:
        padding, mode = tuple((p, p) for p in layer.padding), "zeros"
    else:
        padding, mode = padding_pairs(layer.padding, kernel, stride, dilation), layer.padding_mode
    return Sliding(image, kernel, places, stride, padding, dilation, layer.groups, mode)
