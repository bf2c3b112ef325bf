"""Pictures of a run are drawn whatever the run was like, and without a warning."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from chainrule.glass import pictures

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def drawn(tmp_path):
    """A picture is written to the path and is a PNG file."""
    path = tmp_path / "picture.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield path
    assert path.read_bytes().startswith(PNG)


def rows(losses, **more):
    return [{"epoch": k, "train_loss": loss} | more for k, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    "history",
    [
        rows([0.5]),
        rows([math.nan, math.inf], validation_loss=math.nan),
        rows([100 * 0.99**k for k in range(1000)], validation_loss=3.0, train_accuracy=1.0),
        rows([2.0, math.nan, 1.0], validation_loss=math.inf, train_accuracy=0.5, validation_accuracy=0.5),
    ],
    ids=["one epoch", "nothing finite", "a thousand epochs", "gaps"],
)
def test_learning_curve(drawn, history):
    pictures.learning_curve(history, drawn, "a $title$ with signs_that^TeX reads")


@pytest.mark.parametrize(
    "names",
    [
        ["no", "yes"],
        ["a $class$", "the name of a class that is too long to be shown", "犬"],
        list(map(str, range(100))),
    ],
    ids=["two", "odd names", "a hundred"],
)
def test_confusion_matrix(drawn, names):
    counts = np.random.default_rng(0).integers(0, 3000, (len(names), len(names)))
    counts[0] = 0  # a class without an example
    pictures.confusion_matrix(counts, names, drawn)


def test_predictions(drawn):
    pictures.predictions(np.array([[1.0], [2.0]]), np.array([[1.5], [1.5]]), drawn, "values")
