"""Targets and probabilities that a loss can use: labels that exist, numbers in [0, 1], signs.

NaN passes, so that it is found where it arose and not where it is first compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import kind_of, looked_at
from chainrule.backends.interface import is_array
from chainrule.base.errors import DataError, DtypeError
from chainrule.core.deferred import deferred
from chainrule.core.vocabulary import words

ROUNDING = 1e-3
"""Probabilities in half precision sum to one within this, and log-probabilities exceed 0 by less."""


def numbers(x: Any) -> np.ndarray | None:
    """The values to be checked; None for a shape without values, which has nothing to check."""
    x = words.all_values(x)
    return looked_at(x) if is_array(x) else None


def check_labels(loss: str, labels: Any, n_classes: int) -> None:
    """Labels are integers from 0 to n_classes − 1.

    Raises:
        DtypeError: floats.
        DataError: a label that is out of range.
    """
    if kind_of(labels) not in "iub":
        fix = "target.astype('int64') for labels, or one row of probabilities for each example"
        raise DtypeError(f"{loss} takes class labels as integers, got {labels.dtype}.", fix=fix)
    if deferred(lambda array: check_labels(loss, array, n_classes), labels, within=(0, n_classes - 1)):
        return
    values = numbers(labels)
    if values is not None and (values.min() < 0 or values.max() >= n_classes):
        raise _out_of_range(loss, values, n_classes)


def _out_of_range(loss: str, labels: np.ndarray, n: int) -> DataError:
    low, high = int(labels.min()), int(labels.max())
    fix = f"an output layer of {high + 1} units, if there are {high + 1} classes"
    if low < 0:
        fix = "np.unique(target, return_inverse=True)[1], which counts the labels from 0"
    elif (low, high) == (1, n):
        fix = "target - 1, for labels count from 0"
    where = first((labels < 0) | (labels >= n))
    return DataError(
        f"{loss} expects labels 0 to {n - 1}, got {labels[where]}.",
        row=row(where),
        classes=f"{n}, as many as there are logits",
        fix=fix,
    )


def check_probabilities(loss: str, what: str, p: Any, fix: str) -> None:
    """All numbers are in [0, 1].

    Raises:
        DataError: one is not.
    """
    if deferred(lambda array: check_probabilities(loss, what, array, fix), p, within=(0, 1)):
        return
    values = numbers(p)
    if values is not None and (values.min() < 0 or values.max() > 1):
        where = first((values < 0) | (values > 1))
        raise DataError(f"{loss} expects {what} in [0, 1], got {values[where]:.6g}.", row=row(where), fix=fix)


def check_distributions(loss: str, p: Any) -> None:
    """Each row holds probabilities that sum to one.

    Raises:
        DataError: a number outside [0, 1], or a row with another sum.
    """
    if deferred(lambda array: check_distributions(loss, array), p):
        return
    check_probabilities(loss, "target probabilities", p, "softmax(target), if these are logits")
    values = numbers(p)
    if values is None:
        return
    wrong = np.abs(values.sum(axis=-1) - 1) > ROUNDING
    if wrong.any():
        where = first(wrong)
        raise DataError(
            f"{loss} expects target rows that sum to 1, got {values.sum(axis=-1)[where]:.6g}.",
            row=row(where),
            fix="binary_cross_entropy_with_logits, if an example may belong to several classes",
        )


def check_log_probabilities(loss: str, log_p: Any) -> None:
    """All numbers are at most 0, as logarithms of probabilities are.

    Raises:
        DataError: one is not.
    """
    if deferred(lambda array: check_log_probabilities(loss, array), log_p):
        return
    values = numbers(log_p)
    if values is not None and values.max() > ROUNDING:
        where = first(values > ROUNDING)
        raise DataError(
            f"{loss} expects log-probabilities, at most 0, got {values[where]:.6g}.",
            row=row(where),
            fix="log_softmax(prediction) for logits, log(prediction) for probabilities",
        )


def check_signs(loss: str, t: Any) -> None:
    """All targets are −1 or +1.

    Raises:
        DataError: one is not.
    """
    if deferred(lambda array: check_signs(loss, array), t):
        return
    values = numbers(t)
    if values is None or (np.abs(values) == 1).all():
        return
    where = first(np.abs(values) != 1)
    fix = "2 * target - 1" if np.isin(values, (0, 1)).all() else "np.where(target > 0, 1, -1)"
    headline = f"{loss} expects targets -1 or +1, got {values[where]:g}."
    raise DataError(headline, row=row(where), fix=fix)


def first(wrong: np.ndarray) -> tuple[int, ...]:
    """The position of the first True."""
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def row(where: tuple[int, ...]) -> str:
    """A position in words: the row, and the column where there is one."""
    names = [str(i) for i in where]
    return f"{names[0]}, column {names[1]}" if len(names) == 2 else ", ".join(names) or "0"
