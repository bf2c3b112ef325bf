"""Running totals along an axis, and products: each entry combined with all before it.

The derivative of a product is made of the products of the other entries, by multiplication only, so that an
entry of 0 is no special case; quotients y / xᵢ would fail there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod as size_of
from typing import Any

import numpy as np

from chainrule.backends import into, kind_of, xp
from chainrule.core.batch import along_axes
from chainrule.core.families import linear
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.arithmetic import multiply
from chainrule.ops.operands import axis_of, operand
from chainrule.ops.reductions import Axis, kept_shape, reduced_axes
from chainrule.ops.shapes import concatenate, index_, reshape
from chainrule.ops.softmax import logaddexp


def part(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """x[…, start:stop:step, …] along one axis."""
    return index_(x, key=(*[slice(None)] * axis, slice(start, stop, step)))


def reverse(x: Any, axis: int) -> Any:
    """x from its last entry to its first along one axis."""
    return part(x, axis, None, None, -1)


@linear
def cumsum_(x: Any, *, axis: int, out: Any = None) -> Any:
    """Running sum yₖ = x₁ + … + xₖ; the adjoint is the running sum from behind."""
    return xp(x).cumsum(x, axis=axis, dtype=x.dtype, out=out)


cumsum_.adjoint(lambda y_bar, x, *, axis: reverse(cumsum_(reverse(y_bar, axis), axis=axis), axis))
along_axes(cumsum_)
cumsum_.formula(r"y_k = \sum_{i \le k} x_i", r"\bar x_i = \sum_{k \ge i} \bar y_k")


def scan_pairs(combine: Callable[..., Any], x: Any, axis: int) -> Any:
    """x₁, x₁∘x₂, x₁∘x₂∘x₃, … by doubling the reach: log₂ n steps over whole arrays. Hillis & Steele (1986)."""
    reach, n = 1, x.shape[axis]
    while reach < n:
        joined = combine(part(x, axis, reach, None), part(x, axis, None, -reach))
        x = concatenate([part(x, axis, None, reach), joined], axis)
        reach *= 2
    return x


def fold_pairs(combine: Callable[..., Any], x: Any, axis: int) -> Any:
    """x₁∘x₂∘…∘xₙ by halves: log₂ n steps over whole arrays; the axis is left with size 1."""
    while (n := x.shape[axis]) > 1:
        half = n // 2
        joined = combine(part(x, axis, None, half), part(x, axis, half, 2 * half))
        x = concatenate([joined, part(x, axis, 2 * half, None)], axis) if n % 2 else joined
    return x


@fused
def cumprod_(x: Any, *, axis: int, out: Any = None) -> Any:
    """Running product yₖ = x₁ ⋯ xₖ."""
    return xp(x).cumprod(x, axis=axis, dtype=x.dtype, out=out)


cumprod_.composed(lambda x, *, axis: scan_pairs(multiply, x, axis), arguments=1)
along_axes(cumprod_)
cumprod_.formula(r"y_k = \prod_{i \le k} x_i", r"\bar x_i = \sum_{k \ge i} \bar y_k \prod_{j \le k,\, j \ne i} x_j")


@fused
def logcumsumexp_(x: Any, *, axis: int, out: Any = None) -> Any:
    """Running ln(e^x₁ + … + e^xₖ), shifted at each step, so that nothing overflows."""
    return into(out, np.logaddexp.accumulate(x, axis=axis))


logcumsumexp_.composed(lambda x, *, axis: scan_pairs(logaddexp, x, axis), arguments=1)
along_axes(logcumsumexp_)
logcumsumexp_.cost(lambda y, x, *, axis: 4 * x.size)
logcumsumexp_.formula(r"y_k = \ln \sum_{i \le k} e^{x_i}", r"\bar x_i = \sum_{k \ge i} e^{x_i - y_k} \bar y_k")


@fused
def prod_(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """Product over axes, 1 over none."""
    return xp(x).prod(x, axis=axis, dtype=x.dtype, out=out)


def _prod_by_halves(x: Any, *, axis: tuple[int, ...]) -> Any:
    kept = [k for k in range(len(x.shape)) if k not in axis]
    shape = tuple(x.shape[k] for k in kept)
    rows = reshape(words.reordered(x, *kept, *axis), *shape, size_of(x.shape[k] for k in axis))
    if not rows.shape[-1]:  # nothing to derive from: ones, in the form of x
        return words.sum(rows, -1) + 1
    return reshape(fold_pairs(multiply, rows, len(shape)), shape)


prod_.composed(_prod_by_halves, arguments=1)
prod_.shape(lambda x, *, axis: tuple(n for k, n in enumerate(x.shape) if k not in axis))
along_axes(prod_)
prod_.cost(lambda y, x, *, axis: x.size)
prod_.formula(r"y = \prod_i x_i", r"\bar x_i = \bar y \prod_{j \ne i} x_j")


def _along(primitive: Any, x: Any, axis: int, floats: bool = False) -> Any:
    x = operand(x)
    if kind_of(x) != "f" and floats:
        x = words.astype(x, np.float32)
    elif kind_of(x) in "biu" and x.dtype.itemsize < 8:
        x = words.astype(x, np.int64)
    return primitive(x, axis=axis_of(axis, x.shape))


@words.define
def cumsum(x: Any, axis: int = -1) -> Any:
    """Running sum along an axis: yₖ = x₁ + … + xₖ; of booleans and narrow integers in int64.

    >>> cumsum(np.array([1.0, 2.0, 3.0]))
    array([1., 3., 6.])
    """
    return _along(cumsum_, x, axis)


@words.define
def cumprod(x: Any, axis: int = -1) -> Any:
    """Running product along an axis: yₖ = x₁ ⋯ xₖ, as survival probabilities and diffusion schedules need."""
    return _along(cumprod_, x, axis)


@words.define
def logcumsumexp(x: Any, axis: int = -1) -> Any:
    """Running log-sum-exp along an axis: yₖ = ln Σᵢ≤ₖ e^xᵢ, without overflow."""
    return _along(logcumsumexp_, x, axis, floats=True)


@words.define
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product of x over `axis` (all axes for None); of booleans and narrow integers in int64."""
    x = operand(x)
    axes = reduced_axes(x, axis)
    if kind_of(x) in "biu" and x.dtype.itemsize < 8:
        x = words.astype(x, np.int64)
    y = prod_(x, axis=axes)
    return reshape(y, kept_shape(tuple(x.shape), axes)) if keepdims else y
