"""Exponential, logarithmic, trigonometric and hyperbolic functions, entry by entry."""

from __future__ import annotations

from math import log as ln
from math import pi, sqrt
from typing import Any

from chainrule.backends import xp
from chainrule.core.families import elementwise


@elementwise
def exp(x: Any, *, out: Any = None) -> Any:
    """eˣ."""
    return xp(x).exp(x, out=out)


exp.partials(lambda y, x: y)
exp.formula("y = e^x", r"\bar x = y \odot \bar y")


@elementwise
def expm1(x: Any, *, out: Any = None) -> Any:
    """eˣ − 1, exact near 0."""
    return xp(x).expm1(x, out=out)


expm1.partials(lambda y, x: y + 1)
expm1.formula("y = e^x - 1", r"\bar x = (y + 1) \odot \bar y")


@elementwise
def log(x: Any, *, out: Any = None) -> Any:
    """Natural logarithm; −∞ at 0."""
    return xp(x).log(x, out=out)


log.partials(lambda y, x: 1 / x)
log.formula(r"y = \ln x", r"\bar x = \bar y / x")


@elementwise
def log1p(x: Any, *, out: Any = None) -> Any:
    """ln(1 + x), exact near 0."""
    return xp(x).log1p(x, out=out)


log1p.partials(lambda y, x: 1 / (1 + x))
log1p.formula(r"y = \ln(1 + x)", r"\bar x = \bar y / (1 + x)")


@elementwise
def exp2(x: Any, *, out: Any = None) -> Any:
    """2ˣ."""
    return xp(x).exp2(x, out=out)


exp2.partials(lambda y, x: y * ln(2))
exp2.formula("y = 2^x", r"\bar x = y \ln 2 \odot \bar y")


@elementwise
def log2(x: Any, *, out: Any = None) -> Any:
    """Logarithm to base 2: information in bits; −∞ at 0."""
    return xp(x).log2(x, out=out)


log2.partials(lambda y, x: (1 / ln(2)) / x)
log2.formula(r"y = \log_2 x", r"\bar x = \bar y / (x \ln 2)")


@elementwise
def log10(x: Any, *, out: Any = None) -> Any:
    """Logarithm to base 10; −∞ at 0."""
    return xp(x).log10(x, out=out)


log10.partials(lambda y, x: (1 / ln(10)) / x)
log10.formula(r"y = \log_{10} x", r"\bar x = \bar y / (x \ln 10)")


@elementwise
def sin(x: Any, *, out: Any = None) -> Any:
    """Sine of an angle in radians."""
    return xp(x).sin(x, out=out)


sin.partials(lambda y, x: cos(x))
sin.formula(r"y = \sin x", r"\bar x = \cos x \odot \bar y")


@elementwise
def cos(x: Any, *, out: Any = None) -> Any:
    """Cosine of an angle in radians."""
    return xp(x).cos(x, out=out)


cos.partials(lambda y, x: -sin(x))
cos.formula(r"y = \cos x", r"\bar x = -\sin x \odot \bar y")


@elementwise
def tan(x: Any, *, out: Any = None) -> Any:
    """Tangent of an angle in radians."""
    return xp(x).tan(x, out=out)


tan.partials(lambda y, x: 1 + y * y)
tan.formula(r"y = \tan x", r"\bar x = (1 + y^2) \odot \bar y")


@elementwise
def sinh(x: Any, *, out: Any = None) -> Any:
    """Hyperbolic sine."""
    return xp(x).sinh(x, out=out)


sinh.partials(lambda y, x: cosh(x))
sinh.formula(r"y = \sinh x", r"\bar x = \cosh x \odot \bar y")


@elementwise
def cosh(x: Any, *, out: Any = None) -> Any:
    """Hyperbolic cosine."""
    return xp(x).cosh(x, out=out)


cosh.partials(lambda y, x: sinh(x))
cosh.formula(r"y = \cosh x", r"\bar x = \sinh x \odot \bar y")


@elementwise
def tanh(x: Any, *, out: Any = None) -> Any:
    """Hyperbolic tangent. ∂y/∂x = 1 − y², at most 1 at x = 0 (000 §15.5.2 prints 1/4, the sigmoid's)."""
    return xp(x).tanh(x, out=out)


tanh.partials(lambda y, x: 1 - y * y)
tanh.formula(r"y = \tanh x", r"\bar x = (1 - y^2) \odot \bar y")


@elementwise
def erf(x: Any, *, out: Any = None) -> Any:
    """Error function 2/√π ∫₀ˣ e^(−t²) dt."""
    return xp(x).erf(x, out=out)


erf.partials(lambda y, x: exp(-x * x) * (2 / sqrt(pi)))
erf.formula(r"y = \operatorname{erf} x", r"\bar x = \tfrac{2}{\sqrt\pi} e^{-x^2} \odot \bar y")


@elementwise
def erfc(x: Any, *, out: Any = None) -> Any:
    """1 − erf(x), with all its digits where erf(x) rounds to 1."""
    return xp(x).erfc(x, out=out)


erfc.partials(lambda y, x: exp(-x * x) * (-2 / sqrt(pi)))
erfc.formula(r"y = 1 - \operatorname{erf} x", r"\bar x = -\tfrac{2}{\sqrt\pi} e^{-x^2} \odot \bar y")
