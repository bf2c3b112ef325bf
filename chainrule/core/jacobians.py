"""Jacobians and Hessians: all rows or all columns in one batched pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, Literal

import numpy as np

from chainrule.backends import dtype_of
from chainrule.base.errors import OptionError
from chainrule.core import tree
from chainrule.core.batch import vmap
from chainrule.core.forward import jvp
from chainrule.core.reverse import as_given, grad, variable, vjp
from chainrule.core.spec import Spec
from chainrule.core.vocabulary import words


def jacobian(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    mode: Literal["auto", "forward", "reverse"] = "auto",
) -> Callable[..., Any]:
    """A function that returns J = ∂f/∂x, of shape (*y.shape, *x.shape), for one argument x and one result y.

    Forward mode takes one tangent for each entry of x, reverse mode one cotangent for each entry of y, all of
    them in one pass of `vmap`; "auto" takes the smaller number. 003 §10.

    Result and arguments may be trees (dicts, lists, tuples), and `argnums` a tuple, which stands for the tuple of
    those arguments: J has the structure of y, with the structure of x in the place of each of its leaves, as in JAX.

    Raises:
        OptionError: the mode does not exist, or there is no such argument.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.jacobian(lambda w: {"y": w["a"] * w["b"]})({"a": np.array([1.0, 2.0]), "b": np.float64(3.0)})
    {'y': {'a': array([[3., 0.],
           [0., 3.]]), 'b': array([1., 2.])}}
    """
    if mode not in ("auto", "forward", "reverse"):
        raise OptionError(f"There is no mode {mode!r}.", known="auto, forward, reverse")

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if any(not -len(args) <= i < len(args) for i in chosen):
            raise OptionError(f"argnums={argnums} names an argument that the call, with {len(args)}, does not have.")

        def of_x(x: Any) -> Any:
            full = list(args)
            for i, value in zip(chosen, (x,) if isinstance(argnums, int) else x, strict=True):
                full[i] = value
            return f(*full, **kwargs)

        x = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in chosen)
        return _forward(of_x, x) if mode == "forward" else _reverse(of_x, x, or_forward=mode == "auto")

    return wrapped


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that returns H = ∂²f/∂x², of shape (*x.shape, *x.shape), of a scalar f: forward over reverse.

    For trees, or several arguments, H has the structure of x twice: H["w"]["b"] is ∂²f/∂w∂b.
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product H v of a scalar function's Hessian at x with a direction, without the Hessian.

    Forward over reverse: the tangent of the gradient. Costs about as much as two gradients. Pearlmutter (1994).
    """
    return jvp(grad(f), (x,), (v,))[1]


def _reverse(f: Callable[..., Any], x: Any, or_forward: bool) -> Any:
    """Rows: one cotangent for each entry of the result; the other way `or_forward` where that takes fewer."""
    y, pull = vjp(f, x)
    outputs, rebuild_y = tree.flatten(y)
    given, rebuild_x = tree.flatten(x)
    inputs = list(map(variable, given))
    if or_forward and sum(map(_size, inputs)) < sum(map(_size, outputs)):
        return _forward(f, x)
    rows = vmap(lambda *bars: tuple(tree.flatten(pull(rebuild_y(list(bars)))[0])[0]))(*_basis(outputs))
    blocks = zip(*(_cut(r, 0, outputs) for r in rows), strict=True)  # by output, then by input
    return rebuild_y([rebuild_x(_shaped(b, y_k.shape, given)) for b, y_k in zip(blocks, outputs, strict=True)])


def _forward(f: Callable[..., Any], x: Any) -> Any:
    """Columns: one tangent for each entry of the arguments."""
    given, rebuild_x = tree.flatten(x)
    inputs = list(map(variable, given))
    columns = vmap(lambda *dots: jvp(f, (x,), (rebuild_x(list(dots)),))[1], out_axes=-1)(*_basis(inputs))
    outputs, rebuild_y = tree.flatten(columns)
    return rebuild_y([rebuild_x(_shaped(_cut(c, c.ndim - 1, inputs), c.shape[:-1], given)) for c in outputs])


def _shaped(blocks: Sequence[Any], of_y: tuple[int, ...], given: Sequence[Any]) -> list[Any]:
    """Blocks of one result, one for each x, with the axes of both, in the form in which x was given."""
    shapes = [(*of_y, *variable(x).shape) for x in given]
    return [as_given(x, words.reshape(b, shape)) for b, shape, x in zip(blocks, shapes, given, strict=True)]


def _cut(x: Any, axis: int, parts: Sequence[Any]) -> list[Any]:
    """The stretches of an axis that belong to the entries of each part."""
    stops = list(accumulate(map(_size, parts), initial=0))
    return [x[(slice(None),) * axis + (slice(a, b),)] for a, b in pairwise(stops)]


def _basis(parts: Sequence[Any]) -> list[Any]:
    """One unit direction for each entry of all parts together, cut into the parts: (size, *part.shape) each."""
    units = np.eye(sum(map(_size, parts)))
    return [
        words.like(u.astype(dtype_of(p)).reshape(len(units), *p.shape), p)
        for u, p in zip(_cut(units, 1, parts), parts, strict=True)
    ]


def _size(x: Any) -> int:
    return Spec(tuple(x.shape), dtype_of(x)).size
