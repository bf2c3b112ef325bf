"""Mistakes about losses, targets and data."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from tests.errors.mistakes import mistake, normal, zeros


@mistake(
    """
    DtypeError: cross_entropy takes class labels as integers, got float64.
      try     target.astype('int64') for labels, or one row of probabilities for each example
    """
)
def float_labels_for_cross_entropy():
    logits, labels = zeros(5, 3), np.array([0.0, 1.0, 2.0, 0.0, 1.0])
    losses.cross_entropy(logits, labels)


@mistake(
    """
    DataError: cross_entropy expects labels 0 to 2, got 3.
      row     2
      classes 3, as many as there are logits
      try     target - 1, for labels count from 0
    """
)
def labels_that_count_from_one():
    losses.cross_entropy(zeros(5, 3), np.array([1, 2, 3, 1, 2]))


@mistake(
    """
    ShapeError: cross_entropy takes labels (5,) for predictions (5, 3), got (5, 1).
      try     target.reshape(5,)
    """
)
def labels_as_a_column():
    losses.cross_entropy(zeros(5, 3), np.zeros((5, 1), int))


@mistake(
    """
    ShapeError: cross_entropy takes the prediction first, then the target; got labels (4,) and then scores (4, 3).
      try     cross_entropy(prediction, target): the two look swapped
    """
)
def labels_before_logits():
    labels, logits = np.array([0, 1, 2, 2]), zeros(4, 3)
    losses.cross_entropy(labels, logits)


@mistake(
    """
    ShapeError: cross_entropy takes labels (2, 9) or probabilities (2, 9, 8) for predictions (2, 9, 8), got (2, 8).
      try     prediction.transpose(0, 2, 1): classes are the last axis here, not axis 1 as in PyTorch
    """
)
def classes_on_axis_1():
    logits, tokens = zeros(2, 9, 8), np.zeros((2, 8), int)
    losses.cross_entropy(logits, tokens)


@mistake(
    """
    ShapeError: cross_entropy needs at least two classes, got predictions (5, 1).
      try     binary_cross_entropy_with_logits, if one output tells two classes apart
    """
)
def one_output_for_cross_entropy():
    losses.cross_entropy(zeros(5, 1), np.array([0, 1, 0, 0, 1]))


@mistake(
    """
    ShapeError: nll takes one label for each example, got (3, 3).
      try     target.argmax(axis=-1) for one-hot rows, kl_divergence for probabilities
    """
)
def one_hot_rows_for_labels():
    losses.nll(cr.log_softmax(zeros(3, 3)), np.eye(3))


@mistake(
    """
    ShapeError: binary_cross_entropy_with_logits compares arrays of one shape, got prediction (5, 3) and target (5,).
      try     cross_entropy, if these are class labels; or a target of shape (5, 3), one value for each of the 3 outputs
    """
)
def labels_for_one_hot_rows():
    losses.binary_cross_entropy_with_logits(zeros(5, 3), np.array([0, 1, 2, 0, 1]))


@mistake(
    """
    DataError: binary_cross_entropy expects probabilities in [0, 1], got 2.5.
      row     1
      try     binary_cross_entropy_with_logits, if the network ends without a sigmoid
    """
)
def logits_for_probabilities():
    losses.binary_cross_entropy(np.array([0.3, 2.5]), np.array([0, 1]))


@mistake(
    """
    DataError: hinge expects targets -1 or +1, got 0.
      row     0
      try     2 * target - 1
    """
)
def labels_0_and_1_for_hinge():
    losses.hinge(np.array([0.3, -0.2]), np.array([0, 1]))


@mistake(
    """
    ShapeError: mse compares arrays of one shape, got prediction (5, 1) and target (5,).
      try     target.reshape(5, 1)
    """
)
def a_column_of_predictions_and_a_row_of_targets():
    losses.mse(zeros(5, 1), zeros(5))


@mistake(
    """
    DataError: mse needs at least one example, got none.
      shape   (0, 1)
    """
)
def an_empty_batch():
    losses.mse(nn.Linear(3, 1)(zeros(0, 3)), zeros(0, 1))


@mistake(
    """
    OptionError: There is no reduction 'avg'.
      try     'mean', 'sum' or 'none'
    """
)
def an_unknown_reduction():
    losses.mse(zeros(5, 1), zeros(5, 1), reduction="avg")


@mistake(
    """
    DataError: x has 10 rows, but y has 9.
      x       (10, 3)
      y       (9, 1)
      try     give one target for each row of x
    """
)
def inputs_and_targets_of_different_lengths():
    cr.fit(nn.Linear(3, 1), (normal(10, 3), normal(9, 1)), loss="mse")


@mistake(
    """
    DataError: The data is empty: x has shape (0, 3).
      try     check the file, or the condition that selected the rows
    """
)
def no_data_at_all():
    cr.fit(nn.Linear(3, 1), (zeros(0, 3), zeros(0, 1)), loss="mse")


@mistake(
    """
    DataError: x holds a value that is not finite: nan.
      where   row 3, column 1 (counted from 0)
      try     drop these rows, or fill the gaps, before training
    """
)
def nan_in_the_data():
    x = normal(20, 3)
    x[3, 1] = np.nan
    cr.fit(nn.Linear(3, 1), (x, normal(20, 1)), loss="mse")


@mistake(
    """
    DataError: x is not a table of numbers: it holds 'Bonn'.
      where   row 0, column 1 'city' (counted from 0)
      try     one column of 0 and 1 for each category (pandas.get_dummies(x)), or leave the column out
    """
)
def texts_in_the_data():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [30, 40, 20], "city": ["Bonn", "Rome", "Lima"]})
    cr.fit(nn.Linear(2, 1), (frame, zeros(3, 1)), loss="mse")


@mistake(
    """
    OptionError: Data is a Dataset, a Loader or a pair (x, y), got ndarray.
      try     cr.data.from_arrays(x, y)
    """
)
def data_without_targets():
    cr.fit(nn.Linear(3, 1), normal(8, 3), loss="mse")


@mistake(
    """
    OptionError: BatchNorm1d cannot train on a batch of one: 33 examples in batches of 32 end with one.
      batch_size 32
      try     batch_size=33, or cr.data.Loader(x, y, 32, drop_last=True)
    """
)
def a_last_batch_of_one_for_batch_norm():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    cr.fit(model, (normal(33, 3), normal(33, 1)), loss="mse", batch_size=32)


@mistake(
    """
    OptionError: There is no loss 'mean_squared_error'.
      try     bce, bce-probabilities, cross-entropy, half-squared, hinge, huber, kl, mae, mse, nll, perceptron, sse
    """
)
def a_loss_that_does_not_exist():
    cr.fit(nn.Linear(3, 1), (normal(8, 3), normal(8, 1)), loss="mean_squared_error")


@mistake(
    """
    OptionError: There is no optimiser 'lion'.
      known   sgd, averaged-momentum, velocity-momentum, normalized-gd, adagrad, rmsprop, adam, adamw
    """
)
def an_optimiser_that_does_not_exist():
    cr.fit(nn.Linear(3, 1), (normal(8, 3), normal(8, 1)), loss="mse", optimizer="lion")


@mistake(
    """
    OptionError: fractions are three positive numbers with sum 1, got (0.8, 0.3).
      try     (0.7, 0.15, 0.15) for training, validation and test
    """
)
def parts_that_are_no_whole():
    data = cr.data.from_arrays(normal(10, 3), normal(10, 1))
    cr.data.split(data, fractions=(0.8, 0.3))
