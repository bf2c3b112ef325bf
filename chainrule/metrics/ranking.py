"""Scores of graded predictions: how well they rank (ROC AUC), how probable they held the truth (log loss)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chainrule.base.errors import DataError, ShapeError
from chainrule.metrics.pairs import paired

ROW_SUM_ERROR = 1e-3  # float16 softmax rows add up to 1 within this


def roc_auc(targets: ArrayLike, scores: ArrayLike) -> float:
    """The probability that a positive example scores higher than a negative one; ties count half.

        AUC = P(s₊ > s₋) + ½ P(s₊ = s₋)

    It is the area under the curve of true against false positive rate, 0.5 for guessing. `targets` are (n,)
    classes 0..K−1. `scores` are (n,) of class 1, of any scale (logits do), or (n, K), which gives the plain
    mean over the K classes of each against the rest.

    Raises:
        ShapeError: the lengths differ, or the shapes are none of the above.
        DataError: there are no examples, a target is not one of the classes, or a class has none or all.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    t, columns = classes_and_columns("roc_auc", targets, scores)
    each = [(k, t == k) for k in range(columns.shape[1])] if columns.shape[1] > 1 else [(0, t == 1)]
    for k, truth in each:
        if truth.all() or not truth.any():
            label = k if columns.shape[1] > 1 else 1
            raise DataError(
                f"roc_auc ranks class {label} against the rest, but "
                f"{int(truth.sum())} of {len(t)} examples are of that class.",
                fix="a larger sample, or a stratified split",
            )
    return float(np.mean([roc_auc_score(truth, columns[:, k]) for k, truth in each]))


def log_loss(targets: ArrayLike, probabilities: ArrayLike) -> float:
    """The mean negative logarithm of the probability given to the true class, in nats.

        log loss = −(1/n) Σᵢ ln p(tᵢ | xᵢ)

    `targets` are (n,) classes 0..K−1; `probabilities` (n, K), or (n,) of class 1. Probabilities are kept
    eps = 2⁻⁵² away from 0, so that one certain mistake costs 36 nats and not infinity. For training use the
    cross-entropy losses, which take logits and need no such bound. 004 (21), (24).

    Raises:
        ShapeError: the lengths differ, or the shapes are none of the above.
        DataError: there are no examples, a target is not one of the classes, or the rows are not
            probabilities.

    >>> round(log_loss([0, 1], [[0.9, 0.1], [0.2, 0.8]]), 6)
    0.164252
    """
    from sklearn.metrics import log_loss as mean_nats

    t, columns = classes_and_columns("log_loss", targets, probabilities)
    p = np.hstack([1 - columns, columns]) if columns.shape[1] == 1 else columns
    check_probabilities(p)
    return float(mean_nats(t, p / p.sum(axis=1, keepdims=True), labels=np.arange(p.shape[1])))


def classes_and_columns(metric: str, targets: ArrayLike, graded: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Integer targets (n,) and float64 predictions (n, K), with K = 1 for those of class 1 alone."""
    t, s = paired(metric, targets, graded)
    columns = np.asarray(s[:, None] if s.ndim == 1 else s, dtype=np.float64)
    if t.ndim != 1 or columns.ndim != 2:
        raise ShapeError(
            f"{metric} takes targets (n,) and predictions (n,) or (n, classes), got {t.shape} and {s.shape}."
        )
    if not np.isfinite(columns).all():
        row, column = np.argwhere(~np.isfinite(columns))[0]
        raise DataError(f"{metric} needs finite predictions, got {columns[row, column]}.", row=row, column=column)
    count = max(columns.shape[1], 2)
    if not (outside := ~np.isin(t, np.arange(count))).any():
        return t, columns
    row = int(np.argmax(outside))
    raise DataError(f"{metric} expects targets 0 to {count - 1}, got {t[row]}.", row=row)


def check_probabilities(p: np.ndarray) -> None:
    """Entries in [0, 1] and rows that add up to 1."""
    wrong = (p < 0).any(axis=1) | (p > 1).any(axis=1) | (abs(p.sum(axis=1) - 1) > ROW_SUM_ERROR)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            "log_loss expects probabilities: numbers from 0 to 1 that add up to 1 in each row.",
            row=f"{row}: {np.array2string(p[row], precision=4, separator=', ', threshold=6)}",
            fix="softmax(logits), or sigmoid(logits) for two classes",
        )
