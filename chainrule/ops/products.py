"""Products of vectors and of matrices beside `matmul`, and matrices made of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, broadcast_to, operand, with_dim
from chainrule.ops.shapes import concatenate, expand_dims


def inner(a: Any, b: Any) -> Any:
    """Σ aᵢ bᵢ over the last axes. Shapes: a (…, d), b (…′, d), result (…, …′)."""
    return words.tensordot(a, b, ([-1], [-1]))


@with_dim
def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """The vector product a × b in three dimensions, orthogonal to both.

    Raises:
        ShapeError: the axis has not the size 3.

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    array([0., 0., 1.], dtype=float32)
    """
    a, b = operand(a), operand(b)
    for x in (a, b):
        if x.shape[axis_of(axis, x.shape)] != 3:
            raise ShapeError(f"A vector product is of vectors with 3 entries; axis {axis} of {tuple(x.shape)} differs.")
    on, back = (lambda x: words.roll(x, -1, axis)), (lambda x: words.roll(x, 1, axis))
    return on(a) * back(b) - back(a) * on(b)


def matrix_power(a: Any, n: int) -> Any:
    """aⁿ by repeated squaring, about 2 log₂ n products; for n < 0 the power of the inverse. Shape (…, m, m).

    Raises:
        ShapeError: the matrices are not square.
    """
    a = operand(a)
    if len(a.shape) < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"Powers are of square matrices, the shape is {tuple(a.shape)}.")
    if n < 0:
        return matrix_power(words.inv(a), -n)
    y = None
    while n:
        if n % 2:
            y = a if y is None else words.matmul(y, a)
        n //= 2
        a = words.matmul(a, a) if n else a
    return broadcast_to(words.like(np.eye(a.shape[-1]), a), shape=tuple(a.shape)) if y is None else y


def block_diag(*matrices: Any) -> Any:
    """Matrices along the diagonal of a larger one, 0 elsewhere.

    Raises:
        OptionError: there is no matrix.
        ShapeError: one is not a matrix.
    """
    blocks = [operand(m) for m in matrices]
    if not blocks:
        raise OptionError("block_diag needs a matrix at least.")
    for m in blocks:
        if len(m.shape) != 2:
            raise ShapeError(f"Blocks are matrices, one has the shape {tuple(m.shape)}.")
    ends = np.cumsum([m.shape[1] for m in blocks])
    return concatenate(
        [
            words.pad(m, [(0, 0), (int(end) - m.shape[1], int(ends[-1] - end))])
            for m, end in zip(blocks, ends, strict=True)
        ]
    )


def vander(x: Any, n: int | None = None, increasing: bool = False) -> Any:
    """Powers of the entries as rows: 1, x, x², … in n columns (as many as entries), the highest first unless asked.

    Shapes: x (m,), result (m, n).

    >>> vander([2.0, 3.0], 3, increasing=True)
    array([[1., 2., 4.],
           [1., 3., 9.]], dtype=float32)
    """
    x = operand(x)
    if len(x.shape) != 1:
        raise ShapeError(f"A Vandermonde matrix is of a vector, the shape is {tuple(x.shape)}.")
    count = x.shape[0] if n is None else n
    column = expand_dims(x, 1)
    columns = concatenate([column * 0 + 1, broadcast_to(column, shape=(x.shape[0], max(count - 1, 0)))], 1)
    powers = words.cumprod(columns, 1)[:, :count]
    return powers if increasing else words.flip(powers, 1)
