"""Tests of entries and of truth: what is finite, what holds together. None has a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import kind_of, xp
from chainrule.base.errors import DtypeError
from chainrule.core.families import elementwise
from chainrule.core.vocabulary import words
from chainrule.ops.comparison import where
from chainrule.ops.operands import operand


def _test(name: str, arity: int, symbol: str, doc: str) -> Any:
    """An elementwise primitive with booleans as result."""

    def kernel(*xs: Any, out: Any = None) -> Any:
        return getattr(xp(xs[0]), name)(*xs, out=out)

    kernel.__name__, kernel.__module__ = name, __name__
    kernel.__doc__ = f"{doc}, entry by entry, as booleans. It has no derivative."
    primitive = elementwise(keeps_integers=True)(kernel)
    primitive.partials(*[None] * arity)
    primitive.dtype(lambda *xs: np.dtype(bool))
    primitive.formula(symbol, *[r"\bar a = 0", r"\bar b = 0"][:arity])
    return primitive


isnan = _test("isnan", 1, r"y = [a \text{ is NaN}]", "Where a is not a number (0/0, ∞ − ∞)")
isinf = _test("isinf", 1, r"y = [|a| = \infty]", "Where a is ∞ or −∞")
isfinite = _test("isfinite", 1, r"y = [|a| < \infty]", "Where a is neither infinite nor NaN")
logical_and = _test("logical_and", 2, r"y = [a \ne 0 \wedge b \ne 0]", "Where a and b are both not 0")
logical_or = _test("logical_or", 2, r"y = [a \ne 0 \vee b \ne 0]", "Where a or b is not 0")
logical_not = _test("logical_not", 1, r"y = [a = 0]", "Where a is 0")


@words.define
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with `value` wherever the mask, of booleans, holds; those entries of x have the derivative 0.

    Raises:
        DtypeError: the mask is not made of booleans.
    """
    mask = operand(mask)
    if kind_of(mask) != "b":
        raise DtypeError(
            f"A mask is made of booleans, this one is {mask.dtype}.", fix="mask != 0, or mask.astype(bool)"
        )
    return where(mask, value, operand(x))
