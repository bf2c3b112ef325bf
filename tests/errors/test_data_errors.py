"""What a person reads who gives data that cannot be used: the whole text of each message."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.base.errors import ChainruleError, DataError, DtypeError, OptionError, ShapeError
from chainrule.data import (
    Dataset,
    Loader,
    MinMax,
    Standardize,
    from_arrays,
    from_frame,
    repeated_splits,
    split,
)

NAN, INF = float("nan"), float("inf")
X = np.zeros((4, 2))
Y = [0, 1, 0, 1]


def data(n=40, y=None):
    return from_arrays(np.zeros((n, 2)), np.arange(n) % 2 if y is None else y, name="tiny")


CASES = {
    "empty": (
        lambda: from_arrays(np.zeros((0, 4)), []),
        DataError,
        "The data is empty: x has shape (0, 4).\n  try     check the file, or the condition that selected the rows",
    ),
    "no features": (
        lambda: from_arrays(np.zeros((4, 0)), Y),
        DataError,
        "The data has no features: x has shape (4, 0).\n  try     keep at least one column in x",
    ),
    "no rows": (
        lambda: from_arrays([1.0, 2.0], [0, 1]),
        ShapeError,
        "x needs one row for each example, got shape (2,).\n"
        "  try     x[:, None] makes each number an example with one feature",
    ),
    "lengths": (
        lambda: from_arrays(X, [0, 1, 0]),
        DataError,
        "x has 4 rows, but y has 3.\n  x       (4, 2)\n  y       (3,)\n  try     give one target for each row of x",
    ),
    "a single target": (
        lambda: from_arrays(X, 1),
        DataError,
        "x has 4 rows, but y has no axis for the examples.\n"
        "  x       (4, 2)\n"
        "  y       ()\n"
        "  try     give one target for each row of x",
    ),
    "one NaN, named": (
        lambda: from_arrays([[1, 2], [3, NAN]], [0, 1], feature_names=["width", "height"]),
        DataError,
        "x holds a value that is not finite: nan.\n"
        "  where   row 1, column 1 'height' (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training",
    ),
    "several, unnamed": (
        lambda: from_arrays([[1, -INF], [None, NAN]], [0, 1]),
        DataError,
        "x holds 3 values that are not finite, the first: -inf.\n"
        "  where   row 0, column 1 (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training",
    ),
    "NaN in an image": (
        lambda: from_arrays(np.full((1, 1, 2, 2), NAN), [0]),
        DataError,
        "x holds 4 values that are not finite, the first: nan.\n"
        "  where   row 0, position (0, 0, 0) (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training",
    ),
    "too large": (
        lambda: from_arrays([[1.0, 1e300]], [0]),
        DataError,
        "x holds a value that is too large for float32: 1e+300.\n"
        "  where   row 0, column 1 (counted from 0)\n"
        "  try     scale the column down: float32 ends at 3.4e38",
    ),
    "NaN in targets": (
        lambda: from_arrays(X, [0.5, NAN, 1.5, INF]),
        DataError,
        "y holds 2 values that are not finite, the first: nan.\n"
        "  where   row 1 (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training",
    ),
    "no label": (
        lambda: from_arrays(X, ["a", None, "b", NAN]),
        DataError,
        "y has no value in 2 of 4 rows.\n"
        "  where   row 1 (counted from 0)\n"
        "  try     drop these rows, or give them a target",
    ),
    "negative label": (
        lambda: from_arrays(X, [1, -1, 1, -1]),
        DataError,
        "Label -1 is outside 0 to 1, the range of 2 classes.\n"
        "  where   row 1 (counted from 0)\n"
        "  count   2 of 4 labels\n"
        "  try     class labels count from 0; labels of -1 and +1 become 0 and 1 by (y + 1) // 2",
    ),
    "label too large": (
        lambda: from_arrays(X, [1, 2, 3, 2], class_names=["a", "b", "c"]),
        DataError,
        "Label 3 is outside 0 to 2, the range of 3 classes.\n"
        "  where   row 2 (counted from 0)\n"
        "  count   1 of 4 labels\n"
        "  try     class labels count from 0: subtract 1 if yours count from 1, "
        "or name them all in class_names",
    ),
    "unknown class": (
        lambda: from_arrays(X, ["a", "b", "x", "a"], class_names=["a", "b"]),
        DataError,
        "'x' is not one of the classes.\n  where   row 2 (counted from 0)\n  classes a, b",
    ),
    "a quantity as label": (
        lambda: from_arrays(X, [0, 1, 2500, 3]),
        DataError,
        "Labels go up to 2500 for 4 examples: class labels count from 0 without gaps.\n"
        "  try     task='regression' if y is a quantity; y.astype(str) if it holds names of classes",
    ),
    "broken label": (
        lambda: from_arrays(X, [0, 1, 0.5, 1], task="classification"),
        DataError,
        "Class labels are whole numbers, got 0.5.\n"
        "  where   row 2 (counted from 0)\n"
        "  try     task='regression' if y is a quantity",
    ),
    "infinite label": (
        lambda: from_arrays(X, [0, 1, 0, INF], task="classification"),
        DataError,
        "Class labels are whole numbers, got inf.\n"
        "  where   row 3 (counted from 0)\n"
        "  try     task='regression' if y is a quantity",
    ),
    "one-hot labels": (
        lambda: from_arrays(X, np.eye(4, dtype=int)),
        ShapeError,
        "Class labels have shape (n,), got (4, 4).\n  try     y.argmax(axis=1) turns one-hot rows into labels",
    ),
    "texts to regress on": (
        lambda: from_arrays(X, ["a", "b", "c", "d"], task="regression"),
        DataError,
        "A regression needs numbers as targets, y holds texts like 'a'.",
    ),
    "targets with three axes": (
        lambda: from_arrays(X, np.zeros((4, 2, 2))),
        ShapeError,
        "Targets have shape (n,) or (n, k), got (4, 2, 2).\n  try     y.reshape(len(y), -1)",
    ),
    "targets of another kind": (
        lambda: from_arrays(X, np.zeros(4, complex)),
        DataError,
        "y holds values of dtype complex128.\n  try     targets are numbers, truth values or texts",
    ),
    "ragged targets": (
        lambda: from_arrays(X, [[1.0], [1.0, 2.0], [1.0], [1.0]]),
        DataError,
        "The rows of y differ in length.\n  try     give every example the same number of targets",
    ),
    "ragged rows": (
        lambda: from_arrays([[1, 2], [3]], [0, 1]),
        DataError,
        "x is not a table of numbers.\n  try     give every row the same number of entries, all of them numbers",
    ),
    "texts as inputs": (
        lambda: from_arrays([["red"], ["blue"]], [0, 1]),
        DtypeError,
        "x needs real numbers, got dtype <U4.\n  try     write categories as numbers first",
    ),
    "feature names": (
        lambda: from_arrays(X, Y, feature_names=["a", "b", "c"]),
        DataError,
        "There are 3 feature names for x of shape (4, 2).\n"
        "  try     give one name for each column of a two-dimensional x, or none",
    ),
    "task": (
        lambda: from_arrays(X, Y, task="clustering"),  # pyright: ignore[reportArgumentType]
        OptionError,
        "There is no task 'clustering'.\n  try     task is 'classification' or 'regression'",
    ),
    "dtype of x": (
        lambda: Dataset(X.astype(int), np.array(Y)),
        DtypeError,
        "A Dataset keeps x in float32 or float64, got int64.\n"
        "  try     cr.data.from_arrays(x, y) converts arrays and lists",
    ),
    "dtype of y": (
        lambda: Dataset(X.astype(np.float32), np.array(Y, np.int32)),
        DtypeError,
        "A Dataset keeps y in int64, got int32.\n  try     cr.data.from_arrays(x, y) converts arrays and lists",
    ),
    "nothing taken": (
        lambda: data().take([]),
        DataError,
        "The data is empty: x has shape (0, 2).\n  try     check the file, or the condition that selected the rows",
    ),
    "small class": (
        lambda: split(data(20, ["a"] * 16 + ["b"] * 4)),
        DataError,
        "Class 'b' has too few examples (4) to be in every part.\n"
        "  needed  7, for one in a part of 15%\n"
        "  try     merge it with another class, collect more, or split with stratify=False",
    ),
    "small set": (
        lambda: split(data(3, [0.1, 0.2, 0.3])),
        DataError,
        "3 examples are too few: the test part would be empty.\n"
        "  try     collect more examples, or give this part a larger fraction",
    ),
    "fractions": (
        lambda: split(data(), (0.8, 0.1, 0.2)),
        OptionError,
        "fractions are three positive numbers with sum 1, got (0.8, 0.1, 0.2).\n"
        "  try     (0.7, 0.15, 0.15) for training, validation and test",
    ),
    "two fractions": (
        lambda: split(data(), (0.8, 0.2)),
        OptionError,
        "fractions are three positive numbers with sum 1, got (0.8, 0.2).\n"
        "  try     (0.7, 0.15, 0.15) for training, validation and test",
    ),
    "an empty part": (
        lambda: split(data(), (0.8, 0.0, 0.2)),
        OptionError,
        "fractions are three positive numbers with sum 1, got (0.8, 0.0, 0.2).\n"
        "  try     (0.7, 0.15, 0.15) for training, validation and test",
    ),
    "strata of a regression": (
        lambda: split(data(4, [0.5] * 4), stratify=True),
        OptionError,
        "tiny is a regression: it has no classes to stratify by.\n  try     leave out stratify=True",
    ),
    "one example": (
        lambda: split(data(1, [0.1])),
        DataError,
        "1 example is too few: the validation part would be empty.\n"
        "  try     collect more examples, or give this part a larger fraction",
    ),
    "one class": (
        lambda: from_arrays(X, [0, 0, 1, 0], class_names=["a"]),
        DataError,
        "Label 1 is outside 0, the only class.\n"
        "  where   row 2 (counted from 0)\n"
        "  count   1 of 4 labels\n"
        "  try     class labels count from 0: subtract 1 if yours count from 1, "
        "or name them all in class_names",
    ),
    "an array to split": (
        lambda: split(X),  # pyright: ignore[reportArgumentType]
        OptionError,
        "split takes a Dataset or a pair (x, y), got ndarray.\n  try     cr.data.from_arrays(x, y)",
    ),
    "targets beside a data set": (
        lambda: Loader(data(), 32),
        OptionError,
        "A Loader of a Dataset takes its targets from it, but got others too.\n"
        "  try     Loader(dataset, batch_size=32)",
    ),
    "steps of float32": (
        lambda: from_arrays(1.7e9 + np.arange(10.0)[:, None], np.arange(10), feature_names=["t"]).narrowed(
            np.float32, check=True
        ),
        DataError,
        "Column 't' changes by 9 around 1.7e+09, float32 has steps of 128 there.\n"
        "  try     scale it first: cr.data.Standardize().fit(x).transform(x), with x in float64",
    ),
    "steps of float32, no names": (
        lambda: from_arrays(X + [[0, 1e9]] + np.arange(4.0)[:, None], Y).narrowed(np.float32, check=True),
        DataError,
        "Column 1 of x changes by 3 around 1e+09, float32 has steps of 64 there.\n"
        "  try     scale it first: cr.data.Standardize().fit(x).transform(x), with x in float64",
    ),
    "steps of float32 in targets": (
        lambda: from_arrays(X, 1e9 + np.arange(4) / 2).narrowed(np.float32, check=True),
        DataError,
        "y changes by 1.5 around 1e+09, float32 has steps of 64 there.\n"
        "  try     scale it first: cr.data.Standardize().fit(y).transform(y), with y in float64",
    ),
    "too large for a narrower dtype": (
        lambda: Dataset(np.array([[1.0, 1e300]]), np.array([0])).narrowed(np.float32),
        DataError,
        "x holds a value that is too large for float32: 1e+300.\n"
        "  where   row 0, column 1 (counted from 0)\n"
        "  try     scale the column down: float32 ends at 3.4e38",
    ),
    "repeats": (lambda: repeated_splits(data(), 0), OptionError, "repeats is at least 1, got 0."),
    "unfitted scaler": (
        lambda: Standardize().transform(X),
        DataError,
        "Standardize has not been fitted.\n  try     scaler = Standardize().fit(train.x)",
    ),
    "other features": (
        lambda: MinMax().fit(X).transform(np.zeros((5, 3))),
        ShapeError,
        "MinMax was fitted on examples of shape (2,), got (3,).\n"
        "  input   (5, 3)\n"
        "  try     give the same features, in the same order, as in training",
    ),
    "nothing to fit": (
        lambda: Standardize().fit(np.zeros((0, 3))),
        DataError,
        "A scaler needs at least one example, got shape (0, 3).\n  try     fit it on the training part",
    ),
    "batch size 0": (
        lambda: Loader(X, Y, 0),
        OptionError,
        "batch_size is a whole number of at least 1, got 0.\n"
        "  try     32 to 128 are usual; 4 takes all examples at once",
    ),
    "batch size 1.5": (
        lambda: Loader(X, Y, 1.5),  # pyright: ignore[reportArgumentType]
        OptionError,
        "batch_size is a whole number of at least 1, got 1.5.\n"
        "  try     32 to 128 are usual; 4 takes all examples at once",
    ),
    "no batch left": (
        lambda: Loader(X, Y, 5, drop_last=True),
        OptionError,
        "No batch is left: drop_last=True drops the only one, of 4 examples.\n"
        "  try     choose batch_size up to 4 (it is 5), or drop_last=False",
    ),
    "batch that is not there": (
        lambda: Loader(X, Y, 2).epoch(0, start=3),
        OptionError,
        "start is a batch number from 0 to 2, got 3.",
    ),
    "nothing to load": (
        lambda: Loader([], [], 2),
        DataError,
        "There are no examples to load: x has shape (0,).",
    ),
    "lengths to load": (
        lambda: Loader(X, [0], 2),
        DataError,
        "x has 4 rows, but y has 1.\n  x       (4, 2)\n  y       (1,)\n  try     give one target for each row of x",
    ),
}


@pytest.mark.parametrize(("action", "kind", "text"), CASES.values(), ids=CASES)
def test_the_message_is_whole(action, kind, text):
    with pytest.raises(ChainruleError) as caught:
        action()
    assert str(caught.value) == text
    assert type(caught.value) is kind


FRAMES = {
    "columns of one name": (
        lambda pandas: from_frame(pandas.DataFrame([[1, 2, 0]], columns=["a", "a", "y"]), "y"),
        "Columns 1 and 2 have the same name 'a'.\n  try     rename one of them",
    ),
    "columns of one name, as text": (
        lambda pandas: from_frame(pandas.DataFrame([[1, 2, 0]], columns=[1, "1", "y"]), "y"),
        "Columns 1 and 2 have the same name '1'.\n  try     rename one of them",
    ),
    "no column of this number": (
        lambda pandas: from_frame(pandas.DataFrame([[1, 2, 0]]), 7),
        "There is no column '7'.\n  columns 0, 1, 2\n  try     name one of these columns as the target",
    ),
    "target": (
        lambda pandas: from_frame(pandas.DataFrame({"width": [1], "Kind": [0]}), "kind"),
        "There is no column 'kind'.\n  columns width, Kind\n  try     did you mean 'Kind'?",
    ),
    "text column": (
        lambda pandas: from_frame(pandas.DataFrame({"city": ["Rome"], "y": [0]}, dtype=object), "y"),
        "Column 'city' holds object values like 'Rome', not numbers.\n"
        "  try     pandas.get_dummies(frame, columns=[...]) writes categories as numbers",
    ),
    "missing input": (
        lambda pandas: from_frame(pandas.DataFrame({"a": [1, 2], "b": [3, None], "y": [0, 1]}), "y"),
        "x holds a value that is not finite: nan.\n"
        "  where   row 1, column 1 'b' (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training",
    ),
    "missing target": (
        lambda pandas: from_frame(pandas.DataFrame({"a": [1, 2, 3], "y": ["u", None, None]}), "y"),
        "The target 'y' has no value in 2 of 3 rows.\n"
        "  where   row 1 (counted from 0)\n"
        "  try     frame.dropna(subset=['y']) drops these rows",
    ),
    "no rows": (
        lambda pandas: from_frame(pandas.DataFrame({"a": [1.0], "y": [0]}).iloc[:0], "y"),
        "The data is empty: x has shape (0, 1).\n  try     check the file, or the condition that selected the rows",
    ),
}


@pytest.mark.parametrize(("action", "text"), FRAMES.values(), ids=FRAMES)
def test_the_message_about_a_frame_is_whole(action, text):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError) as caught:
        action(pandas)
    assert str(caught.value) == text
