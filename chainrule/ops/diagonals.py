"""Diagonals, triangles and traces of matrices, and the Kronecker product. Matrices stand in the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.indexing import add_at, take_at
from chainrule.ops.operands import axis_of, operand
from chainrule.ops.rearrangement import moveaxis
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import reshape


def _steps(rows: int, columns: int, offset: int) -> tuple[Any, Any]:
    """Row and column numbers of a diagonal."""
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    count = np.arange(length)
    return count - min(offset, 0), count + max(offset, 0)


@words.define
def diagonal(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Any:
    """The diagonal of the matrices in two axes, as the last axis: y[…, i] = x[…, i, i + offset].

    Raises:
        ShapeError: there are not two such axes.
    """
    x = operand(x)
    if len(x.shape) < 2 or axis_of(axis1, x.shape) == axis_of(axis2, x.shape):
        raise ShapeError(f"A diagonal needs two axes; the shape is {tuple(x.shape)}, the axes {axis1} and {axis2}.")
    x = moveaxis(x, (axis1, axis2), (0, 1))
    return moveaxis(take_at(x, *_steps(x.shape[0], x.shape[1], offset)), 0, -1)


@words.define
def diag(x: Any, offset: int = 0) -> Any:
    """A vector as the diagonal of a square matrix; the diagonal of a matrix as a vector. As NumPy's.

    Raises:
        ShapeError: x is neither a vector nor a matrix.
    """
    x = operand(x)
    if len(x.shape) == 1:
        return diag_embed(x, offset)
    if len(x.shape) != 2:
        raise ShapeError(f"Expected a vector or a matrix, got shape {tuple(x.shape)}.", fix="cr.diagonal(x)")
    return diagonal(x, offset)


@words.define
def diag_embed(x: Any, offset: int = 0) -> Any:
    """Square matrices with the last axis of x on a diagonal, 0 elsewhere. Shapes: x (…, n), result (…, m, m)."""
    x = operand(x)
    size = x.shape[-1] + abs(offset)
    y = add_at(moveaxis(x, -1, 0), *_steps(size, size, offset), shape=(size, size, *x.shape[:-1]))
    return moveaxis(y, (0, 1), (-2, -1))


@words.define
def trace(x: Any, offset: int = 0) -> Any:
    """The sum of the diagonal of the matrices in the last two axes."""
    return sum(diagonal(x, offset), -1)


@words.define
def tril(x: Any, offset: int = 0) -> Any:
    """The lower triangle, 0 above the diagonal `offset`."""
    return _triangle(x, lambda row, column: column <= row + offset)


@words.define
def triu(x: Any, offset: int = 0) -> Any:
    """The upper triangle, 0 below the diagonal `offset`."""
    return _triangle(x, lambda row, column: column >= row + offset)


def _triangle(x: Any, kept: Any) -> Any:
    """Chosen, not multiplied by 0, so that ∞ and NaN in the other triangle do no harm."""
    x = operand(x)
    if len(x.shape) < 2:
        raise ShapeError(f"A triangle is part of a matrix; the shape is {tuple(x.shape)}.")
    row, column = np.ogrid[: x.shape[-2], : x.shape[-1]]
    return words.where(kept(row, column), x, 0)


@words.define
def kron(a: Any, b: Any) -> Any:
    """Kronecker product of two matrices: blocks aᵢⱼ b. Shapes: a (m, n), b (p, q), result (m p, n q).

    Raises:
        ShapeError: an operand is no matrix.
    """
    a, b = operand(a), operand(b)
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise ShapeError(
            f"A Kronecker product is of two matrices; the shapes are {tuple(a.shape)} and {tuple(b.shape)}."
        )
    (m, n), (p, q) = a.shape, b.shape
    return reshape(reshape(a, m, 1, n, 1) * reshape(b, 1, p, 1, q), m * p, n * q)
