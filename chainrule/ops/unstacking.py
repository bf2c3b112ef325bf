"""Cutting a tensor into its entries along one axis: the inverse of `stack`."""

from __future__ import annotations

from typing import Any

from chainrule.backends import into, xp
from chainrule.core.batch import along_axes
from chainrule.core.families import linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand
from chainrule.ops.shapes import stack


@linear
def unstack_(x: Any, *, axis: int, out: Any = None) -> Any:
    """All x[…, i, …] along an axis as a tuple of views; the adjoint stacks the cotangents once, for all of them."""
    parts = tuple(xp(x).moveaxis(x, axis, 0))
    if out is None:
        return parts
    return tuple(into(o, part) for o, part in zip(out, parts, strict=True))


unstack_.adjoint(lambda y_bars, x, *, axis: stack(y_bars, axis))
unstack_.shape(lambda x, *, axis: [x.shape[:axis] + x.shape[axis + 1 :]] * x.shape[axis])
along_axes(unstack_)
unstack_.cost(lambda y, x, *, axis: 0)
unstack_.formula(r"y_i = x_{\cdot i \cdot}", r"\bar x_{\cdot i \cdot} = \bar y_i")


@words.define
def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The entries of x along an axis as a tuple, without that axis; one node, where indexing would take many.

    Raises:
        ShapeError: there is no such axis.

    >>> import numpy as np
    >>> unstack(np.array([[1, 2], [3, 4]]), axis=1)
    (array([1, 3]), array([2, 4]))
    """
    x = operand(x)
    return unstack_(x, axis=axis_of(axis, x.shape))
