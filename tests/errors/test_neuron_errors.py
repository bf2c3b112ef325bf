"""The whole text of each message of the single neurons."""

import re

import numpy as np
import pytest

from chainrule.base.errors import DataError, NumericalError, OptionError, ShapeError
from chainrule.models.neurons import (
    Adaline,
    BatchAdaline,
    BatchPerceptron,
    ErrorDrivenHebb,
    LogicNetwork,
    McCullochPitts,
    Perceptron,
    margin,
    mistake_bound,
    separating_hyperplane,
    signed_distance,
)

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
LEARNERS = [Perceptron, BatchPerceptron, ErrorDrivenHebb, Adaline, BatchAdaline]


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize(
    ("x", "t", "kind", "text"),
    [
        (
            [0.0, 1.0],
            [0, 1],
            ShapeError,
            "{name} expects inputs of shape (examples, features), got (2,).\n"
            "  try     x.reshape(-1, 1) for one feature, x.reshape(1, -1) for one example",
        ),
        (
            X,
            [0, 1, 1],
            ShapeError,
            "{name} needs one label per example, got 4 examples and 3 labels.\n  input   (4, 2)\n  labels  (3,)",
        ),
        (
            X,
            [[0], [1], [1], [1]],
            ShapeError,
            "{name} expects one label per example, shape (examples,), got (4, 1).",
        ),
        (
            np.zeros((0, 2)),
            [],
            DataError,
            "{name} needs at least one example, got none.\n  input   (0, 2)",
        ),
        (
            [[0.0, 1.0], [np.nan, 1.0]],
            [0, 1],
            DataError,
            "{name} needs finite inputs, got nan.\n  row     1\n  column  0",
        ),
        (
            X,
            [1, 2, 2, 2],
            DataError,
            "{name} tells two classes apart, labelled 0/1 or -1/+1.\n"
            "  labels  1, 2\n  row     1, the first that does not fit 0/1",
        ),
        (
            X,
            [-1, 0, 1, 1],
            DataError,
            "{name} tells two classes apart, labelled 0/1 or -1/+1.\n"
            "  labels  -1, 0, 1\n  row     1, the first that does not fit -1/1",
        ),
    ],
)
def test_data_that_no_neuron_learns(learner, x, t, kind, text):
    with refuses(kind, text.format(name=learner.__name__)):
        learner().fit(x, t)


@pytest.mark.parametrize("learner", LEARNERS)
def test_settings(learner):
    with refuses(OptionError, f"{learner.__name__} needs a positive learning rate, got lr=0."):
        learner(lr=0)
    with refuses(OptionError, f"{learner.__name__} needs at least one epoch, got max_epochs=0."):
        learner(max_epochs=0)


@pytest.mark.parametrize("learner", LEARNERS)
def test_predicting(learner):
    with refuses(DataError, f"{learner.__name__} has no weights yet.\n  try     fit(x, t) first"):
        learner().predict(X)
    fitted = learner().fit(X, [0, 1, 1, 1])
    with refuses(ShapeError, f"{learner.__name__} was fitted with 2 features, got 3.\n  input   (1, 3)"):
        fitted.predict([[1, 2, 3]])


def test_divergence():
    """The error grows 9-fold an epoch (|1 - 10 λ|, λ = 1), or 19-fold (|1 - 10 ‖x̃‖²|, ‖x̃‖² = 2): its square
    passes 1.8e308, the end of float64, in epochs 162 and 121.
    """
    with refuses(
        NumericalError,
        "BatchAdaline diverged in epoch 162: the learning rate 10 is too large.\n"
        "  try     lr=1, half the largest safe one",
    ):
        BatchAdaline(lr=10).fit([[1.0], [-1.0]], [1, 0])
    with refuses(
        NumericalError,
        "Adaline diverged in epoch 121: the learning rate 10 is too large.\n"
        "  try     lr=0.5, half the largest safe one",
    ):
        Adaline(lr=10).fit([[1.0], [-1.0]], [1, 0])


def test_mcculloch_pitts():
    gate = McCullochPitts.and_gate()
    with refuses(ShapeError, "McCullochPitts has 2 inputs, got an array of shape (3,)."):
        gate([0, 1, 1])
    with refuses(DataError, "McCullochPitts takes inputs 0 and 1, got 0.5."):
        gate([[0, 1], [1, 0.5]])
    for table in ([], [1], [0, 1, 1], [0, 2]):
        with refuses(OptionError, f"a truth table holds 2, 4, 8, ... zeros and ones, got {table}."):
            LogicNetwork.from_truth_table(table)


def test_geometry():
    with refuses(
        ShapeError,
        "signed_distance needs w (features,) and x (..., features) with the same features.\n"
        "  w       (2,)\n  x       (4, 3)",
    ):
        signed_distance([1, 2], 0, np.zeros((4, 3)))
    with refuses(DataError, "signed_distance needs a hyperplane, and w = 0 gives none.\n  w       (2,)"):
        margin([0, 0], 1, X, [0, 1, 1, 1])
    with refuses(
        ShapeError,
        "margin needs one label per example, got 4 examples and 1 labels.\n  input   (4, 2)\n  labels  (1,)",
    ):
        margin([1, 1], 1, X, [0])
    for w, b in (([1, 1], 0), ([0, 0], 0)):
        with refuses(
            DataError,
            "mistake_bound needs weights that separate the classes, and (w, b) does not.\n"
            f"  w       {[float(value) for value in w]}\n  b       {b}\n"
            "  try     separating_hyperplane(x, t)",
        ):
            mistake_bound(X, [0, 1, 1, 0], w, b)


def test_separability():
    with refuses(
        ShapeError,
        "separating_hyperplane needs one label per example, got 4 examples and 2 labels.\n"
        "  input   (4, 2)\n  labels  (2,)",
    ):
        separating_hyperplane(X, [0, 1])
