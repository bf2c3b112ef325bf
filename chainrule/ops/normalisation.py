"""Standardisation, what batch, layer, group and instance norm share, with its derivative, each in one kernel."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import into, xp
from chainrule.core.batch import along_axes
from chainrule.core.fused import fused
from chainrule.ops.arithmetic import sqrt, square
from chainrule.ops.operands import is_nothing, operand
from chainrule.ops.reductions import Axis, kept_shape, mean, reduced_axes

Axes = tuple[int, ...]


@fused
def standardise_(x: Any, *, axis: Axes, eps: float, out: Any = None) -> Any:
    """y = (x − μ)/√(σ² + ε) with mean μ and biased variance σ² over the axes, which follow as second and third result.

    μ and σ² keep the axes, with size 1. σ² is the mean of (x − μ)², which loses no digits where μ is large.
    """
    np_ = xp(x)
    mu = np_.mean(x, axis=axis, keepdims=True)
    y = np_.subtract(x, mu, out=None if out is None else out[0])
    variance = np_.mean(np_.square(y), axis=axis, keepdims=True)
    y = np_.divide(y, np_.sqrt(variance + eps), out=None if out is None else y)
    return (y, mu, variance) if out is None else (y, into(out[1], mu), into(out[2], variance))


@fused
def standardise_back(
    y_bar: Any, mu_bar: Any, variance_bar: Any, y: Any, variance: Any, *, axis: Axes, eps: float, out: Any = None
) -> Any:
    """The cotangent of x from those of the three results, with n entries along the axes:

        x̄ = (ȳ − mean ȳ − y · mean(ȳ ⊙ y)) / √(σ² + ε) + μ̄/n + 2 σ̄² (x − μ)/n

    The first part says that shifting or stretching x changes nothing: 000 (7.11)-(7.14) differentiated.
    """
    np_ = xp(y)
    n, root = prod(y.shape[a] for a in axis), np_.sqrt(variance + eps)
    part = np_.mean(y_bar * y, axis=axis, keepdims=True)
    x_bar = np_.subtract(y_bar, np_.mean(y_bar, axis=axis, keepdims=True), out=out)
    x_bar = np_.subtract(x_bar, y * part, out=out)
    x_bar = np_.divide(x_bar, root, out=out)
    if not is_nothing(mu_bar):
        x_bar = np_.add(x_bar, mu_bar / n, out=out)
    if not is_nothing(variance_bar):
        x_bar = np_.add(x_bar, y * (root * variance_bar * (2 / n)), out=out)
    return x_bar


def _composed(x: Any, *, axis: Axes, eps: float) -> tuple[Any, Any, Any]:
    mu = mean(x, axis, keepdims=True)
    variance = mean(square(x - mu), axis, keepdims=True)
    return (x - mu) / sqrt(variance + eps), mu, variance


def _composed_back(y_bar: Any, mu_bar: Any, variance_bar: Any, y: Any, variance: Any, *, axis: Axes, eps: float) -> Any:
    n, root = prod(y.shape[a] for a in axis), sqrt(variance + eps)
    inner = y_bar - mean(y_bar, axis, keepdims=True) - y * mean(y_bar * y, axis, keepdims=True)
    return inner / root + mu_bar * (1 / n) + y * (root * variance_bar * (2 / n))


def _shapes(x: Any, *, axis: Axes, eps: float) -> list[Axes]:
    kept = kept_shape(x.shape, axis)
    return [x.shape, kept, kept]


standardise_.composed(_composed, arguments=1)
standardise_.backward(
    lambda needed, bars, ys, x, *, axis, eps: (standardise_back(*bars, ys[0], ys[2], axis=axis, eps=eps),)
)
standardise_.shape(_shapes)
along_axes(standardise_)
standardise_.cost(lambda y, x, *, axis, eps: 7 * x.size)
standardise_.workspace(lambda y, x, *, axis, eps: x.nbytes + 2 * y[1].nbytes)
standardise_.formula(
    r"y = (x - \mu) / \sqrt{\sigma^2 + \varepsilon},\; \mu = \operatorname{mean} x,\;"
    r" \sigma^2 = \operatorname{mean} (x - \mu)^2",
    r"\bar x = (\bar y - \operatorname{mean} \bar y - y \operatorname{mean}(\bar y \odot y)) /"
    r" \sqrt{\sigma^2 + \varepsilon}",
)
standardise_back.composed(_composed_back, arguments=5)
standardise_back.shape(lambda y_bar, mu_bar, variance_bar, y, variance, *, axis, eps: y.shape)
along_axes(standardise_back)
standardise_back.cost(lambda x_bar, y_bar, *rest, axis, eps: 9 * y_bar.size)
standardise_back.workspace(lambda x_bar, y_bar, m, v, y, variance, *, axis, eps: y.nbytes + 2 * variance.nbytes)
standardise_back.formula(
    r"\bar x = (\bar y - \operatorname{mean} \bar y - y \operatorname{mean}(\bar y \odot y)) /"
    r" \sqrt{\sigma^2 + \varepsilon} + \bar\mu / n + 2 \bar{\sigma^2} (x - \mu) / n",
    r"\bar{\bar y} = (\bar{\bar x} - \operatorname{mean} \bar{\bar x} - y \operatorname{mean}(\bar{\bar x} \odot y)) /"
    r" \sqrt{\sigma^2 + \varepsilon}",
    r"\bar{\bar\mu} = \operatorname{mean} \bar{\bar x}",
    *(
        rf"\bar {v} = \partial \langle \bar x, \cdot \rangle / \partial {v}"
        for v in (r"{\bar{\sigma^2}}", "y", r"{\sigma^2}")
    ),
)


def standardise(x: Any, axis: Axis, eps: float) -> tuple[Any, Any, Any]:
    """y = (x − μ)/√(σ² + ε), μ and σ² over `axis`, which stay as axes of size 1 in μ and σ²."""
    x = operand(x)
    return standardise_(x, axis=reduced_axes(x, axis), eps=eps)
