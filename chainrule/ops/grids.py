"""Arrays made like others, grids of coordinates, and the places of triangles."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import as_dtype, dtype_of, placed
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.reverse import as_given
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.ops.operands import broadcast_to, operand
from chainrule.ops.shapes import reshape
from chainrule.ops.streams import constant


def full_like(x: Any, value: float, dtype: Any = None) -> Any:
    """One number in the shape and dtype of x, in its library; an array for an array, a constant for a tensor."""
    like = operand(x)
    filled = words.astype(words.zeros_like(like), dtype_of(like) if dtype is None else as_dtype(dtype)) + value
    return as_given(like, words.astype(filled, dtype_of(like) if dtype is None else as_dtype(dtype)))


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of x."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape and dtype of x."""
    return full_like(x, 1, dtype)


def rand_like(x: Any) -> Tensor:
    """Draws from the uniform distribution on [0, 1) in the shape and dtype of x, by the next key of the stream."""
    return constant("uniform", tuple(operand(x).shape), dtype_of(operand(x)))


def randn_like(x: Any) -> Tensor:
    """Draws from the standard normal distribution in the shape and dtype of x, by the next key of the stream."""
    return constant("normal", tuple(operand(x).shape), dtype_of(operand(x)))


def randint(low: int, high: int, shape: tuple[int, ...]) -> Tensor:
    """Integers from low to high − 1, all equally likely, by the next key of the stream (`cr.seed`).

    Raises:
        OptionError: there is no integer in between.
    """
    if high <= low:
        raise OptionError(f"There is no integer from {low} up to {high}, which is left out.")
    u = constant("uniform", tuple(shape), np.float64)
    return words.astype(words.floor(u * (high - low)), np.int64) + low


def randperm(n: int) -> Tensor:
    """The numbers 0 … n − 1 in an order drawn by the next key of the stream (`cr.seed`)."""
    return words.argsort(constant("uniform", (n,), np.float64))


def logspace(start: float, stop: float, n: int, base: float = 10.0, dtype: Any = np.float32) -> Tensor:
    """n numbers from base^start to base^stop, both included, at equal ratios.

    >>> logspace(0, 2, 3)
    Tensor([  1.,  10., 100.])
    """
    return Tensor(placed(np.logspace(start, stop, n, base=base).astype(as_dtype(dtype))))


def meshgrid(*xs: Any, indexing: str = "ij") -> list[Any]:
    """Coordinates of the points of a grid: for vectors of sizes m, n, … as many arrays (m, n, …).

    `indexing="xy"` exchanges the first two axes, as pictures have them.

    Raises:
        OptionError: there is no such indexing.
        ShapeError: an x is not a vector.
    """
    if indexing not in ("ij", "xy"):
        raise OptionError(f"There is no indexing {indexing!r}.", known="ij, xy")
    vectors = [operand(x) for x in xs]
    for x in vectors:
        if len(x.shape) != 1:
            raise ShapeError(f"A grid is made of vectors, one has the shape {tuple(x.shape)}.")
    shape = tuple(x.shape[0] for x in vectors)
    lined = [reshape(x, tuple(-1 if i == k else 1 for i in range(len(shape)))) for k, x in enumerate(vectors)]
    grids = [broadcast_to(x, shape=shape) for x in lined]
    return [words.swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(shape) > 1 else grids


def tril_indices(rows: int, columns: int, offset: int = 0) -> Tensor:
    """Rows and columns of the entries of a lower triangle, (2, entries)."""
    return Tensor(placed(np.stack(np.tril_indices(rows, offset, columns))))


def triu_indices(rows: int, columns: int, offset: int = 0) -> Tensor:
    """Rows and columns of the entries of an upper triangle, (2, entries)."""
    return Tensor(placed(np.stack(np.triu_indices(rows, offset, columns))))
