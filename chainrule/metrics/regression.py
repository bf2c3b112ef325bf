"""Scores of predicted numbers: mean squared error, mean absolute error, R²."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chainrule.base.errors import DataError
from chainrule.metrics.pairs import measured


def mse(targets: ArrayLike, predictions: ArrayLike) -> float:
    """The mean squared error, over all entries, in squared units of the target.

        MSE = (1/n) Σᵢ (yᵢ − tᵢ)²

    The mean, without a half: 004 (17).

    Raises:
        ShapeError: the shapes differ.
        DataError: there are no examples.

    >>> mse([2, 5, 6, 3], [3, 4, 8, 2])
    1.75
    """
    t, y = measured("mse", targets, predictions)
    return float(np.mean((y - t) ** 2))


def mae(targets: ArrayLike, predictions: ArrayLike) -> float:
    """The mean absolute error, over all entries, in units of the target.

        MAE = (1/n) Σᵢ |yᵢ − tᵢ|

    004 (19).

    Raises:
        ShapeError: the shapes differ.
        DataError: there are no examples.

    >>> mae([2, 5, 6, 3], [3, 4, 8, 2])
    1.25
    """
    t, y = measured("mae", targets, predictions)
    return float(np.mean(abs(y - t)))


def r2(targets: ArrayLike, predictions: ArrayLike) -> float:
    """The share of the targets' variance that the predictions explain.

        R² = 1 − Σᵢ (yᵢ − tᵢ)² / Σᵢ (tᵢ − t̄)²

    1 is perfect, 0 is as good as the mean, and worse than the mean is negative. With several outputs
    (n, outputs), the plain mean of each output's R².

    Raises:
        ShapeError: the shapes differ.
        DataError: fewer than two examples, or targets that do not vary.

    >>> round(r2([2, 5, 6, 3], [3, 4, 8, 2]), 4)
    0.3
    """
    t, y = measured("r2", targets, predictions)
    if (np.ptp(t, axis=0) == 0).any():
        raise DataError(
            "r2 compares with the variance of the targets, which is zero here.",
            targets=f"{len(t)}, all equal in at least one output",
            fix="mse, or a larger sample",
        )
    errors, spread = ((y - t) ** 2).sum(axis=0), ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(1 - errors / spread))
