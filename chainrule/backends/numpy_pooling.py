"""Pooling, unfolding and padding in NumPy: written in place, window by window of the kernel."""

from __future__ import annotations

from itertools import product
from math import inf
from typing import Any

import numpy as np

from chainrule.backends.numpy_convolution import Frame, out_size


def pad(x: Any, *, widths: Any, value: float = 0.0, out: Any = None) -> Any:
    """One number around x; NumPy's own `pad` takes twenty times as long on a small array."""
    plain = x.ndim - len(widths)
    last = list(zip(x.shape[plain:], widths, strict=True))
    if out is None:
        out = np.empty((*x.shape[:plain], *(n + a + b for n, (a, b) in last)), x.dtype)
    out[...] = value
    out[(..., *(slice(a, a + n) for n, (a, _) in last))] = x
    return out


def unfold(x: Any, *, out: Any = None, **settings: Any) -> Any:
    """Windows copied from a strided view."""
    frame = Frame(x.shape, out_size(x.shape[2:], **settings), dtype=x.dtype, rows=0, groups=1, **settings)
    if out is None:
        out = np.empty((*x.shape[:2], *frame.kernel, *frame.out), x.dtype)
    for block, count in frame.blocks():
        frame.inner[:count] = x[block]
        out[block] = _examples_first(frame.windows, frame)[:count]
    return out


def fold(y: Any, *, size: tuple[int, ...], out: Any = None, **settings: Any) -> Any:
    """Windows added up, one place of the kernel at a time."""
    axes = len(size)
    shape = (*y.shape[:2], *size)
    frame = Frame(shape, y.shape[2 + axes :], dtype=y.dtype, rows=0, groups=1, **settings)
    out = np.empty(shape, y.dtype) if out is None else out
    for block, count in frame.blocks():
        frame.flat.fill(0)
        windows = _examples_first(frame.windows, frame)
        for offset in frame.offsets():
            place = (slice(None), slice(None), *offset)
            windows[(slice(0, count), *place[1:])] += y[block][place]
        out[block] = frame.inner[:count]
    return out


def _examples_first(windows: Any, frame: Frame) -> Any:
    """(c, *kernel, n, *places) as (n, c, *kernel, *places), without the places that do not count."""
    return np.moveaxis(windows[..., : frame.out[-1]], 1 + len(frame.kernel), 0)


def max_pool_spread(y_bar: Any, x: Any, y: Any, *, windows: Any, out: Any = None) -> Any:
    """Cotangents added where their window has its largest entry, in equal shares."""
    reach = [w.reach for w in windows]
    around = pad(x, widths=reach, value=-inf) if any(map(any, reach)) else x
    keys = [_key(picks, around.shape) for picks in product(*(w.beyond for w in windows))]
    chosen = [around[key] == y for key in keys]
    count = np.zeros(y.shape, np.int32)
    for mask in chosen:
        count += mask
    share = np.divide(y_bar, np.maximum(count, 1), dtype=y_bar.dtype)
    whole = np.zeros(around.shape, y_bar.dtype)
    for key, mask in zip(keys, chosen, strict=True):
        _add(whole, key, mask * share)
    inner = whole[(..., *(slice(a, a + n) for (a, _), n in zip(reach, x.shape[2:], strict=True)))]
    if out is None:
        return inner
    out[...] = inner
    return out


def _key(picks: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """What a place of the kernel takes: slices where all are slices, else index arrays on every axis."""
    if all(isinstance(pick, slice) for pick in picks):
        return (slice(None), slice(None), *picks)
    rows = [np.arange(n)[pick] for pick, n in zip(picks, shape[2:], strict=True)]
    return (slice(None), slice(None), *np.ix_(*rows))


def _add(whole: Any, key: Any, values: Any) -> None:
    if isinstance(key[-1], slice):
        whole[key] += values
    else:
        np.add.at(whole, key, values)  # windows of different results may share an entry
