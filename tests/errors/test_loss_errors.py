"""The whole text of each message of the losses and penalties."""

import re

import numpy as np
import pytest

from chainrule.base.errors import DataError, DtypeError, OptionError, ShapeError
from chainrule.losses import (
    L1,
    LOSSES,
    ElasticNet,
    HalfL2,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    l1,
    l2,
    mse,
    named,
    nll,
    perceptron_criterion,
)

Z = np.zeros((5, 10))
LABELS = np.zeros(5, int)
ENTRYWISE = [loss for name, loss in LOSSES.items() if name not in ("cross-entropy", "nll", "kl")]


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


# --- shapes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ENTRYWISE)
def test_a_column_against_a_row_is_never_broadcast(loss):
    with refuses(
        ShapeError,
        f"{loss.__name__} compares arrays of one shape, got prediction (3, 1) and target (3,).\n"
        "  try     target.reshape(3, 1)",
    ):
        loss(np.ones((3, 1)), np.ones(3))


def test_other_shapes():
    with refuses(
        ShapeError,
        "mse compares arrays of one shape, got prediction (5, 10) and target (5, 3).\n"
        "  axis    1: 10 predicted, 3 given\n"
        "  try     an output layer of 3 units, one for each column of the target",
    ):
        mse(Z, np.zeros((5, 3)))
    with refuses(
        ShapeError,
        "mse compares arrays of one shape, got prediction (5, 10) and target (4, 10).\n"
        "  axis    0, the examples: 5 predicted, 4 given",
    ):
        mse(Z, np.zeros((4, 10)))
    with refuses(ShapeError, "mse compares arrays of one shape, got prediction (5, 10) and target (10,)."):
        mse(Z, np.zeros(10))


@pytest.mark.parametrize("loss", LOSSES.values())
def test_no_examples(loss):
    with refuses(DataError, f"{loss.__name__} needs at least one example, got none.\n  shape   (0, 3)"):
        loss(np.zeros((0, 3)), np.zeros((0, 3)))


def test_one_hot_rows_of_the_wrong_width():
    with refuses(
        ShapeError,
        "cross_entropy compares arrays of one shape, got prediction (5, 10) and target (5, 3).\n"
        "  axis    1: 10 predicted, 3 given\n"
        "  try     an output layer of 3 units, one for each column of the target",
    ):
        cross_entropy(Z, np.eye(3)[LABELS])


def test_labels_that_do_not_fit():
    with refuses(
        ShapeError,
        "cross_entropy takes labels (5,) for predictions (5, 10), got (5, 1).\n  try     target.reshape(5,)",
    ):
        cross_entropy(Z, LABELS[:, None])
    with refuses(
        ShapeError,
        "cross_entropy takes labels (5,) or probabilities (5, 10) for predictions (5, 10), got (4,).\n"
        "  try     classes on the last axis of the prediction, one target for each of its rows",
    ):
        cross_entropy(Z, LABELS[:4])
    with refuses(
        ShapeError,
        "nll takes one label for each example, got (5, 10).\n"
        "  try     target.argmax(axis=-1) for one-hot rows, kl_divergence for probabilities",
    ):
        nll(Z, Z)


def test_one_class():
    with refuses(
        ShapeError,
        "cross_entropy needs at least two classes, got predictions (5, 1).\n"
        "  try     binary_cross_entropy_with_logits, if one output tells two classes apart",
    ):
        cross_entropy(np.zeros((5, 1)), LABELS)
    with refuses(ShapeError, "kl_divergence compares rows of probabilities, got numbers."):
        kl_divergence(0.0, 1.0)


# --- labels ----------------------------------------------------------------------------------------------


def test_labels_out_of_range():
    with refuses(
        DataError,
        "cross_entropy expects labels 0 to 9, got 12.\n"
        "  row     3\n"
        "  classes 10, as many as there are logits\n"
        "  try     an output layer of 13 units, if there are 13 classes",
    ):
        cross_entropy(Z, np.array([0, 1, 2, 12, 4]))
    with refuses(
        DataError,
        "nll expects labels 0 to 2, got 3.\n"
        "  row     1\n"
        "  classes 3, as many as there are logits\n"
        "  try     target - 1, for labels count from 0",
    ):
        nll(np.log(np.full((3, 3), 1 / 3)), np.array([1, 3, 2]))
    with refuses(
        DataError,
        "cross_entropy expects labels 0 to 3, got -1.\n"
        "  row     1, column 2\n"
        "  classes 4, as many as there are logits\n"
        "  try     np.unique(target, return_inverse=True)[1], which counts the labels from 0",
    ):
        cross_entropy(np.zeros((2, 3, 4)), np.array([[0, 1, 2], [3, 1, -1]]))


@pytest.mark.parametrize("loss", [cross_entropy, nll])
def test_labels_in_float(loss):
    with refuses(
        DtypeError,
        f"{loss.__name__} takes class labels as integers, got float64.\n"
        "  try     target.astype('int64') for labels, or one row of probabilities for each example",
    ):
        loss(Z, LABELS.astype(float))


