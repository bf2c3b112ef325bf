"""Quotients and their remainders, roots in the denominator, odds, and products that are 0 at 0."""

from __future__ import annotations

from math import pi
from typing import Any

from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand

NEAR = 0.25
"""Where sin(πx)/(πx) is summed as a series: ten terms leave less than 1e-19 there, in every derivative 1e-15."""
TERMS = 10


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return words.divide(1.0, x)


def rsqrt(x: Any) -> Any:
    """1 / √x."""
    return words.divide(1.0, words.sqrt(x))


def floor_divide(a: Any, b: Any) -> Any:
    """⌊a / b⌋, the quotient that `remainder` belongs to; its derivative is 0."""
    return words.floor(words.divide(a, b))


def fmod(a: Any, b: Any) -> Any:
    """The remainder of a / b with the sign of a: a − b·trunc(a/b). (`remainder` has the sign of b.)"""
    a, b = operand(a), operand(b)
    rest = words.remainder(a, b)
    return words.where(words.logical_and(rest != 0, (a < 0) != (b < 0)), rest - b, rest)


def frac(x: Any) -> Any:
    """What stands behind the point, with the sign of x: x − trunc(x)."""
    return operand(x) - words.trunc(x)


def logit(p: Any) -> Any:
    """ln(p / (1 − p)), the log-odds: the inverse of the sigmoid.

    >>> logit([0.5, 0.9]).round(4)
    array([0.    , 2.1972], dtype=float32)
    """
    return words.log(p) - words.log1p(words.negative(p))


def xlogy(x: Any, y: Any) -> Any:
    """x ln y, and 0 where x = 0, whatever y: what entropies and likelihoods of counts are sums of.

    At x = 0 the derivatives are taken as 0.
    """
    x, y = operand(x), operand(y)
    empty = x == 0
    return x * words.log(words.where(empty, 1.0, y))


def sinc(x: Any) -> Any:
    """sin(πx) / (πx), and 1 at 0, as NumPy's. Near 0 it is summed as a series, so that all derivatives are right."""
    z = operand(x) * pi
    near = words.abs(z) < NEAR * pi
    square = words.square(words.where(near, z, 0.0))
    series = 1.0
    for k in range(TERMS, 0, -1):
        series = 1 - square / ((2 * k) * (2 * k + 1)) * series
    away = words.where(near, 1.0, z)
    return words.where(near, series, words.sin(away) / away)
