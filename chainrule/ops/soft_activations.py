"""Further smooth activations, and the gated linear unit."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand, with_dim


def softsign(x: Any) -> Any:
    """x / (1 + |x|): between −1 and 1 as tanh, with tails that fall off as 1/x² only. Bergstra et al. (2009)."""
    return words.divide(x, 1 + words.abs(x))


def tanhshrink(x: Any) -> Any:
    """x − tanh x: flat at 0, where its derivative tanh² x is 0."""
    return operand(x) - words.tanh(x)


def mish(x: Any) -> Any:
    """x tanh(ln(1 + eˣ)). Misra (2019).

    >>> import chainrule as cr
    >>> cr.mish([0.0, 1.0])
    array([0.       , 0.8650984], dtype=float32)
    """
    return operand(x) * words.tanh(words.softplus(x))


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else α(e^(x/α) − 1): ELU with a continuous derivative for every α. Barron (2017)."""
    x = operand(x)
    left = words.where(x > 0, 0.0, x)  # the branch not taken must not overflow
    return words.where(x > 0, x, alpha * words.expm1(left / alpha))


@with_dim
def softmin(x: Any, axis: int = -1) -> Any:
    """Probabilities that are largest where x is smallest: softmax(−x)."""
    return words.softmax(words.negative(x), axis)


@with_dim
def glu(x: Any, axis: int = -1) -> Any:
    """a ⊙ σ(b), a and b the halves of x along an axis. Dauphin et al. (2017). (…, 2n, …) → (…, n, …).

    Raises:
        ShapeError: the axis has an odd size.
    """
    x = operand(x)
    axis = axis_of(axis, x.shape)
    n = x.shape[axis]
    if n % 2:
        raise ShapeError(f"glu cuts axis {axis} in halves, but it has {n} entries.", input=tuple(x.shape))
    a, b = words.split(x, [n // 2, n // 2], axis)
    return a * words.sigmoid(b)
