"""Arithmetic, entry by entry: sums, products, powers, roots, extrema of two."""

from __future__ import annotations

from typing import Any

from chainrule.backends import xp
from chainrule.core.families import elementwise
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words


@elementwise(keeps_integers=True)
def add(a: Any, b: Any, *, out: Any = None) -> Any:
    """Sum a + b."""
    return xp(a).add(a, b, out=out)


add.partials(lambda y, a, b: 1, lambda y, a, b: 1)
add.formula("y = a + b", r"\bar a = \bar y", r"\bar b = \bar y")


@elementwise(keeps_integers=True)
def subtract(a: Any, b: Any, *, out: Any = None) -> Any:
    """Difference a − b."""
    return xp(a).subtract(a, b, out=out)


subtract.partials(lambda y, a, b: 1, lambda y, a, b: -1)
subtract.formula("y = a - b", r"\bar a = \bar y", r"\bar b = -\bar y")


@elementwise(keeps_integers=True)
def multiply(a: Any, b: Any, *, out: Any = None) -> Any:
    """Product a ⊙ b, entry by entry (Hadamard)."""
    return xp(a).multiply(a, b, out=out)


multiply.partials(lambda y, a, b: b, lambda y, a, b: a)
multiply.formula(r"y = a \odot b", r"\bar a = b \odot \bar y", r"\bar b = a \odot \bar y")


@elementwise
def divide(a: Any, b: Any, *, out: Any = None) -> Any:
    """Quotient a / b, entry by entry; integers give floating-point numbers."""
    return xp(a).divide(a, b, out=out)


divide.partials(lambda y, a, b: 1 / b, lambda y, a, b: -y / b)
divide.formula("y = a / b", r"\bar a = \bar y / b", r"\bar b = -\bar y \odot y / b")


@elementwise(keeps_integers=True)
def negative(x: Any, *, out: Any = None) -> Any:
    """−x."""
    return xp(x).negative(x, out=out)


negative.partials(lambda y, x: -1)
negative.formula("y = -x", r"\bar x = -\bar y")


@elementwise(keeps_integers=True)
def square(x: Any, *, out: Any = None) -> Any:
    """x², entry by entry."""
    return xp(x).multiply(x, x, out=out)


square.partials(lambda y, x: 2 * x)
square.formula("y = x^2", r"\bar x = 2x \odot \bar y")


@elementwise
def sqrt(x: Any, *, out: Any = None) -> Any:
    """√x; the derivative at 0 is infinite."""
    return xp(x).sqrt(x, out=out)


sqrt.partials(lambda y, x: 0.5 / y)
sqrt.formula(r"y = \sqrt x", r"\bar x = \bar y / (2y)")


@elementwise
def raise_to(x: Any, *, exponent: float, out: Any = None) -> Any:
    """xⁿ for a number n, entry by entry."""
    return xp(x).power(x, x.dtype.type(exponent), out=out)


raise_to.partials(lambda y, x, *, exponent: exponent * raise_to(x, exponent=exponent - 1) if exponent else 0)
raise_to.formula("y = x^n", r"\bar x = n x^{n-1} \odot \bar y")


@elementwise
def raise_both(x: Any, p: Any, *, out: Any = None) -> Any:
    """xᵖ for arrays x > 0 and p, entry by entry."""
    return xp(x).power(x, p, out=out)


def _log_times(y: Any, x: Any) -> Any:
    """y ln x, and its limit 0 where x = 0."""
    return words.where(x == 0, 0.0, y * words.log(words.where(x == 0, 1.0, x)))


raise_both.partials(lambda y, x, p: p * raise_both(x, p - 1), lambda y, x, p: _log_times(y, x))
raise_both.formula("y = x^p", r"\bar x = p x^{p-1} \odot \bar y", r"\bar p = y \log x \odot \bar y")


@words.define
def power(x: Any, p: Any) -> Any:
    """xᵖ, entry by entry; p a number or a tensor (then x > 0 for the derivative with respect to p).

    Powers of integers are floating-point numbers, but for p = 2.
    """
    if not isinstance(p, (int, float)):
        return raise_both(x, p)
    return square(x) if p == 2 else raise_to(x, exponent=p)


@elementwise(keeps_integers=True)
def abs(x: Any, *, out: Any = None) -> Any:
    """|x|; the derivative at 0 is taken as 0."""
    return xp(x).abs(x, out=out)


abs.partials(lambda y, x: words.sign(x))
abs.formula("y = |x|", r"\bar x = \operatorname{sign}(x) \odot \bar y")


@elementwise(keeps_integers=True)
def sign(x: Any, *, out: Any = None) -> Any:
    """The sign −1, 0 or 1; sign 0 = 0. The derivative is 0 everywhere."""
    return xp(x).sign(x, out=out)


sign.partials(None)
sign.formula(r"y = \operatorname{sign} x", r"\bar x = 0")


@elementwise(keeps_integers=True)
def maximum(a: Any, b: Any, *, out: Any = None) -> Any:
    """The larger of two, entry by entry; at a tie the derivative is shared equally."""
    return xp(a).maximum(a, b, out=out)


maximum.partials(lambda y, a, b: _share(a, b), lambda y, a, b: _share(b, a))
maximum.formula(r"y = \max(a, b)", r"\bar a = [a > b]\,\bar y", r"\bar b = [b > a]\,\bar y")


@elementwise(keeps_integers=True)
def minimum(a: Any, b: Any, *, out: Any = None) -> Any:
    """The smaller of two, entry by entry; at a tie the derivative is shared equally."""
    return xp(a).minimum(a, b, out=out)


minimum.partials(lambda y, a, b: _share(b, a), lambda y, a, b: _share(a, b))
minimum.formula(r"y = \min(a, b)", r"\bar a = [a < b]\,\bar y", r"\bar b = [b < a]\,\bar y")


def _share(winner: Any, loser: Any) -> Any:
    """1 where the first is larger, 1/2 at a tie, 0 elsewhere, in the dtype of the operands."""
    dtype = winner.dtype
    won, tied = words.astype(winner > loser, dtype=dtype), words.astype(winner == loser, dtype=dtype)
    return won + tied * 0.5


@words.define
def clip(x: Any, low: float | Tensor | None = None, high: float | Tensor | None = None) -> Any:
    """x held between `low` and `high`; the derivative is 1 inside and 0 outside, 1/2 at a bound."""
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)
