"""Inverse trigonometric and hyperbolic functions, and the two lengths and angles of a right triangle."""

from __future__ import annotations

from typing import Any

from chainrule.backends import xp
from chainrule.core.families import elementwise
from chainrule.ops.arithmetic import sqrt
from chainrule.ops.comparison import where


@elementwise
def asin(x: Any, *, out: Any = None) -> Any:
    """The angle in [−π/2, π/2] whose sine is x; the derivative at ±1 is infinite."""
    return xp(x).asin(x, out=out)


asin.partials(lambda y, x: 1 / sqrt((1 - x) * (1 + x)))
asin.formula(r"y = \arcsin x", r"\bar x = \bar y / \sqrt{1 - x^2}")


@elementwise
def acos(x: Any, *, out: Any = None) -> Any:
    """The angle in [0, π] whose cosine is x; the derivative at ±1 is infinite."""
    return xp(x).acos(x, out=out)


acos.partials(lambda y, x: -1 / sqrt((1 - x) * (1 + x)))
acos.formula(r"y = \arccos x", r"\bar x = -\bar y / \sqrt{1 - x^2}")


@elementwise
def atan(x: Any, *, out: Any = None) -> Any:
    """The angle in (−π/2, π/2) whose tangent is x."""
    return xp(x).atan(x, out=out)


atan.partials(lambda y, x: 1 / (1 + x * x))
atan.formula(r"y = \arctan x", r"\bar x = \bar y / (1 + x^2)")


@elementwise
def asinh(x: Any, *, out: Any = None) -> Any:
    """Inverse hyperbolic sine: ln(x + √(x² + 1)), a logarithm that takes both signs."""
    return xp(x).asinh(x, out=out)


asinh.partials(lambda y, x: 1 / sqrt(x * x + 1))
asinh.formula(r"y = \operatorname{arsinh} x", r"\bar x = \bar y / \sqrt{x^2 + 1}")


@elementwise
def acosh(x: Any, *, out: Any = None) -> Any:
    """Inverse hyperbolic cosine of x ≥ 1; the derivative at 1 is infinite."""
    return xp(x).acosh(x, out=out)


acosh.partials(lambda y, x: 1 / sqrt((x - 1) * (x + 1)))
acosh.formula(r"y = \operatorname{arcosh} x", r"\bar x = \bar y / \sqrt{x^2 - 1}")


@elementwise
def atanh(x: Any, *, out: Any = None) -> Any:
    """Inverse hyperbolic tangent of −1 < x < 1, half the log-odds of (1 + x)/2."""
    return xp(x).atanh(x, out=out)


atanh.partials(lambda y, x: 1 / ((1 - x) * (1 + x)))
atanh.formula(r"y = \operatorname{artanh} x", r"\bar x = \bar y / (1 - x^2)")


def _or_one(length: Any) -> Any:
    """A divisor that is 0 only where the derivative, of which there is none, is taken as 0."""
    return where(length == 0, 1.0, length)


@elementwise
def atan2(y: Any, x: Any, *, out: Any = None) -> Any:
    """The angle in [−π, π] of the point (x, y), y first; its derivative at (0, 0) is taken as 0."""
    return xp(y).atan2(y, x, out=out)


atan2.partials(
    lambda angle, y, x: x / _or_one(x * x + y * y),
    lambda angle, y, x: -y / _or_one(x * x + y * y),
)
atan2.formula(
    r"\varphi = \operatorname{atan2}(y, x)",
    r"\bar y = x \bar\varphi / (x^2 + y^2)",
    r"\bar x = -y \bar\varphi / (x^2 + y^2)",
)


@elementwise
def hypot(a: Any, b: Any, *, out: Any = None) -> Any:
    """Length √(a² + b²) without overflow of the squares; its derivative at (0, 0) is taken as 0."""
    return xp(a).hypot(a, b, out=out)


hypot.partials(lambda y, a, b: a / _or_one(y), lambda y, a, b: b / _or_one(y))
hypot.formula(r"y = \sqrt{a^2 + b^2}", r"\bar a = a \bar y / y", r"\bar b = b \bar y / y")
