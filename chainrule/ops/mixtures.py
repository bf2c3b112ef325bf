"""Sums of weighted terms in one call, as PyTorch has them: a point between two, and products added to something."""

from __future__ import annotations

from typing import Any

from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand


def lerp(a: Any, b: Any, weight: Any) -> Any:
    """a + w (b − a): from a at w = 0 to b at w = 1.

    >>> lerp([0.0, 10.0], [1.0, 20.0], 0.25)
    array([ 0.25, 12.5 ], dtype=float32)
    """
    return words.add(a, words.multiply(weight, words.subtract(b, a)))


def addcmul(x: Any, a: Any, b: Any, value: float = 1.0) -> Any:
    """x + value · a · b, entry by entry."""
    return operand(x) + value * words.multiply(a, b)


def addcdiv(x: Any, a: Any, b: Any, value: float = 1.0) -> Any:
    """x + value · a / b, entry by entry."""
    return operand(x) + value * words.divide(a, b)


def addmm(c: Any, a: Any, b: Any, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """β c + α a b, with a matrix product. Shapes: a (m, k), b (k, n), c as the result (m, n), or broadcast to it."""
    return beta * operand(c) + alpha * words.matmul(a, b)


def baddbmm(c: Any, a: Any, b: Any, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """β c + α a b for a batch of matrices. Shapes: a (…, m, k), b (…, k, n), c (…, m, n), or broadcast to it."""
    return addmm(c, a, b, beta, alpha)
