"""Whether any entry holds, whether all do, and how many; whether two arrays are close. None has a derivative."""

from __future__ import annotations

from typing import Any

from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand, with_dim
from chainrule.ops.reductions import Axis, sum


@with_dim
def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many entries over `axis` (all axes for None) are not 0, as int64."""
    return sum(operand(x) != 0, axis, keepdims)


@with_dim
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether an entry over `axis` (all axes for None) is not 0; False where there is none."""
    return count_nonzero(x, axis, keepdims) > 0


@with_dim
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether no entry over `axis` (all axes for None) is 0; True where there is none."""
    return sum(operand(x) == 0, axis, keepdims) == 0


def logical_xor(a: Any, b: Any) -> Any:
    """Where one of a and b is not 0, but not both."""
    return words.logical_not(a) != words.logical_not(b)


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where |a − b| ≤ atol + rtol |b|; equal infinities are close, NaN to NaN with `equal_nan` only.

    >>> isclose([1.0, 2.0], [1.000001, 2.1])
    array([ True, False])
    """
    a, b = operand(a), operand(b)
    finite = words.logical_and(words.isfinite(a), words.isfinite(b))
    distance = words.abs(words.where(finite, a, 0) - words.where(finite, b, 0))
    close = words.where(finite, distance <= atol + rtol * words.abs(words.where(finite, b, 0)), a == b)
    return words.logical_or(close, words.logical_and(words.isnan(a), words.isnan(b))) if equal_nan else close


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all entries of a and b are close; see `isclose`."""
    return all(isclose(a, b, rtol, atol, equal_nan))
