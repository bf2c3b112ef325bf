"""Weighted means along axes: what average pooling and upsampling are, one axis after the other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.backends import into, xp
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand
from chainrule.ops.windows import Windows, each_axis, like


@linear
def resample(x: Any, *, axis: int, windows: Windows, out: Any = None) -> Any:
    """y[r] = Σ weight[r, j] x[index[r, j]] along an axis (counted from the end): a product with a sparse matrix."""
    before, y = (slice(None),) * (x.ndim + axis), None
    weights = [like(column.reshape(-1, *[1] * (-axis - 1)), x) for column in windows.weight.T]
    for pick, weight in zip(windows.within, weights, strict=True):
        term = x[(*before, pick)] * weight
        y = term if y is None else xp(x).add(y, term, out=y)
    if y is None:
        y = xp(x).zeros((*x.shape[:axis], len(windows), *x.shape[x.ndim + axis + 1 :]), dtype=x.dtype)
    return into(out, y)


def _resampled(x: Any, *, axis: int, windows: Windows) -> tuple[int, ...]:
    if x.shape[axis] != windows.size:
        raise ShapeError(f"{windows} do not fit the axis {axis} of {x.shape}.")
    place = x.ndim + axis
    return (*x.shape[:place], len(windows), *x.shape[place + 1 :])


resample.adjoint(lambda y_bar, x, *, axis, windows: resample(y_bar, axis=axis, windows=windows.transposed))
resample.shape(_resampled)
leading(resample)
resample.cost(lambda y, x, *, axis, windows: 2 * y.size * windows.index.shape[1])
resample.formula(r"y_r = \sum_j a_{rj}\, x_j", r"\bar x_j = \sum_r a_{rj}\, \bar y_r")


def resample_all(x: Any, tables: list[Windows]) -> Any:
    """Every spatial axis resampled in turn; a table for each."""
    for axis, windows in enumerate(tables, -len(tables)):
        x = resample(x, axis=axis, windows=windows)
    return x


@words.define
def upsample(
    x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Larger (or smaller) images, as PyTorch's interpolate. Shapes: x (n, c, *size), result (n, c, *new size).

    `mode`: "nearest" repeats entries; "linear" (1 axis), "bilinear" (2), "trilinear" (3) take weighted means of
    two neighbours along each axis. Entries are cells: the new entry r has its centre at (r + ½)/scale − ½. With
    `align_corners` they are points, the first and last of which stay where they are: r (n − 1)/(new − 1).

    Raises:
        OptionError: no such mode, not exactly one of size and scale_factor, or align_corners with "nearest".
        ShapeError: the mode is for another number of axes.
    """
    x = operand(x)
    axes = len(x.shape) - 2
    _check(tuple(x.shape), axes, size, scale_factor, mode, align_corners)
    if size is not None:
        new = each_axis(size, axes, "size")
        scales: tuple[float | None, ...] = (None,) * axes
    else:
        factors = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * axes
        scales = tuple(float(f) for f in factors)
        new = tuple(int(n * f) for n, f in zip(x.shape[2:], scales, strict=True))
    along = zip(x.shape[2:], new, scales, strict=True)
    return resample_all(x, [interpolation(n, m, s, mode == "nearest", bool(align_corners)) for n, m, s in along])


LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}


def _check(shape: Any, axes: int, size: Any, scale: Any, mode: str, align_corners: bool | None) -> None:
    if mode != "nearest" and mode not in LINEAR:
        raise OptionError(f"There is no mode {mode!r}.", known=", ".join(["nearest", *LINEAR]))
    if axes < 1 or LINEAR.get(mode, axes) != axes:
        fitting = next((name for name, d in LINEAR.items() if d == axes), "nearest")
        raise ShapeError(
            f'Upsampling by "{mode}" takes (n, c, *size) with {LINEAR.get(mode, "1 or more")} sizes, got {shape}.',
            fix=f'mode="{fitting}"' if axes > 0 else "x[None] adds the axis of the batch",
        )
    if (size is None) == (scale is None):
        raise OptionError("Upsampling takes either a size or a scale_factor.", fix="scale_factor=2")
    if align_corners is not None and mode == "nearest":
        raise OptionError('align_corners has no meaning with mode="nearest".', fix='mode="bilinear"')


@lru_cache(maxsize=1024)
def interpolation(n: int, m: int, scale: float | None, nearest: bool, align_corners: bool) -> Windows:
    """The table that leads from n entries to m."""
    step = 1 / scale if scale else n / m
    results = np.arange(m)
    if nearest:
        index = np.minimum(np.floor(results * step).astype(int), n - 1)[:, None]
        return Windows(n, index, np.ones(index.shape))
    place = results * ((n - 1) / (m - 1) if m > 1 else 0.0) if align_corners else (results + 0.5) * step - 0.5
    place = np.maximum(place, 0.0)
    left = np.minimum(np.floor(place).astype(int), n - 1)
    share = place - left
    right = np.minimum(left + 1, n - 1)
    return Windows(n, np.stack([left, right], 1), np.stack([1 - share, share], 1))
