"""Softmax and its logarithm, along one axis, shifted by the maximum so that nothing overflows (000 §11.1)."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import along_axes
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.elementary import exp
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.reductions import sum


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
def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """ln Σ eˣ along an axis, = x₁ − log_softmax(x)₁ for any entry; its derivative is softmax(x). 003 §12.3."""
    x, axis = _floats(x), axis_of(axis, operand(x).shape)
    peak = words.max(words.stop_gradient(x), axis, keepdims=True)
    result = words.log(sum(exp(x - peak), axis, keepdims=True)) + peak
    return result if keepdims else words.squeeze(result, axis)


def _along(primitive: Any, x: Any, axis: int) -> Any:
    return primitive(_floats(x), axis=axis_of(axis, operand(x).shape))


def _floats(x: Any) -> Any:
    x = operand(x)
    return x if x.dtype.kind == "f" else words.astype(x, np.float32)
