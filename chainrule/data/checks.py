"""What data must obey before it is used: sizes that agree, finite numbers, labels in range."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from chainrule.base.errors import DataError, ShapeError


def check_sizes(x: np.ndarray, y: np.ndarray) -> None:
    """There are examples, each has features, and each has a target.

    Raises:
        DataError: no examples, no features, or x and y of different length.
        ShapeError: x has no axis for the features.
    """
    if x.ndim < 2:
        raise ShapeError(
            f"x needs one row for each example, got shape {x.shape}.",
            fix="x[:, None] makes each number an example with one feature",
        )
    if len(x) == 0:
        fix = "check the file, or the condition that selected the rows"
        raise DataError(f"The data is empty: x has shape {x.shape}.", fix=fix)
    if x.size == 0:
        fix = "keep at least one column in x"
        raise DataError(f"The data has no features: x has shape {x.shape}.", fix=fix)
    check_lengths(x, y)


def check_lengths(x: np.ndarray, y: np.ndarray) -> None:
    """x and y have one entry for each example.

    Raises:
        DataError: they have different lengths.
    """
    if y.ndim == 0 or len(x) != len(y):
        rows = str(len(y)) if y.ndim else "no axis for the examples"
        fix = "give one target for each row of x"
        raise DataError(f"x has {len(x)} rows, but y has {rows}.", x=x.shape, y=y.shape, fix=fix)


def check_finite(what: str, values: np.ndarray, given: np.ndarray, feature_names: Sequence[str] = ()) -> None:
    """All numbers are finite. `given` holds the values as they were before they were narrowed.

    Raises:
        DataError: NaN or infinity; the first is named by row and column, and all are counted.
    """
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum()):  # one pass without a temporary; the sum of finite numbers may overflow
            return
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise not_finite(what, float(given[tuple(bad[0])]), place(bad[0].tolist(), feature_names), len(bad))


def not_finite(what: str, value: float, where: str, count: int) -> DataError:
    """The message for values that are no numbers, or that float32 cannot hold."""
    if np.isfinite(value):
        fault, fix = "too large for float32", "scale the column down: float32 ends at 3.4e38"
    else:
        fault, fix = "not finite", "drop these rows, or fill the gaps, before training"
    one, several = f"a value that is {fault}", f"{count} values that are {fault}, the first"
    return DataError(f"{what} holds {one if count == 1 else several}: {value}.", where=where, fix=fix)


def place(index: Sequence[int], feature_names: Sequence[str]) -> str:
    """An index in words: row, and column with its name where it has one."""
    row, *rest = index
    if not rest:
        return f"row {row} (counted from 0)"
    if len(rest) > 1:
        return f"row {row}, position {tuple(rest)} (counted from 0)"
    name = f" {feature_names[rest[0]]!r}" if feature_names else ""
    return f"row {row}, column {rest[0]}{name} (counted from 0)"


def check_labels(y: np.ndarray, n_classes: int) -> None:
    """Labels lie in 0 .. n_classes − 1.

    Raises:
        DataError: a negative label, or one with no class; the first row is named, and all are counted.
    """
    bad = np.flatnonzero((y < 0) | (y >= n_classes))
    if len(bad) == 0:
        return
    first, label = int(bad[0]), int(y[bad[0]])
    if label < 0:
        fix = "class labels count from 0; labels of -1 and +1 become 0 and 1 by (y + 1) // 2"
    else:
        fix = "class labels count from 0: subtract 1 if yours count from 1, or name them all in class_names"
    valid = f"0 to {n_classes - 1}, the range of {n_classes} classes" if n_classes > 1 else "0, the only class"
    raise DataError(
        f"Label {label} is outside {valid}.",
        where=place([first], ()),
        count=f"{len(bad)} of {len(y)} labels",
        fix=fix,
    )


def check_names(names: Sequence[str], x: np.ndarray) -> None:
    """There is one feature name for each column.

    Raises:
        DataError: there are more names than columns, or fewer, or x has no columns to name.
    """
    if names and (x.ndim != 2 or len(names) != x.shape[1]):
        raise DataError(
            f"There are {len(names)} feature names for x of shape {x.shape}.",
            fix="give one name for each column of a two-dimensional x, or none",
        )


def check_several_classes(y: np.ndarray, class_names: Sequence[str]) -> None:
    """There are two classes or more to learn to tell apart; asked of training data alone.

    Raises:
        DataError: all labels are the same.
    """
    if y.min() == y.max():
        raise DataError(
            f"The target has one class ({class_names[y[0]]!r}): there is nothing to tell apart.",
            fix="check the target column, or the condition that selected the rows",
        )


def same_names(columns: Sequence[str], number: int, **places: object) -> DataError:
    """The message for a column, counted from 0, that has the name of one before it."""
    name = columns[number]
    headline = f"Columns {columns.index(name) + 1} and {number + 1} have the same name {name!r}."
    return DataError(headline, **places, fix="rename one of them")


def no_target(target: str, columns: Sequence[str], **places: object) -> DataError:
    """The message for a table without the target column: the columns there are, and the closest."""
    close = get_close_matches(target, columns, n=1) or [c for c in columns if c.lower() == target.lower()]
    fix = f"did you mean {close[0]!r}?" if close else "name one of these columns as the target"
    return DataError(f"There is no column {target!r}.", **places, columns=", ".join(columns), fix=fix)
