"""Forward mode: tangents flow along with the values, one pass for each direction.

    v̇ = Σᵤ (∂v/∂u) u̇        (000 (10.8))

from the same facts that give reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.backends.interface import NATIVE
from chainrule.base.errors import ShapeError
from chainrule.core import tree
from chainrule.core.primitive import Primitive, apply
from chainrule.core.reverse import as_given, variable
from chainrule.core.stack import Trace, running
from chainrule.core.tensor import Tensor, boxed, is_foreign, unboxed
from chainrule.core.vocabulary import words


class ForwardTrace(Trace):
    """Carries with every tensor its tangent, in the place where reverse mode keeps the node."""

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        self.refuse_if_closed()
        lowered = tuple(map(self.lower, args))
        y = apply(primitive, lowered, params)
        if not primitive.is_differentiable:
            return y if isinstance(y, Tensor) else Tensor(y)
        dots = tuple(self.tangent(a) for a in args)
        if type(y) not in NATIVE and any(map(is_foreign, (y, *lowered, *dots))):
            y_dot = unboxed(primitive.push(boxed(y), boxed(lowered), boxed(dots), params))
        else:
            y_dot = primitive.push(y, lowered, dots, params)
        if type(y) is tuple:
            return tuple(Tensor(v, self, d) for v, d in zip(y, y_dot, strict=True))
        return Tensor(y, self, y_dot)

    def lower(self, a: Any) -> Any:
        """The operand one level down."""
        return a.value if isinstance(a, Tensor) and (a.trace is self or a.trace is None) else a

    def tangent(self, a: Any) -> Any:
        """The tangent of an operand; None for what does not move."""
        return a.node if isinstance(a, Tensor) and a.trace is self else None


def jvp(f: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """The value f(x) and the Jacobian-vector product J ẋ, in one pass forward.

    `primals` and `tangents` are tuples with one entry an argument (trees of tensors, equal structure and
    shapes).

    Raises:
        ShapeError: the tangents do not have the structure and shapes of the primals.
        GradientError: a primal is made of integers.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.jvp(cr.sin, (np.array(0.0),), (np.array(2.0),))
    (array(0.), array(2.))
    """
    leaves, rebuild = tree.flatten(tuple(primals))
    with running(ForwardTrace()) as trace:
        assert isinstance(trace, ForwardTrace)
        pairs = zip(leaves, tree.leaves_as(tuple(primals), tuple(tangents)), strict=True)
        y = f(*rebuild([_moving(trace, leaf, dot) for leaf, dot in pairs]))
    outputs, rebuild_y = tree.flatten(tree.map_leaves(words.operand, y))
    values = [trace.lower(o) for o in outputs]
    dots = [trace.tangent(o) for o in outputs]
    dots = [words.zeros_like(v) if d is None else d for v, d in zip(values, dots, strict=True)]
    given = leaves[0]
    return rebuild_y([as_given(given, v) for v in values]), rebuild_y([as_given(given, d) for d in dots])


def _moving(trace: ForwardTrace, primal: Any, tangent: Any) -> Tensor:
    value = variable(primal)
    dot = words.like(tangent, value)
    if tuple(dot.shape) != tuple(value.shape):
        raise ShapeError(f"A tangent has shape {tuple(dot.shape)}, its primal {tuple(value.shape)}.")
    return Tensor(value, trace, dot)
