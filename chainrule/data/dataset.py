"""A data set: inputs, targets, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import DataError, DtypeError
from chainrule.data.checks import (
    check_finite,
    check_labels,
    check_names,
    check_sizes,
    no_target,
    place,
    same_names,
)
from chainrule.data.labels import Task, as_array, check_task, classes, numbered, quantities, task_of
from chainrule.data.precision import FLOAT32, check_resolution, kept_dtype, narrow

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Dataset:
    """n examples with targets: `x` (n, features) or (n, any shape), `y` labels or quantities.

    For a classification `y` is (n,) int64 with labels 0 .. K−1, and `class_names` has K entries (numbers,
    where none are given); for a regression it is (n,) or (n, k). Inputs and quantities are float32 or float64;
    in float64 they stay exact until they are scaled, and `fit` narrows them to the model's dtype. What is
    kept here has been checked; `from_arrays` converts.

    >>> data = from_arrays([[0.0, 1.0], [2.0, 3.0]], ["no", "yes"], name="tiny")
    >>> data
    Dataset('tiny', 2 examples, 2 features, 2 classes)
    >>> data.y, data.class_names
    (array([0, 1]), ('no', 'yes'))

    Raises:
        DataError: empty data, lengths that differ, NaN or infinite values, labels out of range.
        DtypeError: arrays of another dtype.
    """

    x: np.ndarray
    y: np.ndarray
    name: str = "data"
    task: Task = "classification"
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_task(self.task)
        check_sizes(self.x, self.y)
        check_dtype("x", self.x, np.float32, np.float64)
        check_names(self.feature_names, self.x)
        check_finite("x", self.x, self.x, self.feature_names)
        if self.task == "classification":
            check_dtype("y", self.y, np.int64)
            object.__setattr__(self, "class_names", self.class_names or numbered(self.y))
            check_labels(self.y, self.n_classes)
        else:
            check_dtype("y", self.y, np.float32, np.float64)
            check_finite("y", self.y, self.y)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        kind = f"{self.n_classes} classes" if self.task == "classification" else "regression"
        return f"Dataset({self.name!r}, {len(self)} examples, {self.n_features} features, {kind})"

    @property
    def n_features(self) -> int:
        """Numbers in one example: 784 for an image of 28 × 28."""
        return self.x[0].size

    @property
    def n_classes(self) -> int:
        """Number of classes K, also of those without an example here; 0 for a regression."""
        return len(self.class_names)

    def take(self, indices: Any) -> Dataset:
        """The examples at these indices, or where a mask is true, as a data set of its own."""
        rows = np.asarray(indices)
        rows = rows.astype(np.intp) if rows.size == 0 else rows
        return replace(self, x=self.x[rows], y=self.y[rows])

    def narrowed(self, dtype: Any, check: bool = False) -> Dataset:
        """The same data in a floating dtype, where that is narrower: as a model of this dtype sees it.

        With `check`, that must leave every column its differences: float32 has steps of 128 around 1.7e9.

        Raises:
            DataError: a number is too large for the dtype, or a column is destroyed by its steps.
        """
        names, wanted = self.feature_names, kept_dtype(np.dtype(dtype))
        x, y = narrow("x", self.x, wanted, names), narrow("y", self.y, wanted)
        if check:
            check_resolution("x", self.x, x, names)
            check_resolution("y", self.y, y)
        return self if x is self.x and y is self.y else replace(self, x=x, y=y)


def check_dtype(what: str, array: np.ndarray, *dtypes: type[np.generic]) -> None:
    """An array has a dtype that a data set keeps.

    Raises:
        DtypeError: it has another one.
    """
    if array.dtype not in dtypes:
        wanted = " or ".join(np.dtype(dtype).name for dtype in dtypes)
        fix = "cr.data.from_arrays(x, y) converts arrays and lists"
        raise DtypeError(f"A Dataset keeps {what} in {wanted}, got {array.dtype}.", fix=fix)


def from_arrays(
    x: Any,
    y: Any,
    *,
    name: str = "data",
    task: Task | None = None,
    feature_names: Sequence[str] = (),
    class_names: Sequence[str] = (),
) -> Dataset:
    """A data set from NumPy arrays or lists.

    Without `task`, floats in y make a regression; integers, truth values and texts make a classification.
    Texts are numbered in the order of `class_names`, or of the alphabet. Integers stay as they are: they
    have to count from 0. Inputs are kept in float32 where it holds all that their dtype does, else in float64.

    Raises:
        DataError: what `Dataset` raises, and rows of different length, texts among the inputs.
        DtypeError: inputs that are no real numbers.
    """
    targets = as_array(y)
    task = task or task_of(targets)
    check_task(task)
    inputs = real_numbers(x)
    check_sizes(inputs, targets)
    check_names(feature_names, inputs)
    values = np.ascontiguousarray(inputs, dtype=kept_dtype(inputs.dtype))
    check_finite("x", values, inputs, feature_names)
    narrow("x", values, FLOAT32, feature_names)  # for its check: models compute in float32
    if task == "regression":
        return Dataset(values, quantities(targets), name, task, tuple(feature_names))
    labels, names = classes(targets, class_names)
    return Dataset(values, labels, name, task, tuple(feature_names), names)


def _no_table(x: Any) -> DataError:
    """The error for inputs that are no numbers, with the first text among them and where it stands."""
    if getattr(x, "ndim", None) == 2:
        for (row, column), value in np.ndenumerate(np.asarray(x)):
            if isinstance(value, str):
                return DataError(
                    f"x is not a table of numbers: it holds {value!r}.",
                    where=place([row, column], list(map(str, getattr(x, "columns", [])))),
                    fix="one column of 0 and 1 for each category (pandas.get_dummies(x)), or leave the column out",
                )
    return DataError(
        "x is not a table of numbers.", fix="give every row the same number of entries, all of them numbers"
    )


def real_numbers(x: Any) -> np.ndarray:
    """Inputs as an array of real numbers; None becomes NaN, which the checks name."""
    try:
        array = np.asarray(x)
        array = array.astype(np.float64) if array.dtype == object else array
    except (ValueError, TypeError):
        raise _no_table(x) from None
    if array.dtype.kind not in "biuf":
        fix = "write categories as numbers first"
        raise DtypeError(f"x needs real numbers, got dtype {array.dtype}.", fix=fix)
    return array


def from_frame(frame: pandas.DataFrame, target: Any, *, name: str = "data", task: Task | None = None) -> Dataset:
    """A data set from a pandas frame: one column is the target, all others are features.

    Columns may be named by texts or by numbers. The task follows from the target column as in `from_arrays`.

    Raises:
        DataError: no such column, two columns of one name, a column that holds no numbers, missing
            values (row and column named).
    """
    columns = [str(column) for column in frame.columns]
    check_different(columns)
    frame, target = frame.set_axis(columns, axis=1), str(target)
    if target not in columns:
        raise no_target(target, columns)
    features = frame.drop(columns=[target])
    check_numeric(features)
    gaps = np.flatnonzero(frame[target].isna())
    if len(gaps):
        headline = f"The target {target!r} has no value in {len(gaps)} of {len(frame)} rows."
        fix = f"frame.dropna(subset=[{target!r}]) drops these rows"
        raise DataError(headline, where=place(gaps[:1].tolist(), ()), fix=fix)
    x = features.to_numpy(dtype=np.float64, na_value=np.nan)
    names = tuple(str(column) for column in features.columns)
    return from_arrays(x, frame[target].to_numpy(), name=name, task=task, feature_names=names)


def check_different(columns: Sequence[str]) -> None:
    """Every column has a name of its own."""
    for number, name in enumerate(columns):
        if name in columns[:number]:
            raise same_names(columns, number)


def check_numeric(features: pandas.DataFrame) -> None:
    """Every column holds numbers or truth values."""
    from pandas.api.types import is_numeric_dtype

    for column in features.columns:
        if not is_numeric_dtype(features[column]):
            value = features[column].iloc[0] if len(features) else None
            raise DataError(
                f"Column {str(column)!r} holds {features[column].dtype} values like {value!r}, not numbers.",
                fix="pandas.get_dummies(frame, columns=[...]) writes categories as numbers",
            )
