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


# What a loop trains on, and what it measures.


def dealt(held: str) -> Evidence:
    """Temperatures from those before, in a loop that deals batches with a loader and measures after every epoch."""
    rng = drawn(17)
    series = np.cos(np.arange(500) / 7) + 0.2 * rng.normal(size=500)
    windows = np.lib.stride_tricks.sliding_window_view(series, 9).astype(np.float32)
    x, y = np.array(windows[:300, :8]), np.array(windows[:300, 8:])
    others = {"a copy": (x.copy(), y.copy()), "new": (windows[320:, :8], windows[320:, 8:]), "the same": (x, y)}
    model = cr.models.MLP(8, 16, 1, activation="tanh")
    adam = cr.optim.Adam(model, lr=0.01)
    with cr.diagnosing() as report:
        for epoch in range(12):
            for xb, yb in cr.data.Loader(x, y, batch_size=30).epoch(epoch):
                adam.zero_grad()
                cr.losses.mse(model(xb), yb).backward()
                adam.step()
            with cr.no_grad():
                seen, wanted = others.get(held.removesuffix(", in batches"), (x.copy(), y))
                for xb, yb in cr.data.Loader(seen, wanted, 50) if "batches" in held else [(seen, wanted)]:
                    cr.losses.mse(model(xb), yb)
    return report.evidence[0]


@pytest.mark.parametrize("held", ["a copy", "a copy, in batches"])
def test_training_rows_kept_a_second_time_are_an_overlap(held: str) -> None:
    assert said(dealt(held)) == ["train and test overlap"]


@pytest.mark.parametrize("held", ["new", "new, in batches", "the same", "the same, in batches", "made anew each time"])
def test_new_rows_are_none_and_the_training_data_itself_is_none(held: str) -> None:
    assert said(dealt(held)) == []


# Losses that are written out.


def by_hand(loss: Any, model: Any, y: np.ndarray, x: np.ndarray) -> Evidence:
    adam = cr.optim.Adam(model, lr=0.01)
    rng = np.random.default_rng(0)
    with cr.diagnosing() as report:
        for _ in range(150):
            rows = rng.integers(0, len(x), 40)
            adam.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            adam.step()
    return report.evidence[0]


def surface() -> tuple[np.ndarray, np.ndarray]:
    rng = drawn(2)
    x = rng.normal(size=(300, 3)).astype(np.float32)
    return x, (np.tanh(x[:, :1] - x[:, 1:2]) / 2 + 0.5).astype(np.float32)


def bce(z: Any, t: Any) -> Any:
    p = cr.sigmoid(z)
    return -cr.mean(t * cr.log(p) + (1 - t) * cr.log(1 - p))


def hidden_by_log1p(z: Any, t: Any) -> Any:
    return cr.mean((cr.log1p(cr.softplus(z)) - np.log1p(t)) ** 2)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (lambda z, t: cr.mean((z - t) ** 2), "mse"),
        (lambda z, t: cr.mean(np.abs(t) * cr.square(t - z)), "mse"),
        (lambda z, t: cr.mean((cr.sigmoid(z[:, 0]) - t[:, 0]) ** 2), "mse"),
        (lambda z, t: cr.abs(z - t).mean() + 1e-3 * cr.sum(z * z), "mae"),
        (bce, "binary_cross_entropy_with_logits"),
    ],
    ids=["squares", "weighed squares", "squares of sigmoids", "distances and a penalty", "cross-entropy"],
)
def test_the_target_of_a_loss_that_is_written_out_is_found(loss: Any, name: str) -> None:
    x, y = surface()
    evidence = by_hand(loss, cr.models.MLP(3, 24, 1, activation="tanh"), y, x)
    assert evidence.loss_name == name
    assert evidence.train is not None and evidence.train.y is not None
    places = [int(np.flatnonzero((x == row).all(axis=1))[0]) for row in evidence.train.x]
    assert np.array_equal(evidence.train.y.reshape(-1), y[places, 0])
    assert said(evidence) == []


def test_targets_of_something_else_than_the_outputs_are_not_taken_for_theirs() -> None:
    x, y = surface()
    evidence = by_hand(hidden_by_log1p, cr.models.MLP(3, 24, 1, activation="tanh"), y, x)
    assert evidence.train is not None and evidence.train.y is None
    assert said(evidence) == []


def test_labels_of_a_loss_that_is_written_out_are_found() -> None:
    x, y = surface()
    labels = (y[:, 0] > 0.5).astype(int)
    model = cr.models.MLP(3, 24, 2)
    evidence = by_hand(lambda z, t: -cr.log_softmax(z)[np.arange(len(t)), t].mean(), model, labels, x)
    assert evidence.loss_name == "cross_entropy"
    assert said(evidence) == []
    flat = by_hand(
        lambda z, t: -cr.log_softmax(cr.softmax(z))[np.arange(len(t)), t].mean(), cr.models.MLP(3, 24, 2), labels, x
    )
    assert flat.train is not None and flat.train.y is not None


def test_a_compiled_step_of_the_name_of_a_method_is_looked_into() -> None:
    x, y = surface()
    model = cr.models.MLP(3, 16, 1, activation="tanh")
    optimizer = cr.optim.Adam(model, lr=1e-6)

    @cr.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = cr.losses.mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    with cr.diagnosing() as report:
        for k in range(150):
            rows = np.random.default_rng(k).integers(0, len(x), 40)
            step(x[rows], y[rows])
    assert [verdict.name for verdict in report.verdicts] == ["learning rate too small"]
