"""What every metric checks first: one prediction for each target, and at least one of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chainrule.base.errors import DataError, ShapeError


def paired(metric: str, targets: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays with the same, non-zero number of examples along axis 0.

    Raises:
        ShapeError: the numbers of examples differ.
        DataError: there are none.
    """
    t, y = np.atleast_1d(np.asarray(targets)), np.atleast_1d(np.asarray(predictions))
    if len(t) != len(y):
        raise ShapeError(
            f"{metric} needs one prediction per target, got {len(t)} targets and {len(y)} predictions.",
            targets=t.shape,
            predictions=y.shape,
        )
    if t.size == 0:
        raise DataError(f"{metric} needs at least one example, got none.")
    return t, y


def labelled(metric: str, targets: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """As `paired`, and both are lists of class labels.

    Raises:
        ShapeError: as `paired`, or one of them has a second axis (scores, or one-hot rows).
        DataError: as `paired`.
    """
    t, y = paired(metric, targets, predictions)
    for name, values in (("targets", t), ("predictions", y)):
        if values.ndim != 1:
            raise ShapeError(
                f"{metric} compares class labels, one per example, got {name} of shape {values.shape}.",
                fix=f"{name}.argmax(axis=-1), if each row holds one score per class",
            )
    return t, y


def measured(metric: str, targets: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """As `paired`, both in float64 and of one shape, so that no broadcasting can hide a mistake.

    Raises:
        ShapeError: as `paired`, or the shapes differ, as (n,) and (n, 1) do.
        DataError: as `paired`.
    """
    t, y = paired(metric, targets, predictions)
    if t.shape != y.shape:
        raise ShapeError(
            f"{metric} compares arrays of one shape, got targets {t.shape} and predictions {y.shape}.",
            fix="predictions.reshape(targets.shape)",
        )
    return t.astype(np.float64), y.astype(np.float64)
