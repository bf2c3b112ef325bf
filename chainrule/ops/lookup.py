"""Entries by number: the embedding of tokens, and the entries named along an axis."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backends import kind_of, looked_at
from chainrule.base.errors import DataError, DtypeError, ShapeError
from chainrule.core.deferred import deferred
from chainrule.core.spec import Spec
from chainrule.core.vocabulary import words
from chainrule.ops.indexing import take_at
from chainrule.ops.operands import axis_of, operand
from chainrule.ops.shapes import reshape


@words.define
def embedding(ids: Any, weight: Any) -> Any:
    """The row of `weight` for each id, as a dense layer on one-hot rows would give. 000 §17.1.

    Shapes: ids (…) integers, weight (vocabulary, width), result (…, width). The gradient of a row is the sum
    over all places where its id stands.

    Raises:
        DtypeError: the ids are no integers.
        DataError: an id is not a row of the weight.
        ShapeError: the weight is no matrix.

    >>> embedding(np.array([2, 0, 2]), np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    array([[4., 5.],
           [0., 1.],
           [4., 5.]])
    """
    ids, weight = operand(ids), operand(weight)
    if len(weight.shape) != 2:
        raise ShapeError(f"An embedding has a weight (vocabulary, width), got {tuple(weight.shape)}.")
    check_ids(ids, weight.shape[0])
    return take_at(weight, ids)


def check_ids(ids: Any, n: int, of: str = "a vocabulary of {}") -> None:
    """Refuse ids that are no integers from 0 to n − 1, and say where the first wrong one stands.

    Raises:
        DtypeError: the ids are no integers.
        DataError: an id is not in the range.
    """
    if kind_of(ids) not in "iu":
        raise DtypeError(
            f"Ids are integers, these are {ids.dtype}.",
            ids=f"shape {tuple(ids.shape)}",
            fix='ids.astype("int64")',
        )
    if deferred(lambda array: check_ids(array, n, of), ids, within=(0, n - 1)):
        return
    values = words.all_values(ids)
    values = None if isinstance(values, Spec) else looked_at(values)
    if values is None or not values.size or (values.min() >= 0 and values.max() < n):
        return
    place = tuple(int(i) for i in np.argwhere((values < 0) | (values >= n))[0])
    raise DataError(
        f"Id {values[place]} is not in {of.format(n)}.",
        place=f"ids[{', '.join(map(str, place))}]",
        ids=f"shape {tuple(values.shape)}, from {values.min()} to {values.max()}; known are 0 to {n - 1}",
        fix=_advice(values),
    )


def _advice(values: Any) -> str:
    if values.min() < 0:
        return "an id of its own for what is missing, in place of negative ones"
    return f"{values.max() + 1} entries, or the id of an unknown one in its place"


@words.define
def take_along_axis(x: Any, ids: Any, axis: int = -1) -> Any:
    """The entries of x named by ids along an axis, y[…, k, …] = x[…, ids[…, k, …], …], as in NumPy.

    Shapes: ids has the axes of x, with the same sizes but along `axis`, where it may have any.

    Raises:
        DtypeError: the ids are no integers.
        DataError: an id is outside of the axis.
        ShapeError: ids and x differ on another axis.

    >>> take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    x, ids = operand(x), operand(ids)
    axis = axis_of(axis, x.shape)
    shape, given = tuple(x.shape), tuple(ids.shape)
    if shape[:axis] + shape[axis + 1 :] != given[:axis] + given[axis + 1 :] or len(shape) != len(given):
        raise ShapeError(f"Ids of shape {given} do not name entries along axis {axis} of shape {shape}.")
    check_ids(ids, shape[axis], f"axis {axis}, which has {{}} entries")
    last = [*(i for i in range(len(shape)) if i != axis), axis]
    x, ids = words.reordered(x, *last), words.reordered(ids, *last)
    rows = np.arange(0, prod(x.shape), shape[axis] or 1).reshape(*x.shape[:-1], 1)
    y = take_at(reshape(x, prod(x.shape)), ids + rows)
    return words.reordered(y, *(int(i) for i in np.argsort(last)))
