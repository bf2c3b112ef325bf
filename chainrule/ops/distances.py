"""Distances between points: row by row, and of all pairs."""

from __future__ import annotations

from typing import Any

from chainrule.ops.norms import norm
from chainrule.ops.operands import operand
from chainrule.ops.shapes import expand_dims


def dist(a: Any, b: Any, p: float = 2.0) -> Any:
    """‖a − b‖ₚ over all entries."""
    return norm(operand(a) - operand(b), p)


def pairwise_distance(a: Any, b: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Any:
    """‖a − b + ε‖ₚ over the last axis, row by row. As PyTorch's, ε keeps the root away from 0.

    >>> pairwise_distance([[0.0, 3.0]], [[4.0, 0.0]], eps=0.0)
    array([5.], dtype=float32)
    """
    return norm(operand(a) - operand(b) + eps, p, -1, keepdims)


def cdist(a: Any, b: Any, p: float = 2.0) -> Any:
    """‖aᵢ − bⱼ‖ₚ for every pair of rows. Shapes: a (…, m, d), b (…, n, d), result (…, m, n).

    The differences are formed, (…, m, n, d), so that points that lie close keep their digits. Where two points
    coincide the derivative is taken as 0.
    """
    return norm(expand_dims(operand(a), -2) - expand_dims(operand(b), -3), p, -1)
