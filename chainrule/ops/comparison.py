"""Comparisons, and choice by a condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into, xp
from chainrule.core.batch import leading
from chainrule.core.families import elementwise, linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import align, broadcast_shapes, broadcast_to, operand


def _comparison(name: str, symbol: str) -> Any:
    def kernel(a: Any, b: Any, *, out: Any = None) -> Any:
        return getattr(xp(a), name)(a, b, out=out)

    kernel.__name__, kernel.__module__ = name, __name__
    kernel.__doc__ = f"Where a {symbol} b, entry by entry, as booleans. It has no derivative."
    primitive = elementwise(keeps_integers=True)(kernel)
    primitive.partials(None, None)
    primitive.dtype(lambda a, b: np.dtype(bool))
    primitive.formula(f"y = [a {symbol} b]", r"\bar a = 0", r"\bar b = 0")
    return primitive


greater = _comparison("greater", ">")
greater_equal = _comparison("greater_equal", "≥")
less = _comparison("less", "<")
less_equal = _comparison("less_equal", "≤")
equal = _comparison("equal", "=")
not_equal = _comparison("not_equal", "≠")


@linear
def choose(a: Any, b: Any, condition: Any, *, out: Any = None) -> Any:
    """a where the condition holds, else b; linear in a and b."""
    return into(out, xp(a).where(condition, a, b))


choose.adjoint(lambda y_bar, a, b, c: (choose(y_bar, _zero(y_bar), c), choose(_zero(y_bar), y_bar, c)), arguments=2)
leading(choose)
choose.workspace(lambda y, *specs: y.nbytes)
choose.formula("y = c a + (1 - c) b", r"\bar a = c\,\bar y", r"\bar b = (1 - c)\,\bar y")


def _zero(x: Any) -> Any:
    return broadcast_to(np.zeros((), dtype_of(x)), shape=tuple(x.shape))


@words.define
def masked(x: Any, mask: Any) -> Any:
    """x where the mask holds, else 0 (also for an infinite x); both have one shape."""
    return choose(x, _zero(x), mask)


@words.define
def where(condition: Any, a: Any, b: Any, *, like: Any = None) -> Any:
    """a where the condition holds, else b, broadcast together; `like` gives the dtype for two numbers.

    The side that is not taken gets the cotangent 0, not 0 · ∞.
    """
    condition = operand(condition)
    if like is not None:
        a = np.asarray(a, dtype_of(like))
    a, b = align((a, b), keeps_integers=True)
    shape = broadcast_shapes(tuple(condition.shape), tuple(a.shape))
    a, b, condition = (x if tuple(x.shape) == shape else broadcast_to(x, shape=shape) for x in (a, b, condition))
    return choose(a, b, condition)
