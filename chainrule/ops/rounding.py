"""Rounding, and the remainder of a division. A step function has the derivative 0 everywhere."""

from __future__ import annotations

from typing import Any

from chainrule.backends import xp
from chainrule.core.families import elementwise


@elementwise(keeps_integers=True)
def floor(x: Any, *, out: Any = None) -> Any:
    """The largest whole number not above x; the derivative is 0."""
    return xp(x).floor(x, out=out)


floor.partials(None)
floor.formula(r"y = \lfloor x \rfloor", r"\bar x = 0")


@elementwise(keeps_integers=True)
def ceil(x: Any, *, out: Any = None) -> Any:
    """The smallest whole number not below x; the derivative is 0."""
    return xp(x).ceil(x, out=out)


ceil.partials(None)
ceil.formula(r"y = \lceil x \rceil", r"\bar x = 0")


@elementwise(keeps_integers=True)
def round_(x: Any, *, out: Any = None) -> Any:
    """The nearest whole number, at a tie the even one; the derivative is 0."""
    return xp(x).round(x, out=out)


round_.partials(None)
round_.formula(r"y = \operatorname{round} x", r"\bar x = 0")
round = round_


@elementwise(keeps_integers=True)
def trunc(x: Any, *, out: Any = None) -> Any:
    """The whole number next to x towards 0; the derivative is 0."""
    return xp(x).trunc(x, out=out)


trunc.partials(None)
trunc.formula(r"y = \operatorname{trunc} x", r"\bar x = 0")


@elementwise(keeps_integers=True)
def remainder(a: Any, b: Any, *, out: Any = None) -> Any:
    """a − ⌊a / b⌋ b: what is left of a, with the sign of b, as Python's a % b."""
    return xp(a).remainder(a, b, out=out)


remainder.partials(lambda y, a, b: 1, lambda y, a, b: -floor(a / b))
remainder.formula(r"y = a - \lfloor a / b \rfloor\, b", r"\bar a = \bar y", r"\bar b = -\lfloor a / b \rfloor\, \bar y")
