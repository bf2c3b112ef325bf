"""What the rules of kernels ask of arrays: their dtype, and how they lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

SINGLE = np.dtype(np.float32)
Array = np.ndarray
LINE = 16
"""Entries of a cache line."""


def by_rows(*arrays: Array) -> bool:
    """Whether arrays are of float32, not empty, and lie row by row."""
    return all(a.dtype == SINGLE and a.flags.c_contiguous and a.size for a in arrays)


def is_nothing(x: Any) -> bool:
    """Whether an array is one 0 repeated, so that adding it can be left out."""
    return isinstance(x, np.ndarray) and x.size > 1 and not any(x.strides) and not x.flat[0]


def unless_nothing(x: Array) -> Any:
    """An array, or no address where it is nothing."""
    return 0 if is_nothing(x) else x
