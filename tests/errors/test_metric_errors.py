"""The whole text of each message of the metrics."""

import re

import numpy as np
import pytest

import chainrule.metrics as cm
from chainrule.base.errors import DataError, OptionError, ShapeError

ALL = [cm.accuracy, cm.error_rate, cm.confusion_matrix, cm.precision, cm.recall, cm.f1]
ALL += [cm.roc_auc, cm.log_loss, cm.mse, cm.mae, cm.r2]
OF_LABELS = ALL[:6]


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


@pytest.mark.parametrize("metric", ALL)
def test_lengths(metric):
    name = metric.__name__
    with refuses(
        ShapeError,
        f"{name} needs one prediction per target, got 3 targets and 4 predictions.\n  targets (3,)\n  predictions (4,)",
    ):
        metric([0, 1, 1], [0, 1, 1, 1])
    with refuses(DataError, f"{name} needs at least one example, got none."):
        metric([], [])


@pytest.mark.parametrize("metric", OF_LABELS)
def test_scores_in_place_of_labels(metric):
    with refuses(
        ShapeError,
        f"{metric.__name__} compares class labels, one per example, got predictions of shape (2, 3).\n"
        "  try     predictions.argmax(axis=-1), if each row holds one score per class",
    ):
        metric([0, 1], np.zeros((2, 3)))


@pytest.mark.parametrize("metric", [cm.mse, cm.mae, cm.r2])
def test_shapes_that_would_broadcast(metric):
    with refuses(
        ShapeError,
        f"{metric.__name__} compares arrays of one shape, got targets (3,) and predictions (3, 1).\n"
        "  try     predictions.reshape(targets.shape)",
    ):
        metric([1, 2, 3], [[1], [2], [3]])


@pytest.mark.parametrize("metric", [cm.precision, cm.recall, cm.f1])
def test_averages(metric):
    name = metric.__name__
    with refuses(
        DataError,
        f"{name} of one class against the other needs two classes, got 3.\n"
        '  classes 0, 1, 2\n  try     average="macro", the mean over the classes',
    ):
        metric([0, 1, 2], [0, 1, 1])
    with refuses(
        DataError,
        f"{name} scores the class 1, which does not occur.\n  classes cat, dog\n  try     positive='dog'",
    ):
        metric(["cat", "dog"], ["cat", "cat"])
    with refuses(OptionError, f"{name} has no average 'mean'.\n  choices binary, macro, micro, weighted"):
        metric([0, 1], [0, 1], average="mean")


def test_labels_outside_the_classes():
    with refuses(
        DataError,
        "confusion_matrix found labels that are not among the classes: 2, 3.\n  classes 0, 1",
    ):
        cm.confusion_matrix([0, 1, 2], [0, 3, 1], classes=[0, 1])
    with refuses(
        DataError,
        "confusion_matrix found labels that are not among the classes: "
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … (11 in all).\n  classes 0",
    ):
        cm.confusion_matrix(np.arange(12), np.arange(12), classes=[0])


def test_ranking():
    with refuses(
        DataError,
        "roc_auc ranks class 1 against the rest, but 0 of 2 examples are of that class.\n"
        "  try     a larger sample, or a stratified split",
    ):
        cm.roc_auc([0, 0], [0.1, 0.9])
    with refuses(
        DataError,
        "roc_auc ranks class 2 against the rest, but 0 of 2 examples are of that class.\n"
        "  try     a larger sample, or a stratified split",
    ):
        cm.roc_auc([0, 1], np.eye(3)[:2])
    with refuses(ShapeError, "roc_auc takes targets (n,) and predictions (n,) or (n, classes), got (2, 1) and (2,)."):
        cm.roc_auc([[0], [1]], [0.1, 0.9])
    with refuses(DataError, "roc_auc needs finite predictions, got nan.\n  row     1\n  column  0"):
        cm.roc_auc([0, 1], [0.1, np.nan])


def test_log_loss():
    with refuses(DataError, "log_loss expects targets 0 to 2, got 3.\n  row     1"):
        cm.log_loss([0, 3], np.full((2, 3), 1 / 3))
    for row, text in (([2.0, -1.0], "[ 2., -1.]"), ([0.5, 0.6], "[0.5, 0.6]")):
        with refuses(
            DataError,
            "log_loss expects probabilities: numbers from 0 to 1 that add up to 1 in each row.\n"
            f"  row     1: {text}\n  try     softmax(logits), or sigmoid(logits) for two classes",
        ):
            cm.log_loss([0, 1], [[0.5, 0.5], row])


def test_r2_of_constant_targets():
    with refuses(
        DataError,
        "r2 compares with the variance of the targets, which is zero here.\n"
        "  targets 2, all equal in at least one output\n  try     mse, or a larger sample",
    ):
        cm.r2([3, 3], [2, 4])


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_counts(successes, n):
    with refuses(DataError, f"wilson_interval needs 0 ≤ successes ≤ n and n ≥ 1, got {successes} of {n}."):
        cm.wilson_interval(successes, n)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence(confidence):
    text = f"confidence must lie between 0 and 1, got {confidence}.\n  try     0.95"
    with refuses(OptionError, text):
        cm.wilson_interval(1, 2, confidence)
    with refuses(OptionError, text):
        cm.mean_interval([1, 2], confidence)


@pytest.mark.parametrize(("values", "text"), [([], "[]"), ([1.0, np.inf], "[1.0, inf]")])
def test_values_of_a_mean(values, text):
    with refuses(DataError, f"mean_interval needs one finite value or more.\n  values  {text}"):
        cm.mean_interval(values)
