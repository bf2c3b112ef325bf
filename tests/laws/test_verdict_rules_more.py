"""More trainings for the rules of verdicts: other data and layers, and healthy ones just beyond a rule's border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.judge import judge
from tests.laws.trainings import Training, drawn, fitted, recurrent, tumours


def said(evidence: Evidence) -> list[str]:
    return [verdict.name for verdict in judge(evidence)]


# Probabilities given to losses that take logits.


def flowers(*end: Any, loss: str) -> Evidence:
    """Iris by a net with something at its end; one-hot targets where the loss asks for each class by itself."""
    drawn(5)
    data = cr.data.iris()
    x = ((data.x - data.x.mean(axis=0)) / data.x.std(axis=0)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[data.y] if loss == "bce" else data.y
    model = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 3), *end)
    return fitted(model, (x, y), loss, cr.optim.Adam(model, lr=0.02), epochs=30)


def squashed_in_the_loss() -> Evidence:
    drawn(6)
    x, y = tumours()
    model = cr.models.MLP(30, 8, 1)
    bce = cr.losses.binary_cross_entropy_with_logits
    data = (x, y.reshape(-1, 1).astype(np.float32))
    return fitted(model, data, lambda z, t: bce(cr.sigmoid(z), t), cr.optim.Adam(model, lr=0.01), epochs=10)


@pytest.mark.parametrize(
    ("train", "name"),
    [
        (lambda: flowers(nn.Softmax(), loss="cross-entropy"), "softmax applied twice"),
        (lambda: flowers(nn.Sigmoid(), loss="cross-entropy"), "loss does not fit output"),
        (lambda: flowers(nn.Softmax(), loss="bce"), "loss does not fit output"),
        (squashed_in_the_loss, "loss does not fit output"),
    ],
    ids=["softmax, cross-entropy", "sigmoid, cross-entropy", "softmax, bce", "sigmoid in the loss"],
)
def test_a_softmax_twice_is_two_softmaxes(train: Training, name: str) -> None:
    assert said(train())[0] == name


@pytest.mark.parametrize(
    ("train", "headline"),
    [
        (
            lambda: flowers(nn.Sigmoid(), loss="cross-entropy"),
            "The outputs are probabilities from a sigmoid, and cross-entropy takes them for logits of a softmax.",
        ),
        (
            squashed_in_the_loss,
            "The loss makes probabilities of the outputs twice, by a sigmoid and then by a sigmoid.",
        ),
    ],
    ids=["sigmoid, cross-entropy", "sigmoid in the loss"],
)
def test_what_is_squashed_is_said(train: Training, headline: str) -> None:
    assert judge(train())[0].headline == headline


def test_the_same_nets_without_it_are_healthy() -> None:
    assert said(flowers(loss="cross-entropy")) == []
    assert said(flowers(nn.LogSoftmax(), loss="cross-entropy")) == []


# Classes that are weighed, and rows that are drawn again.


def leaks(weigh: bool, again: bool, positives: float = 0.04) -> Evidence:
    """A rare kind of row in noisy measurements: as it is, weighed in the loss, or its rows drawn again and again."""
    rng = drawn(11)
    y = (rng.uniform(size=1500) < positives).astype(int)
    x = (rng.normal(size=(1500, 7)) + 0.5 * y[:, None]).astype(np.float32)
    if again:
        rows = np.concatenate([np.flatnonzero(y == 0), rng.choice(np.flatnonzero(y), int((y == 0).sum()))])
        x, y = x[rows], y[rows]
    model = cr.models.MLP(7, 10, 2, activation="tanh")
    adam = cr.optim.Adam(model, lr=0.004)
    weights = np.where(y == 1, 1 / positives if weigh else 1.0, 1.0).astype(np.float32)
    with cr.diagnosing() as report:
        for _ in range(8):
            order = rng.permutation(len(x))
            for k in range(0, len(x), 50):
                rows = order[k : k + 50]
                adam.zero_grad()
                loss = cr.losses.cross_entropy(model(x[rows]), y[rows], reduction="none")
                (loss * weights[rows]).mean().backward()
                adam.step()
    return report.evidence[0]


def test_classes_that_are_weighed_or_drawn_again_are_not_underfitted() -> None:
    assert said(leaks(weigh=True, again=False)) == []
    assert said(leaks(weigh=False, again=True)) == []


def test_the_same_without_either_is_imbalanced() -> None:
    assert said(leaks(weigh=False, again=False)) == ["class imbalance ignored"]


# What is learned by heart, and what does not carry over.


def by_heart(rows: int, epochs: int, hidden: int) -> Evidence:
    """Some of the digits, and others to look at."""
    drawn(3)
    data = cr.data.digits()
    x, y = np.asarray(data.x, np.float32), data.y
    model = cr.models.MLP(64, hidden, hidden, 10, activation="tanh")
    data = (x[:rows], y[:rows])
    return fitted(
        model, data, "cross-entropy", cr.optim.Adam(model, lr=0.003), epochs=epochs, validation=(x[1200:], y[1200:])
    )


def test_a_third_of_the_unseen_labels_wrong_and_none_of_the_seen_is_overfitting() -> None:
    assert said(by_heart(50, 80, 120)) == ["overfitting"]


def test_a_small_gap_is_not() -> None:
    assert said(by_heart(1200, 10, 32)) == []


def waves(shuffled: bool, epochs: int = 14) -> Evidence:
    """Sequences of two channels, labelled by which has the larger mean; the labels as they are, or shuffled."""
    rng = drawn(21)
    x = rng.normal(size=(600, 10, 2)).astype(np.float32)
    y = (x[..., 0].mean(axis=1) > x[..., 1].mean(axis=1)).astype(int)
    if shuffled:
        y[:480] = rng.permutation(y[:480])
    model = recurrent(nn.LSTM(2, 16), 2)
    adam = cr.optim.Adam(model, lr=0.01)
    return fitted(model, (x[:480], y[:480]), "cross-entropy", adam, epochs=epochs, validation=(x[480:], y[480:]))


def test_shuffled_labels_of_sequences_are_no_harder_than_shuffled_again() -> None:
    assert said(waves(shuffled=True)) == ["labels not learnable"]
    assert said(waves(shuffled=False)) == []


# Too little room, while the loss still falls.


def squares(hidden: int, epochs: int = 80) -> Evidence:
    """A board of three by three fields of two colours."""
    rng = drawn(8)
    x = rng.uniform(-1.5, 1.5, (700, 2)).astype(np.float32)
    y = (np.floor(x[:, 0] + 1.5) + np.floor(x[:, 1] + 1.5)).astype(int) % 2
    model = cr.models.MLP(2, hidden, 2, activation="tanh")
    return fitted(model, (x, y), "cross-entropy", cr.optim.Adam(model, lr=0.02), epochs=epochs)


def test_two_units_do_not_make_a_chessboard() -> None:
    assert said(squares(2)) == ["underfitting"]
    assert said(squares(40)) == []
