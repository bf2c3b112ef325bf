"""Softmax and its logarithm, along one axis, shifted by the maximum so that nothing overflows (000 §11.1)."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import kind_of, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import along_axes
from chainrule.core.families import elementwise, general
from chainrule.core.vocabulary import words
from chainrule.ops.elementary import exp
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.reductions import Axis, extreme_shape, kept_shape, reduced_axes, spread, sum


def _filled(x: Any, *, axis: int) -> tuple[int, ...]:
    if not x.size and prod(x.shape[:axis] + x.shape[axis + 1 :]):
        raise ShapeError(f"There are no entries along axis {axis} of shape {x.shape}.")
    return x.shape


def _total(x: Any, axis: int) -> Any:
    return sum(x, axis, keepdims=True)


@general
def softmax_(x: Any, *, axis: int, out: Any = None) -> Any:
    """pᵢ = e^(xᵢ − max x) / Σⱼ e^(xⱼ − max x)."""
    np_ = xp(x)
    shifted = np_.subtract(x, np_.max(x, axis=axis, keepdims=True), out=out)
    e = np_.exp(shifted, out=shifted)
    return np_.divide(e, np_.sum(e, axis=axis, keepdims=True), out=e)


softmax_.jvp(lambda dots, p, x, *, axis: p * (dots[0] - _total(p * dots[0], axis)))
softmax_.vjps(lambda p_bar, p, x, *, axis: p * (p_bar - _total(p * p_bar, axis)))
softmax_.shape(_filled)
along_axes(softmax_)
softmax_.cost(lambda y, x, *, axis: 5 * x.size)
softmax_.formula(r"p_i = e^{x_i} / \sum_j e^{x_j}", r"\bar x = p \odot (\bar p - \langle \bar p, p \rangle)")


@general
def log_softmax_(x: Any, *, axis: int, out: Any = None) -> Any:
    """yᵢ = xᵢ − max x − ln Σⱼ e^(xⱼ − max x), exact where softmax underflows."""
    np_ = xp(x)
    shifted = np_.subtract(x, np_.max(x, axis=axis, keepdims=True), out=out)
    return np_.subtract(shifted, np_.log(np_.sum(np_.exp(shifted), axis=axis, keepdims=True)), out=shifted)


log_softmax_.jvp(lambda dots, y, x, *, axis: dots[0] - _total(exp(y) * dots[0], axis))
log_softmax_.vjps(lambda y_bar, y, x, *, axis: y_bar - exp(y) * _total(y_bar, axis))
log_softmax_.shape(_filled)
along_axes(log_softmax_)
log_softmax_.cost(lambda y, x, *, axis: 5 * x.size)
log_softmax_.formula(r"y_i = x_i - \ln \sum_j e^{x_j}", r"\bar x = \bar y - e^y \textstyle\sum_j \bar y_j")


@general
def logsumexp_(x: Any, *, axis: tuple[int, ...], out: Any = None) -> Any:
    """y = max x + ln Σ e^(xᵢ − max x); −∞ where all entries are."""
    np_ = xp(x)
    peak = np_.max(x, axis=axis, keepdims=True)
    peak = np_.where(np_.isfinite(peak), peak, np_.zeros_like(peak))
    total = np_.sum(np_.exp(x - peak), axis=axis)
    with np.errstate(divide="ignore"):  # ln 0 = −∞ is meant
        return np_.add(np_.log(total), peak.reshape(total.shape), out=out)


def _shares(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """softmax(x) = e^(x − y); 0 where all entries are −∞, and no NaN."""
    held = words.where(y == -np.inf, 0.0, y)
    return exp(x - spread(held, x, axis))


logsumexp_.jvp(lambda dots, y, x, *, axis: sum(_shares(y, x, axis) * dots[0], axis))
logsumexp_.vjps(lambda y_bar, y, x, *, axis: _shares(y, x, axis) * spread(y_bar, x, axis))
logsumexp_.shape(extreme_shape)
along_axes(logsumexp_)
logsumexp_.cost(lambda y, x, *, axis: 4 * x.size)
logsumexp_.formula(r"y = \ln \sum_i e^{x_i}", r"\bar x_i = e^{x_i - y}\, \bar y")


@elementwise
def logaddexp(a: Any, b: Any, *, out: Any = None) -> Any:
    """ln(eᵃ + eᵇ) without overflow: the sum of two probabilities given by their logarithms."""
    return xp(a).logaddexp(a, b, out=out)


def _share(a: Any, b: Any) -> Any:
    """σ(a − b), 1/2 where both are the same infinity."""
    both = words.logical_and(a == b, words.isinf(a))
    zero = words.zeros_like(a)
    return words.sigmoid(words.where(both, zero, a) - words.where(both, zero, b))


logaddexp.partials(lambda y, a, b: _share(a, b), lambda y, a, b: _share(b, a))
logaddexp.cost(lambda y, a, b: 4 * y.size)
logaddexp.formula(r"y = \ln(e^a + e^b)", r"\bar a = \sigma(a - b) \odot \bar y", r"\bar b = \sigma(b - a) \odot \bar y")


@words.define
@with_dim
def softmax(x: Any, axis: int = -1) -> Any:
    """Probabilities from logits along an axis; it couples all entries: J = diag(p) − p pᵀ.

    000 (3.20), (11.1)-(11.3).
    """
    return _along(softmax_, x, axis)


@words.define
@with_dim
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Log-probabilities from logits along an axis: x − LSE(x). 000 (11.4)."""
    return _along(log_softmax_, x, axis)


@words.define
@with_dim
def logsumexp(x: Any, axis: Axis = -1, keepdims: bool = False) -> Any:
    """ln Σ eˣ over `axis` (all axes for None), −∞ for a row of −∞; its derivative is softmax(x). 003 §12.3."""
    x = _floats(x)
    axes = reduced_axes(x, axis)
    y = logsumexp_(x, axis=axes)
    return words.reshape(y, kept_shape(tuple(x.shape), axes)) if keepdims else y


def _along(primitive: Any, x: Any, axis: int) -> Any:
    return primitive(_floats(x), axis=axis_of(axis, operand(x).shape))


def _floats(x: Any) -> Any:
    x = operand(x)
    return x if kind_of(x) == "f" else words.astype(x, np.float32)
