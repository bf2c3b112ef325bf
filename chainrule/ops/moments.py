"""Mean and spread in one call, both ends, covariances, differences and integrals along an axis."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand, with_dim
from chainrule.ops.reductions import Axis, max, mean, min, std, sum, var


@with_dim
def var_mean(x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Any, Any]:
    """The variance (biased, as `var`) and the mean over `axis`."""
    return var(x, axis, keepdims), mean(x, axis, keepdims)


@with_dim
def std_mean(x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Any, Any]:
    """The standard deviation (biased, as `std`) and the mean over `axis`."""
    return std(x, axis, keepdims), mean(x, axis, keepdims)


@with_dim
def aminmax(x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Any, Any]:
    """The smallest and the largest entry over `axis`; ties share the derivative."""
    return min(x, axis, keepdims), max(x, axis, keepdims)


def cov(x: Any, correction: int = 1) -> Any:
    """Covariances of variables in rows: C = (x − x̄)(x − x̄)ᵀ / (n − correction), as PyTorch's.

    Shapes: x (variables, n), or (n,) for one variable; result (variables, variables), or ().

    Raises:
        ShapeError: x has more than two axes.
    """
    x = operand(x)
    if not 1 <= len(x.shape) <= 2:
        raise ShapeError(f"Covariances are of variables in rows, (variables, n), got {tuple(x.shape)}.")
    centred = x - mean(x, -1, keepdims=True)
    n = x.shape[-1] - correction
    if len(x.shape) == 1:
        return sum(words.square(centred)) / n
    return words.matmul(centred, words.transpose(centred)) / n


def corrcoef(x: Any) -> Any:
    """Correlations of variables in rows: covariances over the product of standard deviations, 1 on the diagonal.

    >>> corrcoef([[1.0, 2.0, 3.0], [2.0, 4.0, 6.5]]).round(3)
    array([[1.   , 0.998],
           [0.998, 1.   ]], dtype=float32)
    """
    c = cov(x, 0)
    if len(c.shape) == 0:
        return c / c
    spread = words.sqrt(words.diagonal(c))
    return c / words.outer(spread, spread)


@with_dim
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, yₖ = xₖ₊₁ − xₖ, taken n times.

    Raises:
        OptionError: n is negative.

    >>> diff([1.0, 4.0, 9.0], 2)
    array([2.], dtype=float32)
    """
    if n < 0:
        raise OptionError(f"Differences are taken n ≥ 0 times, not {n}.")
    x = operand(x)
    lead = (slice(None),) * axis_of(axis, x.shape)
    for _ in range(n):
        x = x[(*lead, slice(1, None))] - x[(*lead, slice(None, -1))]
    return x


@with_dim
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule, Σ (yₖ + yₖ₊₁)/2 · (xₖ₊₁ − xₖ), with steps `dx` where no x is given.

    Shapes: x as y, or (n,) for the size n of the axis.
    """
    y = words.moveaxis(y, axis, -1)
    steps = dx if x is None else diff(x if len(operand(x).shape) == 1 else words.moveaxis(x, axis, -1))
    return sum((y[..., 1:] + y[..., :-1]) / 2 * steps, -1)
