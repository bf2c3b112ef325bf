"""Jacobians and Hessians: all rows or all columns in one batched pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.backends import dtype_of
from chainrule.base.errors import OptionError
from chainrule.core.batch import vmap
from chainrule.core.forward import jvp
from chainrule.core.reverse import grad, variable, vjp
from chainrule.core.spec import Spec
from chainrule.core.vocabulary import words


def jacobian(
    f: Callable[..., Any], argnums: int = 0, mode: Literal["auto", "forward", "reverse"] = "auto"
) -> Callable[..., Any]:
    """A function that returns J = ∂f/∂x, of shape (*y.shape, *x.shape), for one argument x and one result y.

    Forward mode takes one tangent for each entry of x, reverse mode one cotangent for each entry of y, all of
    them in one pass of `vmap`; "auto" takes the smaller number. 003 §10.

    Raises:
        OptionError: the mode does not exist.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise OptionError(f"There is no mode {mode!r}.", known="auto, forward, reverse")

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        def of_x(x: Any) -> Any:
            return f(*args[:argnums], x, *args[argnums + 1 :], **kwargs)

        x = args[argnums]
        value = variable(x)
        if mode == "forward":
            return _columns(of_x, x, value)
        y, pull = vjp(of_x, x)
        if mode == "auto" and _size(value) < _size(y):
            return _columns(of_x, x, value)
        rows = vmap(lambda y_bar: pull(y_bar)[0])(_basis(y))
        return words.reshape(rows, (*y.shape, *value.shape))

    return wrapped


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """A function that returns H = ∂²f/∂x², of shape (*x.shape, *x.shape), of a scalar f: forward over reverse."""
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product H v of a scalar function's Hessian at x with a direction, without the Hessian.

    Forward over reverse: the tangent of the gradient. Costs about as much as two gradients. Pearlmutter (1994).
    """
    return jvp(grad(f), (x,), (v,))[1]


def _columns(f: Callable[..., Any], x: Any, value: Any) -> Any:
    columns = vmap(lambda x_dot: jvp(f, (x,), (x_dot,))[1], out_axes=-1)(_basis(value))
    return words.reshape(columns, (*columns.shape[:-1], *value.shape))


def _basis(x: Any) -> Any:
    """One unit array for each entry of x, shape (x.size, *x.shape)."""
    size = _size(x)
    return words.like(np.eye(size, dtype=dtype_of(x)).reshape(size, *x.shape), x)


def _size(x: Any) -> int:
    return Spec(tuple(x.shape), dtype_of(x)).size
