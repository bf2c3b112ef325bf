"""The dtype that data is kept in, and what is left of numbers in a narrower one.

Unix seconds, years of Julian days, map coordinates: large numbers that differ by little: float32 has steps of
128 around 1.7e9, so such columns stay in float64 until they are scaled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.base.errors import DataError
from chainrule.data.checks import not_finite, place

FLOAT32 = np.dtype(np.float32)
LEVELS = 256  # a column that keeps fewer steps than this from its lowest to its highest value is destroyed
NOISE = 1e-12  # of a value: columns that vary by less are constant, up to rounding in float64


def kept_dtype(dtype: np.dtype) -> np.dtype:
    """float32 where it holds all numbers of a dtype (float32, float16, small integers), else float64."""
    return FLOAT32 if np.can_cast(dtype, FLOAT32) else np.dtype(np.float64)


def narrow(what: str, values: np.ndarray, dtype: np.dtype, feature_names: Sequence[str] = ()) -> np.ndarray:
    """Numbers in a dtype, where it is narrower than their own.

    Raises:
        DataError: a number is too large for it.
    """
    if values.dtype.kind != "f" or np.can_cast(values.dtype, dtype):
        return values
    with np.errstate(over="ignore"):
        narrowed = values.astype(dtype)
    too_large = np.argwhere(np.isinf(narrowed) & np.isfinite(values))
    if len(too_large):
        first = too_large[0]
        where = place(first.tolist(), feature_names)
        raise not_finite(what, float(values[tuple(first)]), where, len(too_large))
    return narrowed


def check_resolution(what: str, before: np.ndarray, after: np.ndarray, feature_names: Sequence[str] = ()) -> None:
    """No column was destroyed by a narrower dtype: its steps are small against what the column varies by.

    Raises:
        DataError: one was.
    """
    if before.dtype == after.dtype:
        return
    wide, slim = before.reshape(len(before), -1), after.reshape(len(after), -1)
    low, high = wide.min(axis=0), wide.max(axis=0)
    size, span = np.maximum(abs(low), abs(high)), high - low
    step = np.spacing(size.astype(slim.dtype)).astype(np.float64)
    for k in np.flatnonzero((span < LEVELS * step) & (span > NOISE * size)):
        if (wide[:, k] != slim[:, k]).any():
            raise DataError(
                f"{called(what, int(k), wide.shape[1], feature_names)} changes by {span[k]:g} around {high[k]:g}, "
                f"{slim.dtype} has steps of {step[k]:g} there.",
                fix=f"scale it first: cr.data.Standardize().fit({what}).transform({what}), with {what} in float64",
            )


def called(what: str, column: int, columns: int, feature_names: Sequence[str]) -> str:
    """A column in words."""
    if feature_names:
        return f"Column {feature_names[column]!r}"
    return what if columns == 1 and what == "y" else f"Column {column} of {what}"
