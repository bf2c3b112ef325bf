"""Scores of predicted class labels: accuracy, the confusion matrix, precision, recall, F1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import DataError, OptionError
from chainrule.metrics.pairs import labelled

Average = Literal["binary", "macro", "micro", "weighted"]
AVERAGES: tuple[Average, ...] = ("binary", "macro", "micro", "weighted")


def accuracy(targets: ArrayLike, predictions: ArrayLike) -> float:
    """The share of examples whose label is predicted.

        accuracy = (1/n) Σᵢ [yᵢ = tᵢ]

    Both hold n class labels. For how far one test set pins it down, see `wilson_interval`. 004 §1.1.1.1.

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    t, y = labelled("accuracy", targets, predictions)
    return float(np.mean(t == y))


def error_rate(targets: ArrayLike, predictions: ArrayLike) -> float:
    """The share of examples whose label is missed, 1 − accuracy; the test error of 002 §5.3.

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples.

    >>> error_rate([0, 1, 2, 2], [0, 1, 1, 2])
    0.25
    """
    t, y = labelled("error_rate", targets, predictions)
    return float(np.mean(t != y))


def confusion_matrix(
    targets: ArrayLike, predictions: ArrayLike, *, classes: ArrayLike | None = None
) -> NDArray[np.int64]:
    """How often each class was taken for each: Cᵢⱼ = #{examples of class i predicted as class j}.

    Rows are true classes, columns predicted ones, both in the order of `classes` (by default all labels that
    occur, sorted), shape (K, K). The diagonal counts what was right: trace(C) / n is the accuracy.

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples, or a label is not among `classes`.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    t, y = labelled("confusion_matrix", targets, predictions)
    seen = np.union1d(t, y)
    known = seen if classes is None else np.asarray(classes)
    if (strange := np.setdiff1d(seen, known)).size:
        raise DataError(
            f"confusion_matrix found labels that are not among the classes: {listed(strange)}.",
            classes=listed(known),
        )
    order = np.argsort(known)
    row, column = (order[np.searchsorted(known, labels, sorter=order)] for labels in (t, y))
    size = len(known)
    return np.bincount(size * row + column, minlength=size**2).reshape(size, size)


def precision(
    targets: ArrayLike, predictions: ArrayLike, *, average: Average = "binary", positive: object = 1
) -> float:
    """Of the examples called positive, the share that are: TP / (TP + FP), and 0 if none was called so.

    `average="binary"` scores the class `positive` of two. With more classes, "macro" is the plain mean over
    classes, "weighted" the mean weighted by how often each occurs, and "micro" pools the counts (which is
    the accuracy).

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples, or "binary" with more than two classes or without `positive`.
        OptionError: no such average.

    >>> precision([0, 0, 1, 1], [0, 1, 1, 1])
    0.6666666666666666
    """
    from sklearn.metrics import precision_score

    return averaged("precision", precision_score, targets, predictions, average, positive)


def recall(targets: ArrayLike, predictions: ArrayLike, *, average: Average = "binary", positive: object = 1) -> float:
    """Of the examples that are positive, the share called so: TP / (TP + FN), and 0 if there are none.

    `average` and `positive` as in `precision`.

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples, or "binary" with more than two classes or without `positive`.
        OptionError: no such average.

    >>> recall([0, 1, 1, 1], [0, 0, 1, 1])
    0.6666666666666666
    """
    from sklearn.metrics import recall_score

    return averaged("recall", recall_score, targets, predictions, average, positive)


def f1(targets: ArrayLike, predictions: ArrayLike, *, average: Average = "binary", positive: object = 1) -> float:
    """The harmonic mean of precision P and recall R.

        F₁ = 2PR / (P + R) = 2TP / (2TP + FP + FN),   and 0 if nothing is or was called positive

    `average` and `positive` as in `precision`; "macro" is the mean of the classes' F₁.

    Raises:
        ShapeError: the lengths differ, or one holds scores and not labels.
        DataError: there are no examples, or "binary" with more than two classes or without `positive`.
        OptionError: no such average.

    >>> f1([0, 0, 1, 1], [0, 1, 1, 1])
    0.8
    """
    from sklearn.metrics import f1_score

    return averaged("f1", f1_score, targets, predictions, average, positive)


def averaged(
    metric: str,
    score: Callable[..., float],
    targets: ArrayLike,
    predictions: ArrayLike,
    average: Average,
    positive: object,
) -> float:
    """One of scikit-learn's averaged scores, after the checks that its callers promise."""
    t, y = labelled(metric, targets, predictions)
    if average not in AVERAGES:
        raise OptionError(f"{metric} has no average {average!r}.", choices=", ".join(AVERAGES))
    if average != "binary":
        return float(score(t, y, average=average, zero_division=0))
    check_binary(metric, np.union1d(t, y), positive)
    return float(score(t == positive, y == positive, zero_division=0))


def check_binary(metric: str, classes: np.ndarray, positive: object) -> None:
    """Two classes at most, and `positive` is one of them where there are two."""
    if len(classes) > 2:
        raise DataError(
            f"{metric} of one class against the other needs two classes, got {len(classes)}.",
            classes=listed(classes),
            fix='average="macro", the mean over the classes',
        )
    if len(classes) == 2 and positive not in classes:
        raise DataError(
            f"{metric} scores the class {positive!r}, which does not occur.",
            classes=listed(classes),
            fix=f"positive={classes[-1].item()!r}",
        )


def listed(labels: np.ndarray) -> str:
    """Labels for a message, at most ten of them."""
    shown = ", ".join(str(label) for label in labels[:10])
    return shown if len(labels) <= 10 else f"{shown}, … ({len(labels)} in all)"
