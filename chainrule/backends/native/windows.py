"""Rules for windows on images: as columns, their largest entries, means along an axis, a border; see `kernels.py`.

Tables of windows are those of `chainrule.ops.windows`. One spatial axis is two, of which the first has one place.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends.native.arrays import SINGLE, Array, by_rows
from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.convolutions import sizes


def unfold(x: Array, y: Array, *, kernel: Any, **settings: Any) -> NativeCall | None:
    """Windows as columns."""
    return _columns("unfold", x, y, kernel, **settings)


def fold(y: Array, x: Array, *, size: Any, kernel: Any, **settings: Any) -> NativeCall | None:
    """Columns added back."""
    return _columns("fold", x, y, kernel, **settings)


def _columns(name: str, x: Array, y: Array, kernel: Any, **settings: Any) -> NativeCall | None:
    axes = len(kernel)
    if not by_rows(x, y) or y.ndim != 2 + 2 * axes or y.shape[1 : 2 + axes] != (*x.shape[1:2], *kernel):
        return None
    places = y.reshape(len(y), y.shape[1] * prod(kernel), *y.shape[2 + axes :])
    s = sizes(x, kernel, places, groups=1, **settings)
    return None if s is None else NativeCall(name, *s, 0, 0, 0, x, 0, places, 0)


def max_pool(x: Array, y: Array, *, windows: Any) -> NativeCall | None:
    """The largest entry of every window."""
    return _pooled("max_pool", x, y, windows, x, y)


def max_pool_spread(y_bar: Array, x: Array, y: Array, x_bar: Array, *, windows: Any) -> NativeCall | None:
    """Its derivative."""
    fits = x_bar.shape == x.shape and y_bar.shape == y.shape
    return _pooled("max_pool_spread", x, y, windows, y_bar, x, y, x_bar) if fits else None


def _pooled(name: str, x: Array, y: Array, windows: Any, *arrays: Array) -> NativeCall | None:
    shapes = [(*x.shape[:2], *(at(w) for w in windows)) for at in (lambda w: w.size, len)]
    if len(windows) not in (1, 2) or not by_rows(*arrays) or [x.shape, y.shape] != shapes:
        return None
    tables = [np.ascontiguousarray(w.index, np.int64) for w in windows]
    if len(tables) < 2:
        tables.insert(0, np.zeros((1, 1), np.int64))
    (h, w), (ph, pw) = ((1, *a.shape[2:])[-2:] for a in (x, y))
    kernel = (t.shape[1] for t in tables)
    return NativeCall(name, prod(x.shape[:2]), h, w, ph, pw, *kernel, _are_halves(windows), *tables, *arrays)


def _are_halves(windows: Any) -> bool:
    """Whether windows are 2 x 2, one beside the other."""
    pairs = [np.arange(w.size // 2 * 2).reshape(-1, 2) for w in windows]
    return len(windows) == 2 and all(np.array_equal(w.index, p) for w, p in zip(windows, pairs, strict=True))


def resample(x: Array, y: Array, *, axis: int, windows: Any) -> NativeCall | None:
    """Weighted means along an axis."""
    place = x.ndim + axis
    if not by_rows(x, y) or y.shape != (*x.shape[:place], len(windows), *x.shape[place + 1 :]):
        return None
    index = np.ascontiguousarray(np.clip(windows.index, 0, x.shape[axis] - 1), np.int64)
    sizes = (prod(x.shape[:place]), x.shape[axis], prod(x.shape[place + 1 :]), *index.shape)
    return NativeCall("resample", *sizes, index, np.ascontiguousarray(windows.weight, SINGLE), x, y)


def pad(x: Array, y: Array, *, widths: Any, value: float = 0.0) -> NativeCall | None:
    """One number around images."""
    (top, _), (left, _) = ((0, 0), (0, 0), *widths)[-2:]
    if not by_rows(x, y) or x.ndim != y.ndim or any(map(any, widths[:-2])):
        return None
    (h, w), (ph, pw) = ((1, *a.shape)[-2:] for a in (x, y))
    return NativeCall("pad", x.size // (h * w), h, w, ph, pw, top, left, float(value), x, y)


RULES = {
    "fold": fold,
    "max_pool": max_pool,
    "max_pool_spread": max_pool_spread,
    "pad": pad,
    "resample": resample,
    "unfold": unfold,
}
