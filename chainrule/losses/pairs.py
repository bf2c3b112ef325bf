"""What every loss checks first: a prediction and its target, of shapes that fit and in one dtype.

A difference of shapes that NumPy would broadcast, (n, 1) against (n,) giving (n, n), is an error here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of
from chainrule.base.errors import DataError, ShapeError
from chainrule.ops.operands import DEFAULT_FLOAT, astype, like, operand


def paired(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Both with one shape and at least one entry; the target in the dtype of the prediction.

    Raises:
        ShapeError: the shapes differ.
        DataError: there are no entries.
    """
    y, t = predicted(loss, prediction), operand(target)
    if y.shape != t.shape:
        raise mismatch(loss, tuple(y.shape), tuple(t.shape))
    return y, matching(t, y)


def predicted(loss: str, prediction: Any) -> Any:
    """A prediction as numbers in floating point, of at least one example.

    Raises:
        DataError: there are none.
    """
    y = operand(prediction)
    if 0 in y.shape:
        raise DataError(f"{loss} needs at least one example, got none.", shape=tuple(y.shape))
    return y if kind_of(y) == "f" else astype(y, dtype=DEFAULT_FLOAT)


def matching(target: Any, prediction: Any) -> Any:
    """A target in the dtype of the prediction, so that a loss never widens the network's numbers."""
    t = like(operand(target), prediction)
    return t if dtype_of(t) == dtype_of(prediction) else astype(t, dtype=dtype_of(prediction))


def mismatch(loss: str, y: tuple[int, ...], t: tuple[int, ...]) -> ShapeError:
    """The error for two shapes that should be equal, with the change that makes them so."""
    error = ShapeError(f"{loss} compares arrays of one shape, got prediction {y} and target {t}.")
    if len(y) == len(t) + 1 and y[:-1] == t and y[-1] > 1:
        labels = "cross_entropy, if these are class labels"
        return error.at(fix=f"{labels}; or a target of shape {y}, one value for each of the {y[-1]} outputs")
    if np.prod(y) == np.prod(t):
        return error.at(fix=f"target.reshape{y}")
    if len(y) == len(t) and y[:1] != t[:1]:
        return error.at(axis=f"0, the examples: {y[0]} predicted, {t[0]} given")
    if len(y) == len(t):
        axis = next(i for i in range(len(y)) if y[i] != t[i])
        fix = f"an output layer of {t[axis]} units, one for each column of the target"
        return error.at(axis=f"{axis}: {y[axis]} predicted, {t[axis]} given", fix=fix)
    return error
