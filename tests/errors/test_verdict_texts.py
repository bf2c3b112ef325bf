"""Verdicts as they are read: whole texts, of evidence made by hand, so that every number is known."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from chainrule import nn
from chainrule.glass.verdicts.evidence import Data, Evidence
from chainrule.glass.verdicts.judge import judge
from chainrule.glass.verdicts.report import told


def text(evidence: Evidence) -> str:
    verdicts = judge(evidence)
    assert len(verdicts) == 1, [v.name for v in verdicts]
    return "\n".join(told(verdicts[0], evidence.model))


def resting(model: Any, steps: int = 40, **known: Any) -> Evidence:
    """The evidence of a training whose loss is 1 at every step."""
    return Evidence(model, losses=np.ones(steps), lrs=np.full(steps, 0.1), **known)


def test_gradients_not_zeroed() -> None:
    evidence = resting(nn.Linear(2, 1), accumulated=tuple(range(1, 40)))
    assert text(evidence) == "\n".join(
        [
            "39 of 40 updates were made with the gradients of the steps before them added in.",
            "  verdict gradients not zeroed",
            "  step    1",
            "  seen    the gradient at step 1 still held that of step 0; healthy: it is of one step alone",
            "          nothing between two updates set the gradients to zero",
            "          loss 1 in the first tenth of the steps, 1 in the last",
            "  try     optimizer.zero_grad() before every loss.backward()",
        ]
    )


def test_evaluation_mode_in_training() -> None:
    evidence = resting(cr.models.MLP(2, 3, 1, dropout=0.5), trained_in_evaluation=30)
    assert text(evidence) == "\n".join(
        [
            "30 of 40 updates were made in evaluation mode, in which drop1 work differently.",
            "  verdict evaluation mode in training",
            "  layer   drop1 = Dropout(p=0.5)",
            "  seen    layers for which the mode matters: drop1",
            "          in evaluation mode dropout drops nothing, and batch norms neither use nor learn a batch's "
            "statistics",
            "          healthy: training mode in every update",
            "  try     model.train() before the loop, and again after every evaluation",
        ]
    )


def test_softmax_applied_twice() -> None:
    model = nn.Sequential(fc=nn.Linear(2, 4), softmax=nn.Softmax())
    for p in model.parameters():
        p.assign(np.zeros(p.shape, np.float32))
    x, y = np.ones((20, 2), np.float32), np.arange(20) % 4
    prediction = np.full((20, 4), 0.25, np.float32)
    evidence = Evidence(model, loss=cr.losses.cross_entropy, loss_name="cross_entropy", train=Data(x, y))
    evidence.prediction = prediction
    assert text(evidence) == "\n".join(
        [
            "The outputs are probabilities from a softmax, and cross-entropy applies a softmax to them once more.",
            "  verdict softmax applied twice",
            "  layer   softmax = Softmax(axis=-1)",
            "  seen    outputs on the training data lie between 0.25 and 0.25, and never leave [0, 1] whatever the "
            "weights",
            "          outputs of 0 and 1 become probabilities of 0.17 and 0.48; healthy: 0 and 1 can be reached",
            "          so the loss stays above 0.744, also where all is right",
            "  try     no softmax at the end of the model: the loss takes logits",
        ]
    )


def test_train_and_test_overlap() -> None:
    x = np.random.default_rng(0).normal(size=(150, 3)).astype(np.float32)
    evidence = Evidence(nn.Linear(3, 1), train=Data(x[:100], None), validation=Data(x[90:140], None))
    assert text(evidence) == "\n".join(
        [
            "10 of 50 validation rows (20 %) are in the training data too.",
            "  verdict train and test overlap",
            "  seen    first: row 0 of the validation data; healthy: none but by chance",
            "          in such data chance gives 0.0 %",
            "  try     split before rows are repeated or augmented, and drop duplicates: np.unique(x, axis=0)",
        ]
    )


def test_class_imbalance_ignored() -> None:
    x = np.zeros((200, 2), np.float32)
    y = (np.arange(200) % 10 == 0).astype(int)
    model = nn.Linear(2, 2)
    evidence = resting(model, train=Data(x, y), prediction=np.tile(np.float32([1, -1]), (200, 1)))
    assert text(evidence) == "\n".join(
        [
            "90.0 % of the labels are right, and only 0 % of the rarer classes are found.",
            "  verdict class imbalance ignored",
            "  seen    class 0 is 90.0 % of the training data, and 100.0 % of what is predicted",
            "          recall 0 % of the 20 of class 1",
            "          healthy: recalls of one size; accuracy alone does not show them",
            "  try     weigh the rarer classes in the loss, or draw them more often, and look at the recall",
        ]
    )


def test_overfitting() -> None:
    x, y = np.zeros((80, 1), np.float32), np.float32(np.arange(80) % 2 * 4 - 2)
    evidence = resting(nn.Linear(1, 1), loss=cr.losses.mse, loss_name="mse")
    evidence.train, evidence.prediction = Data(x, y), 0.9 * y[:, None]
    evidence.validation, evidence.validation_prediction = Data(x + 1, y), 0 * y[:, None] + np.float32(1)
    evidence.epochs = [{"train_loss": 4.0, "validation_loss": 4.0}, {"train_loss": 0.04, "validation_loss": 5.0}]
    assert text(evidence) == "\n".join(
        [
            "The validation loss rose from 4 in epoch 1 to 5, while the training loss fell to 0.04.",
            "  verdict overfitting",
            "  seen    on the training data: R² = 0.99; on the validation data: R² = -0.25",
            "          the standard error of the validation loss is 0, of 80 rows",
            "          the loss of the best constant is 4; healthy: both losses below it and near each other",
            "  try     EarlyStopping(), more data or augmentation, weight decay or dropout, a smaller model",
        ]
    )


def test_nothing_is_said_of_nothing() -> None:
    assert judge(Evidence(nn.Linear(2, 1))) == ()
    assert judge(resting(nn.Linear(2, 1), steps=3)) == ()
