"""Pooling by p-norms: between the mean of a window (p = 1) and its largest entry (p → ∞)."""

from __future__ import annotations

from typing import Any

from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand
from chainrule.ops.windows import each_axis


def lp_pool(x: Any, p: float, kernel_size: Any, stride: Any = None) -> Any:
    """(Σ |x|ᵖ)^(1/p) over every window; `stride` is the kernel unless said otherwise. (n, c, *size).

    PyTorch's, but for odd p, where it sums xᵖ with their signs. The derivative at 0 is taken as 0.

    Raises:
        ShapeError: x is not (n, c, *size), or the kernel does not fit in.
    """
    x = operand(x)
    entries = 1
    for n in each_axis(kernel_size, max(len(x.shape) - 2, 1), "kernel_size"):
        entries *= n
    total = words.avg_pool(words.power(words.abs(x), p), kernel_size, stride) * entries
    empty = total == 0
    return words.where(empty, 0.0, words.power(words.where(empty, 1.0, total), 1 / p))