# --- probabilities ---------------------------------------------------------------------------------------


def test_probabilities_outside_the_unit_interval():
    with refuses(
        DataError,
        "binary_cross_entropy expects probabilities in [0, 1], got 2.5.\n"
        "  row     1\n"
        "  try     binary_cross_entropy_with_logits, if the network ends without a sigmoid",
    ):
        binary_cross_entropy([1, 2.5], [1, 1])


@pytest.mark.parametrize("loss", [binary_cross_entropy, binary_cross_entropy_with_logits])
def test_binary_targets_outside_the_unit_interval(loss):
    with refuses(
        DataError,
        f"{loss.__name__} expects targets in [0, 1], got -1.\n"
        "  row     0, column 1\n"
        "  try     (target + 1) / 2, if the labels are -1 and +1",
    ):
        loss([[0.5, 0.5]], [[1, -1]])


@pytest.mark.parametrize("loss", [cross_entropy, kl_divergence])
def test_rows_that_are_no_probabilities(loss):
    with refuses(
        DataError,
        f"{loss.__name__} expects target probabilities in [0, 1], got -3.\n"
        "  row     1, column 0\n"
        "  try     softmax(target), if these are logits",
    ):
        loss(np.zeros((2, 2)), [[1, 0], [-3, 4]])
    with refuses(
        DataError,
        f"{loss.__name__} expects target rows that sum to 1, got 2.\n"
        "  row     1\n"
        "  try     binary_cross_entropy_with_logits, if an example may belong to several classes",
    ):
        loss(np.zeros((2, 2)), [[1, 0], [1, 1]])


@pytest.mark.parametrize(("loss", "target"), [(nll, LABELS), (kl_divergence, np.eye(10)[LABELS])])
def test_log_probabilities_above_zero(loss, target):
    with refuses(
        DataError,
        f"{loss.__name__} expects log-probabilities, at most 0, got 0.1.\n"
        "  row     0, column 0\n"
        "  try     log_softmax(prediction) for logits, log(prediction) for probabilities",
    ):
        loss(Z + 0.1, target)


def test_nan_passes_to_where_it_is_looked_for():
    for loss, target in ((nll, [0]), (kl_divergence, [[1.0, 0.0]]), (cross_entropy, [0])):
        assert np.isnan(loss(np.array([[np.nan, np.nan]]), np.array(target)))
    assert np.isnan(binary_cross_entropy([np.nan], [1.0]))


# --- signs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [hinge, perceptron_criterion])
def test_targets_that_are_no_signs(loss):
    name = loss.__name__
    with refuses(DataError, f"{name} expects targets -1 or +1, got 0.\n  row     1\n  try     2 * target - 1"):
        loss([1.0, 2.0], [1, 0])
    with refuses(
        DataError,
        f"{name} expects targets -1 or +1, got 0.5.\n  row     0, column 1\n  try     np.where(target > 0, 1, -1)",
    ):
        loss([[1.0, 2.0]], [[1, 0.5]])


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_unknown_reduction(name):
    target = {"cross-entropy": [0], "nll": [0], "kl": [[1.0, 0.0]]}.get(name, [[1.0, 1.0]])
    with refuses(OptionError, "There is no reduction 'avg'.\n  try     'mean', 'sum' or 'none'"):
        LOSSES[name](np.array([[0.0, 0.0]]), np.array(target), reduction="avg")


def test_other_settings():
    with refuses(
        OptionError,
        "huber needs delta > 0, got 0.\n  try     mae, if errors of any size shall pull alike",
    ):
        huber([1.0], [1.0], delta=0)
    with refuses(OptionError, "label_smoothing is between 0 and 1, got 2."):
        cross_entropy(Z, LABELS, label_smoothing=2)


def test_unknown_loss():
    with refuses(
        OptionError,
        "There is no loss 'crossentropy'.\n"
        "  try     bce, bce-probabilities, cross-entropy, half-squared, hinge, huber, kl, mae, mse, nll, "
        "perceptron, sse",
    ):
        named("crossentropy")


# --- penalties -------------------------------------------------------------------------------------------


def test_a_penalty_of_nothing():
    parameters = iter([Z])
    l1(parameters, 1)
    with refuses(
        OptionError,
        "l1 was given no parameters.\n  try     list(model.parameters()): an iterator can be run through only once",
    ):
        l1(parameters, 1)


def test_strengths():
    with refuses(OptionError, "l2 needs a strength of at least 0, got -1."):
        l2([Z], -1)
    with refuses(OptionError, "HalfL2 needs a strength of at least 0, got -0.1."):
        HalfL2(-0.1)
    with refuses(OptionError, "ElasticNet needs a strength of at least 0, got nan."):
        ElasticNet(1, float("nan"))


def test_parameters_of_no_kind():
    with refuses(OptionError, "There are no 'bias' parameters.\n  try     of='weights' or of='all'"):
        L1(1, of="bias")
