"""The four families of primitives: one stated fact each, from which both derivative modes follow.

| family      | the fact stated              | forward mode               | reverse mode          |
|-------------|------------------------------|----------------------------|-----------------------|
| elementwise | the partials, entry by entry | Σ partial · tangent        | partial · cotangent   |
| linear      | the adjoint                  | the operation itself       | the adjoint           |
| multilinear | the adjoint in each argument | Σ over arguments           | that adjoint          |
| general     | both rules                   | stated                     | stated                |

Rules are functions of arrays or tensors alike: written with operators and primitives, they can be
differentiated again, which is how derivatives of any order come about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np

from chainrule.core.axes import check_names
from chainrule.core.primitive import Primitive, apply
from chainrule.core.spec import spec_of
from chainrule.core.vocabulary import words


class Elementwise(Primitive):
    """Every entry of the result depends on the same entry of each argument.

    A call aligns its arguments first: dtypes by promotion, shapes by broadcasting, both as nodes of the graph.
    `keeps_integers` is set where the result of integers is an integer (|x|, x + y); elsewhere integers are
    taken as floating-point numbers (exp, x / y).
    """

    family = "elementwise"

    def __init__(self, kernel: Callable[..., Any], keeps_integers: bool = False) -> None:
        super().__init__(kernel)
        self.keeps_integers = keeps_integers
        self._partials: tuple[Callable[..., Any] | None, ...] = ()

    def __call__(self, *args: Any, **params: Any) -> Any:
        return apply(self, words.align(args, self.keeps_integers), params)

    def partials(self, *rules: Callable[..., Any] | None) -> None:
        """State ∂y/∂xᵢ for each argument: `rule(y, *xs, **params)`, an array or a number; None where it is 0."""
        self._partials = rules

    @property
    def is_differentiable(self) -> bool:
        return any(self._partials)

    def spec(self, *args: Any, **params: Any) -> Any:
        """Shape and dtype of the result; axes that meet must have the same name, where they have one."""
        check_names(self.name, [spec_of(a) for a in args])
        return super().spec(*args, **params)

    def batch(self, size: int, args: Any, flags: Any, params: Any) -> Any:
        """Entry by entry, a batch axis is one axis more."""
        return apply(self, tuple(words.in_front(size, a, f) for a, f in zip(args, flags, strict=True)), params)

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        for rule, wanted in zip(self._partials, needed, strict=True):
            yield _times(rule(y, *args, **params), y_bar) if wanted and rule else None

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        terms = zip(self._partials, dots, strict=True)
        return _total(_times(rule(y, *args, **params), dot) for rule, dot in terms if rule and dot is not None)


class Linear(Primitive):
    """y = A x: the tangent goes through the operation itself, the cotangent through the adjoint Aᵀ.

    Linear in all array arguments together, or in the first `arguments` of them; those behind are passive.
    """

    family = "linear"
    arguments: int | None = None

    def adjoint(self, rule: Callable[..., Any], arguments: int | None = None) -> None:
        """State x̄ = Aᵀ ȳ: `rule(y_bar, *xs, **params)`, one cotangent or a tuple of them. xs give shapes only."""
        self._adjoint, self.arguments = rule, arguments

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        bars = self._adjoint(y_bar, *args, **params)
        bars = bars if isinstance(bars, tuple) else (bars,)
        yield from bars
        yield from [None] * (len(args) - len(bars))

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        n = len(args) if self.arguments is None else self.arguments
        moved = [words.zeros_like(a) if d is None else d for a, d in zip(args[:n], dots[:n], strict=True)]
        return apply(self, (*moved, *args[n:]), params)


class Multilinear(Primitive):
    """Linear in each argument when the others are held: y = B(x₁, x₂), ẏ = B(ẋ₁, x₂) + B(x₁, ẋ₂)."""

    family = "multilinear"

    def adjoints(self, *rules: Callable[..., Any]) -> None:
        """State the adjoint in each argument: `rule(y_bar, *xs, **params)`."""
        self._adjoints = rules

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        for rule, wanted in zip(self._adjoints, needed, strict=True):
            yield rule(y_bar, *args, **params) if wanted else None

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        return _total(
            apply(self, (*args[:i], dot, *args[i + 1 :]), params) for i, dot in enumerate(dots) if dot is not None
        )


class General(Primitive):
    """Neither of the above: both rules are stated, the reverse one argument by argument."""

    family = "general"
    _vjps: tuple[Callable[..., Any] | None, ...] = ()

    def jvp(self, rule: Callable[..., Any]) -> None:
        """State forward mode: `rule(x_dots, y, *xs, **params)`, tangents in a tuple."""
        self._jvp = rule

    def vjps(self, *rules: Callable[..., Any] | None) -> None:
        """State reverse mode for each argument: `rule(y_bar, y, *xs, **params)`; None where there is none.

        With None for all of them the result is a constant to every derivative, and no `jvp` is stated.
        """
        self._vjps = rules

    @property
    def is_differentiable(self) -> bool:
        return any(self._vjps)

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        for rule, wanted in zip(self._vjps, needed, strict=True):
            yield rule(y_bar, y, *args, **params) if wanted and rule else None

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        full = tuple(words.zeros_like(a) if d is None else d for a, d in zip(args, dots, strict=True))
        return self._jvp(full, y, *args, **params)


@overload
def elementwise(kernel: Callable[..., Any]) -> Elementwise: ...
@overload
def elementwise(*, keeps_integers: bool) -> Callable[[Callable[..., Any]], Elementwise]: ...
def elementwise(kernel: Callable[..., Any] | None = None, *, keeps_integers: bool = False) -> Any:
    """Make a kernel an elementwise primitive and a word of the vocabulary."""
    if kernel is None:
        return lambda later: words.define(Elementwise(later, keeps_integers))
    return words.define(Elementwise(kernel))


def linear(kernel: Callable[..., Any]) -> Linear:
    """Make a kernel a linear primitive."""
    return Linear(kernel)


def multilinear(kernel: Callable[..., Any]) -> Multilinear:
    """Make a kernel a multilinear primitive."""
    return Multilinear(kernel)


def general(kernel: Callable[..., Any]) -> General:
    """Make a kernel a primitive of the general family."""
    return General(kernel)


def _times(partial: Any, bar: Any) -> Any:
    if isinstance(partial, (int, float)):
        return bar if partial == 1 else -bar if partial == -1 else partial * bar
    if partial.dtype == np.bool_:
        return words.masked(bar, partial)
    return partial * bar


def _total(terms: Iterator[Any]) -> Any:
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total
