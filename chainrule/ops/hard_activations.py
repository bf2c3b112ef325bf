"""Activations made of straight pieces: cheap to compute, and exactly constant where they saturate."""

from __future__ import annotations

from typing import Any

from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand


def hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    """x cut off below `low` and above `high`: tanh of three straight pieces. Collobert (2004)."""
    return words.clip(x, low, high)


def relu6(x: Any) -> Any:
    """min(max(0, x), 6): ReLU that fixed-point numbers can hold. Krizhevsky (2010)."""
    return words.clip(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Any:
    """x/6 + 1/2, cut off at 0 and 1: the sigmoid of three straight pieces. Howard et al. (2019)."""
    return words.clip(words.divide(x, 6) + 0.5, 0.0, 1.0)


def hardswish(x: Any) -> Any:
    """x · hardsigmoid(x). Howard et al. (2019), eq. 2.

    >>> import chainrule as cr
    >>> cr.hardswish([-4.0, 0.0, 1.5, 4.0])
    array([-0.   ,  0.   ,  1.125,  4.   ], dtype=float32)
    """
    return operand(x) * hardsigmoid(x)


def threshold(x: Any, threshold: float, value: float) -> Any:
    """x where x > `threshold`, else `value`; entries that were replaced have the derivative 0."""
    x = operand(x)
    return words.where(x > threshold, x, value)


def hardshrink(x: Any, limit: float = 0.5) -> Any:
    """x where |x| > `limit`, else 0: small entries are set to 0, the others stay."""
    x = operand(x)
    return words.where(words.abs(x) > limit, x, 0)


def softshrink(x: Any, limit: float = 0.5) -> Any:
    """sign(x) · max(|x| − `limit`, 0): the proximal map of limit · ‖x‖₁, which makes entries sparse."""
    x = operand(x)
    return x - words.clip(x, -limit, limit)
