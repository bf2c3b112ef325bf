"""Sums and means that leave out what is not a number, and numbers in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of
from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand, with_dim
from chainrule.ops.reductions import Axis, sum


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers for NaN, ∞ and −∞: by default 0 and the largest and smallest of its dtype.

    Entries that were replaced have the derivative 0.
    """
    x = operand(x)
    if kind_of(x) != "f":
        return x
    ends = np.finfo(dtype_of(x))
    x = words.where(words.isnan(x), nan, x)
    x = words.where(x == np.inf, float(ends.max) if posinf is None else posinf, x)
    return words.where(x == -np.inf, float(ends.min) if neginf is None else neginf, x)


@with_dim
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x over `axis` (all axes for None) without the entries that are NaN."""
    return sum(_without(x), axis, keepdims)


@with_dim
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis` (all axes for None) of the entries that are not NaN; NaN where there is none.

    >>> nanmean([1.0, float("nan"), 3.0])
    array(2., dtype=float32)
    """
    x = operand(x)
    count = sum(words.logical_not(words.isnan(x)), axis, keepdims)
    mean = words.divide(nansum(x, axis, keepdims), words.where(count == 0, 1, count))
    return words.where(count == 0, np.nan, mean)


def _without(x: Any) -> Any:
    x = operand(x)
    return words.where(words.isnan(x), 0, x)
