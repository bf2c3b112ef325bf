"""Convolution in NumPy: windows copied into a matrix that stays in the cache, then one product a group (im2col).

Blocks of examples are worked on in turn, so that the matrix of windows (kernel times as large as the input) is
never held whole. Settings are tuples with an entry for each spatial axis; see `chainrule.ops.convolution`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

BLOCK_BYTES = 2 << 20
"""What the windows of a block and their results may take: about a second-level cache."""
WIDEST = 4 / 3
"""Rows are computed whole, the few windows that run over their end included, while it costs less than this."""


class Frame:
    """One block of padded inputs in memory of its own, and its windows.

    With stride 1, windows are taken at every place of the last axis, also where they run over into the next row:
    rows then lie one behind the other in memory, and copying them is fast. What comes of the extra places is
    cut off (`width` is the places a row, `out[-1]` those that count).
    """

    def __init__(
        self,
        x: tuple[int, ...],
        out: tuple[int, ...],
        kernel: tuple[int, ...],
        dtype: Any,
        rows: int,
        *,
        stride: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> None:
        self.n, self.channels, *size = x
        self.out, self.kernel, self.groups = out, kernel, groups
        padded = [s + low + high for s, (low, high) in zip(size, padding, strict=True)]
        whole = len(out) > 1 and set(stride) == {1} and padded[-1] <= WIDEST * out[-1]
        self.width = padded[-1] if whole else out[-1]  # pyright: ignore[reportGeneralTypeIssues]
        self.places = (*out[:-1], self.width)
        each = (self.channels * prod(kernel) + rows) * prod(self.places) * np.dtype(dtype).itemsize
        self.block = max(1, min(self.n, BLOCK_BYTES // max(1, each)))
        slack = dilation[-1] * (kernel[-1] - 1)
        self.flat = np.zeros(self.block * self.channels * prod(padded) + slack, dtype)
        self.padded = self.flat[: self.flat.size - slack].reshape(self.block, self.channels, *padded)
        self.inner = self.padded[(..., *(slice(low, low + s) for s, (low, _) in zip(size, padding, strict=True)))]
        self.windows = self._windows(stride, dilation)

    def _windows(self, stride: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
        example, channel, *axes = self.padded.strides
        offsets = [a * d for a, d in zip(axes, dilation, strict=True)]
        steps = [a * s for a, s in zip(axes, stride, strict=True)]
        shape = (self.channels, *self.kernel, self.block, *self.places)
        return as_strided(self.flat, shape, (channel, *offsets, example, *steps))  # (c, *kernel, n, *places)

    def blocks(self) -> Iterator[tuple[slice, int]]:
        """The examples, a block at a time."""
        for start in range(0, self.n, self.block):
            count = min(self.block, self.n - start)
            yield slice(start, start + count), count

    def columns(self) -> Any:
        """Memory for the windows as a matrix a group: (groups, c/groups · kernel, n · places)."""
        return np.empty((self.groups, self._inputs(), self.block * prod(self.places)), self.flat.dtype)

    def rows(self, channels: int) -> Any:
        """Memory for results, 0 at the places that do not count: (groups, channels/groups, n · places)."""
        return np.zeros((self.groups, channels // self.groups, self.block * prod(self.places)), self.flat.dtype)

    def counted(self, rows: Any) -> Any:
        """The results that count, as (n, channels, *out)."""
        whole = rows.reshape(-1, self.block, *self.places)[..., : self.out[-1]]
        return whole.transpose(1, 0, *range(2, whole.ndim))

    def offsets(self) -> Iterator[tuple[int, ...]]:
        """The places of the kernel."""
        return product(*map(range, self.kernel))

    def weights(self, w: Any) -> Any:
        """Weights (c_out, c_in/groups, *kernel) as a matrix a group."""
        return np.ascontiguousarray(w.reshape(self.groups, w.shape[0] // self.groups, self._inputs()))

    def _inputs(self) -> int:
        return self.channels // self.groups * prod(self.kernel)


def conv(x: Any, w: Any, *, out: Any = None, **settings: Any) -> Any:
    """Cross-correlation: windows as columns, times the weights."""
    size = out_size(x.shape[2:], w.shape[2:], **settings)
    y = np.empty((len(x), len(w), *size), x.dtype) if out is None else out
    frame = Frame(x.shape, size, w.shape[2:], x.dtype, len(w), **settings)
    weights, columns, rows = frame.weights(w), frame.columns(), frame.rows(len(w))
    windows, counted = columns.reshape(frame.windows.shape), frame.counted(rows)
    for block, count in frame.blocks():
        frame.inner[:count] = x[block]
        windows[...] = frame.windows
        np.matmul(weights, columns, out=rows)
        y[block] = counted[:count]
    return y


def conv_transpose(y: Any, w: Any, *, size: tuple[int, ...], out: Any = None, **settings: Any) -> Any:
    """Transposed: results spread over the windows they came from, by the weights."""
    shape = (len(y), w.shape[1] * settings["groups"], *size)
    x = np.empty(shape, y.dtype) if out is None else out
    frame = Frame(shape, y.shape[2:], w.shape[2:], y.dtype, len(w), **settings)
    weights, columns, rows = frame.weights(w).transpose(0, 2, 1), frame.columns(), frame.rows(len(w))
    windows, counted = columns.reshape(frame.windows.shape), frame.counted(rows)
    for block, count in frame.blocks():
        counted[:count] = y[block]
        _product(weights, rows, columns)
        frame.flat.fill(0)
        for offset in frame.offsets():
            frame.windows[(slice(None), *offset)] += windows[(slice(None), *offset)]
        x[block] = frame.inner[:count]
    return x


def conv_weight(x: Any, y: Any, *, kernel: tuple[int, ...], out: Any = None, **settings: Any) -> Any:
    """The gradient of the weights: results times the windows they came from, summed over places and examples."""
    frame = Frame(x.shape, y.shape[2:], kernel, x.dtype, y.shape[1], **settings)
    shape = (y.shape[1], x.shape[1] // frame.groups, *kernel)
    columns, rows = frame.columns(), frame.rows(y.shape[1])
    windows, counted = columns.reshape(frame.windows.shape), frame.counted(rows)
    total = np.zeros((frame.groups, columns.shape[1], rows.shape[1]), x.dtype)
    for block, count in frame.blocks():
        frame.inner[:count], counted[:count] = x[block], y[block]
        counted[count:] = 0
        windows[...] = frame.windows
        total += np.matmul(columns, rows.transpose(0, 2, 1))
    total = total.transpose(0, 2, 1).reshape(shape)
    if out is None:
        return total
    out[...] = total
    return out


def _product(weights: Any, rows: Any, columns: Any) -> None:
    """Weights times results; with one result a group (depthwise) an outer product, which matmul is slow at."""
    (np.multiply if rows.shape[1] == 1 else np.matmul)(weights, rows, out=columns)


def out_size(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, **_: Any) -> tuple[int, ...]:
    """The places of windows along every axis."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + low + high - d * (k - 1) - 1) // step + 1 for n, k, step, (low, high), d in axes)
