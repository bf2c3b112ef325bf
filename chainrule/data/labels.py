"""Targets in the form a loss takes: class labels 0 .. K−1 as int64, quantities as floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from chainrule.base.errors import DataError, OptionError, ShapeError
from chainrule.data.checks import check_finite, place
from chainrule.data.precision import FLOAT32, kept_dtype, narrow

Task = Literal["classification", "regression"]

MOST_UNNAMED_CLASSES = 1000  # as many as ImageNet; beyond it, more classes than examples are a mistake


def check_task(task: str) -> None:
    """The task is one of the two.

    Raises:
        OptionError: it is something else.
    """
    if task not in get_args(Task):
        raise OptionError(f"There is no task {task!r}.", fix="task is 'classification' or 'regression'")


def as_array(y: Any) -> np.ndarray:
    """Targets as an array of texts, truth values, integers or floats.

    Raises:
        DataError: entries are missing, or of kinds that do not go together.
    """
    try:
        y = np.asarray(y)
        if y.dtype == object and y.ndim:
            check_gaps(y)
            y = np.asarray(y.tolist())  # NumPy looks again: all texts, or all integers
    except DataError:
        raise
    except ValueError:
        fix = "give every example the same number of targets"
        raise DataError("The rows of y differ in length.", fix=fix) from None
    if y.dtype.kind not in "USTbiuf":
        fix = "targets are numbers, truth values or texts"
        raise DataError(f"y holds values of dtype {y.dtype}.", fix=fix)
    return y.astype(str) if y.dtype.kind in "ST" else y


def check_gaps(y: np.ndarray) -> None:
    """An array of objects holds neither None nor NaN."""
    gaps = np.reshape([value is None or value != value for value in y.ravel()], y.shape)
    rows = np.unique(np.nonzero(gaps)[0]).tolist()
    if rows:
        fix = "drop these rows, or give them a target"
        raise DataError(f"y has no value in {len(rows)} of {len(y)} rows.", where=place(rows[:1], ()), fix=fix)


def task_of(y: np.ndarray) -> Task:
    """Floats are quantities; integers, truth values and texts are classes."""
    return "regression" if y.dtype.kind == "f" else "classification"


def quantities(y: np.ndarray) -> np.ndarray:
    """Targets of a regression as float32 where that holds them, else float64, shape (n,) or (n, k).

    Raises:
        DataError: texts, NaN or infinite values.
        ShapeError: more than two axes.
    """
    if y.dtype.kind == "U":
        raise DataError(f"A regression needs numbers as targets, y holds texts like {str(y.flat[0])!r}.")
    if y.ndim > 2:
        raise ShapeError(f"Targets have shape (n,) or (n, k), got {y.shape}.", fix="y.reshape(len(y), -1)")
    values = y.astype(kept_dtype(y.dtype))
    check_finite("y", values, y)
    narrow("y", values, FLOAT32)  # for its check: models compute in float32
    return values


def classes(y: np.ndarray, names: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class labels 0 .. K−1 as int64, and the names of the K classes.

    Texts are numbered in the order of `names`, or of the alphabet; integers are labels already, and truth
    values are 0 and 1.

    >>> classes(np.array(["cat", "bird", "cat"]))
    (array([1, 0, 1]), ('bird', 'cat'))

    Raises:
        DataError: a text that is not among the names, a number that is not whole, labels too large to count.
        ShapeError: more than one label for each example.
    """
    y = one_each(y)
    if y.dtype.kind == "U":
        return encode(y, tuple(names))
    if y.dtype.kind == "b":
        return y.astype(np.int64), tuple(names) or ("False", "True")
    labels = whole(y)
    return labels, tuple(names) or numbered(labels)


def one_each(y: np.ndarray) -> np.ndarray:
    """One label for each example, shape (n,); a single column is one too."""
    if y.ndim == 1:
        return y
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    raise ShapeError(
        f"Class labels have shape (n,), got {y.shape}.", fix="y.argmax(axis=1) turns one-hot rows into labels"
    )


def encode(y: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Texts as numbers: the position of each in the names."""
    found, inverse = np.unique(y, return_inverse=True)
    names = names or tuple(found.tolist())
    unknown = [text for text in found.tolist() if text not in names]
    if unknown:
        row = int(np.flatnonzero(y == unknown[0])[0])
        headline = f"{unknown[0]!r} is not one of the classes."
        raise DataError(headline, where=place([row], ()), classes=", ".join(names))
    positions = np.array([names.index(text) for text in found.tolist()], dtype=np.int64)
    return positions[inverse], names


def whole(y: np.ndarray) -> np.ndarray:
    """Numbers as int64, when they are whole."""
    if y.dtype.kind == "f":
        broken = np.flatnonzero(y != np.round(y))  # NaN differs from itself, infinity is caught by the range
        broken = broken if len(broken) else np.flatnonzero(~np.isfinite(y))
        if len(broken):
            headline = f"Class labels are whole numbers, got {y[broken[0]]}."
            fix = "task='regression' if y is a quantity"
            raise DataError(headline, where=place(broken[:1].tolist(), ()), fix=fix)
    return y.astype(np.int64)


def numbered(labels: np.ndarray) -> tuple[str, ...]:
    """Names for classes that have none: their numbers."""
    top = int(labels.max(initial=0))
    if top >= max(MOST_UNNAMED_CLASSES, len(labels)):
        raise DataError(
            f"Labels go up to {top} for {len(labels)} examples: class labels count from 0 without gaps.",
            fix="task='regression' if y is a quantity; y.astype(str) if it holds names of classes",
        )
    return tuple(str(k) for k in range(top + 1))
