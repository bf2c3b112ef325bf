"""Fused primitives: one kernel for what is many operations, its derivatives those of the composition.

A fused primitive states the same map in elementary operations (`composed`). Forward mode differentiates that
composition. Reverse mode does too, unless a faster rule is stated (`backward`): then that rule, made of
primitives of its own, serves, and it is the composition that tests hold it against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chainrule.core.forward import jvp
from chainrule.core.primitive import Primitive
from chainrule.core.reverse import vjp


class Fused(Primitive):
    """Many operations in one kernel, with one result or a tuple of them.

    The first `arguments` arguments are differentiable, those behind them (masks) are passive.
    """

    family = "general"
    _backward: Callable[..., Any] | None = None

    def composed(self, function: Callable[..., Any], arguments: int) -> None:
        """State the same map in operations that have derivatives: `function(*xs, **params)`."""
        self.composition, self.arguments = function, arguments

    def backward(self, rule: Callable[..., Any]) -> None:
        """State reverse mode, all arguments at once: `rule(needed, y_bar, y, *xs, **params)`.

        It gives a tuple of cotangents, and may leave None where none is needed.
        """
        self._backward = rule

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        bars = self._all_bars(y, y_bar, args, params, needed)
        yield from bars
        yield from [None] * (len(args) - len(bars))

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        moving = [i for i, dot in enumerate(dots) if dot is not None]
        f = self._of(moving, args, params)
        return jvp(f, tuple(args[i] for i in moving), tuple(dots[i] for i in moving))[1]

    def _all_bars(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> tuple[Any, ...]:
        if self._backward is not None:
            return self._backward(needed, y_bar, y, *args, **params)
        active = range(self.arguments)
        return vjp(self._of(active, args, params), *args[: self.arguments])[1](y_bar)

    def _of(self, places: Any, args: Any, params: Any) -> Callable[..., Any]:
        """The composition as a function of the arguments at some places."""

        def of_these(*values: Any) -> Any:
            full = list(args)
            for i, value in zip(places, values, strict=True):
                full[i] = value
            return self.composition(*full, **params)

        return of_these


def fused(kernel: Callable[..., Any]) -> Fused:
    """Make a kernel a fused primitive."""
    return Fused(kernel)
