"""Norms of vectors and of entries over axes, and what is made from them: directions and their cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import kind_of, xp
from chainrule.core.batch import along_axes
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand, with_dim
from chainrule.ops.reductions import Axis, kept_shape, max, min, reduced_axes, spread, sum
from chainrule.ops.shapes import reshape


@general
def euclidean(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Length √(Σ xᵢ²) over axes; the derivative at 0, where there is none, is taken as 0."""
    return xp(x).sqrt(xp(x).sum(x * x, axis=axis), out=out)


def _direction(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """x / ‖x‖, and 0 for x = 0."""
    return x / spread(words.where(y == 0, 1.0, y), x, axis)


euclidean.jvp(lambda dots, y, x, *, axis: sum(_direction(y, x, axis) * dots[0], axis))
euclidean.vjps(lambda y_bar, y, x, *, axis: _direction(y, x, axis) * spread(y_bar, x, axis))
euclidean.shape(lambda x, *, axis: tuple(n for i, n in enumerate(x.shape) if i not in axis))
along_axes(euclidean)
euclidean.cost(lambda y, x, *, axis: 2 * x.size + y.size)
euclidean.formula(r"y = \sqrt{\sum_i x_i^2}", r"\bar x = \bar y\, x / y")


@words.define
@with_dim
def norm(x: Any, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Any:
    """The p-norm (Σ|xᵢ|ᵖ)^(1/p) over `axis`, p = `ord`; for a matrix without axis: Frobenius.

    `ord` may be ±infinity, the largest and smallest |xᵢ|, or 0, which counts. 000 (1.2)-(1.5). At x = 0, where a
    norm has no derivative, it is taken as 0.
    """
    x = operand(x)
    if ord == float("inf"):
        return max(words.abs(x), axis, keepdims)
    if ord == float("-inf"):
        return min(words.abs(x), axis, keepdims)
    if ord == 1:
        return sum(words.abs(x), axis, keepdims)
    x = x if kind_of(x) == "f" else words.astype(x, np.float32)
    if ord == 0:
        return sum(words.astype(x != 0, x.dtype), axis, keepdims)
    if ord == 2:
        axes = reduced_axes(x, axis)
        y = euclidean(x, axis=axes)
        return reshape(y, kept_shape(tuple(x.shape), axes)) if keepdims else y
    return _root(sum(words.power(words.abs(x), ord), axis, keepdims), ord)


def _root(total: Any, ord: float) -> Any:
    """The ord-th root; the branch at 0 is cut off before the root, so that 0 · ∞ does not arise."""
    empty = total == 0
    return words.where(empty, 0.0, words.power(words.where(empty, 1.0, total), 1 / ord))


@words.define
def normalize(x: Any, p: float = 2, axis: Axis = -1, eps: float = 1e-12) -> Any:
    """x / max(‖x‖ₚ, ε) along an axis: directions of length 1, and 0 for 0."""
    return x / words.maximum(norm(x, p, axis, keepdims=True), eps)


@words.define
def cosine_similarity(a: Any, b: Any, axis: int = -1, eps: float = 1e-8) -> Any:
    """cos ∠(a, b) = ⟨a, b⟩ / (max(‖a‖, ε) max(‖b‖, ε)) along an axis, in [−1, 1]; 0 where one is 0.

    >>> cosine_similarity(np.array([1.0, 0.0]), np.array([3.0, 3.0])).round(4)
    np.float64(0.7071)
    """
    lengths = words.maximum(norm(a, 2, axis), eps) * words.maximum(norm(b, 2, axis), eps)
    return sum(words.multiply(a, b), axis) / lengths
