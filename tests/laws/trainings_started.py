"""Trainings that suffer from the weights or the rates that they start with, and healthy ones that come near to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as cr
from chainrule import nn
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.nn import Linear, Sequential
from tests.laws.trainings import (
    Training,
    convolutional,
    digits,
    drawn,
    fitted,
    looped,
    patients,
    recurrent,
    sequences,
    sine,
    standardised,
    tumours,
)


def trained(
    model: Callable[[], Any],
    data: Callable[[], Any],
    loss: str,
    optimizer: str,
    rate: float,
    change: Callable[[Any], None] = lambda model: None,
    of_it: dict[str, Any] | None = None,
    **settings: Any,
) -> Training:
    """A training by fit of a model whose start was changed; `of_it` are further settings of the optimiser."""

    def train() -> Evidence:
        drawn(3)
        made = model()
        change(made)
        stepping = getattr(cr.optim, optimizer)(made, lr=rate, **(of_it or {}))
        return fitted(made, data(), loss, stepping, **({"epochs": 12} | settings))

    return train


def spread(deviation: float, *names: str) -> Callable[[Any], None]:
    """Weights drawn anew from N(0, deviation²), of all layers or of those that are named."""

    def change(model: Any) -> None:
        rng = np.random.default_rng(7)
        for name, p in model.named_parameters():
            if name.endswith("weight") and p.numpy().ndim > 1 and (not names or name.startswith(names)):
                p.assign(rng.normal(0, deviation, p.numpy().shape).astype(np.float32))

    return change


def forgetting(factor: float) -> Callable[[Any], None]:
    """Recurrent weights that are an orthogonal matrix times a factor."""

    def change(model: Any) -> None:
        for name, p in model.named_parameters():
            if "weight_hh" in name:
                q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=p.numpy().shape))
                p.assign((factor * q).astype(np.float32))

    return change


def some_digits() -> tuple[np.ndarray, np.ndarray]:
    return digits()[0]


def signed_digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = some_digits()
    return x - np.float32(0.5), y


def wines() -> tuple[np.ndarray, np.ndarray]:
    data = cr.data.wine()
    return standardised(data), data.y


def early_sum(steps: int, loud: float = 1.0, quiet: float = 0.1) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Whether the first two steps of a sequence sum to more than 0; the others are quiet."""

    def data() -> tuple[np.ndarray, np.ndarray]:
        x = quiet * sequences(np.random.default_rng(4), 300, steps)
        x[:, :2] *= loud / quiet
        return x, (x[:, :2].sum(axis=(1, 2)) > 0).astype(int)

    return data


def late_sum() -> tuple[np.ndarray, np.ndarray]:
    x = sequences(np.random.default_rng(6), 400, 12)
    return x, (x[:, -4:].sum(axis=(1, 2)) > 0).astype(int)


def plane() -> tuple[np.ndarray, np.ndarray]:
    """A smooth function of five numbers with a little noise."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(400, 5)).astype(np.float32)
    return x, (np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=400)).astype(np.float32)


def summing(width: int, blocks: int, inputs: int, outputs: int, deviation: float) -> Callable[[], Any]:
    """Residual blocks of two layers with GELU between, no norm; the second layer's weights from N(0, deviation²)."""

    def model() -> Any:
        layers = [
            nn.Residual(
                Sequential(Linear(width, width), nn.GELU(), Linear(width, width, init=nn.init.normal(deviation)))
            )
            for _ in range(blocks)
        ]
        return Sequential(Linear(inputs, width), *layers, Linear(width, outputs))

    return model


def mlp(*sizes: int, **settings: Any) -> Callable[[], Any]:
    return lambda: cr.models.MLP(*sizes, **settings)


def squashed_filters() -> Any:
    layers = nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.Sigmoid(), nn.Flatten(), Linear(288, 10)
    return Sequential(*layers)


def of_rnn(**settings: Any) -> Callable[[], Any]:
    return lambda: recurrent(nn.RNN(1, 24, **settings))


def of_lstm() -> Any:
    return recurrent(nn.LSTM(1, 16))


def by_hand(schedule: Callable[[int], float], epochs: int = 10) -> Training:
    """A loop that sets the rate itself before every step."""

    def train() -> Evidence:
        drawn(2)
        x, y = wines()
        model = cr.models.MLP(13, 24, 3)
        adam = cr.optim.Adam(model, lr=schedule(0))
        steps = iter(range(10**6))

        def loss(z: Any, t: Any) -> Any:
            adam.lr = schedule(next(steps))
            return cr.losses.cross_entropy(z, t)

        return looped(model, x, y, loss, adam, epochs=epochs, size=16)

    return train


SICK: dict[str, dict[str, Training]] = {
    "saturated units": {
        "wide weights under tanh": trained(
            mlp(5, 48, 1, activation="tanh"), plane, "mse", "Adam", 3e-3, spread(25, "fc1"), epochs=30
        ),
        "two layers of sigmoids": trained(
            mlp(64, 48, 48, 10, activation="sigmoid"), some_digits, "cross-entropy", "Adam", 3e-3,
            spread(15, "fc1", "fc2"), epochs=8,
        ),
        "three classes": trained(
            mlp(13, 20, 20, 3, activation="tanh"), wines, "cross-entropy", "SGD", 0.02, spread(12, "fc1", "fc2"),
            epochs=25,
        ),
    },
    "vanishing gradients": {
        "small recurrent weights": trained(
            of_rnn(), early_sum(45), "bce", "Adam", 5e-3, forgetting(0.2), epochs=10, clip_norm=1.0
        ),
        "smaller ones, RMSProp": trained(of_rnn(), early_sum(30), "bce", "RMSprop", 3e-3, forgetting(0.05)),
    },
    "exploding gradients": {
        "twelve of GELU": trained(
            mlp(64, *[48] * 12, 10, activation="gelu"), some_digits, "cross-entropy", "Adam", 2e-3, spread(0.5)
        ),
        "a sum of branches": trained(
            summing(24, 20, 64, 10, 0.5), some_digits, "cross-entropy", "Adam", 1e-3, epochs=6
        ),
        "values": trained(summing(16, 24, 5, 1, 0.6), plane, "mse", "Adam", 1e-3, epochs=20),
    },
    "learning rate too large": {
        "momentum": trained(
            mlp(5, 40, 1, activation="tanh"), plane, "mse", "SGD", 0.15, of_it={"momentum": 0.95}, epochs=20
        ),
        "an LSTM": trained(of_lstm, late_sum, "bce", "Adam", 0.5, epochs=12),
        "a GRU": trained(lambda: recurrent(nn.GRU(1, 12)), late_sum, "bce", "RMSprop", 0.7),
    },
    "learning rate too small": {
        "decay at every step": trained(
            mlp(64, 40, 10), some_digits, "cross-entropy", "SGD", 0.2, schedule=lambda k: 0.2 * 0.7**k
        ),
        "a long warm-up": trained(
            mlp(13, 24, 3), wines, "cross-entropy", "Adam", 0.01, schedule=lambda k: 0.01 * min(1, k / 1e7), epochs=40
        ),
        "decay by hand": by_hand(lambda k: 0.01 * 0.5 ** (k // 2)),
    },
}  # fmt: skip
"""Trainings with one thing wrong, by what it is."""


HEALTHY: dict[str, dict[str, Training]] = {
    "saturated units": {
        "wide weights": trained(
            mlp(5, 48, 1, activation="tanh"), plane, "mse", "Adam", 1e-2, spread(1.0, "fc1"), epochs=60
        ),
        "steps of a staircase": trained(
            mlp(1, 32, 1, activation="tanh"), sine, "mse", "Adam", 1e-2, spread(4.0, "fc1"), epochs=150
        ),
        "filters": trained(squashed_filters, signed_digits, "cross-entropy", "Adam", 1e-2, spread(1.5, "1")),
    },
    "vanishing gradients": {
        "forgetful where nothing is to be kept": trained(
            of_rnn(), late_sum, "bce", "Adam", 1e-2, forgetting(0.4), epochs=20
        ),
        "orthogonal": trained(
            of_rnn(), early_sum(25), "bce", "Adam", 5e-3, forgetting(1.0), epochs=15, clip_norm=1.0
        ),
    },
    "exploding gradients": {
        "wide weights": trained(mlp(64, 64, 64, 64, 10), some_digits, "cross-entropy", "Adam", 2e-3, spread(0.25)),
        "a sum of small branches": trained(
            summing(24, 14, 64, 10, 0.02), some_digits, "cross-entropy", "Adam", 2e-3, epochs=10
        ),
        "a norm behind every layer": trained(
            mlp(64, *[48] * 6, 10, batch_norm=True), some_digits, "cross-entropy", "Adam", 2e-3, spread(0.5)
        ),
    },
    "learning rate too large": {
        "momentum": trained(
            mlp(5, 40, 1, activation="tanh"), plane, "mse", "SGD", 0.02, of_it={"momentum": 0.9}, epochs=60
        ),
        "an LSTM": trained(of_lstm, late_sum, "bce", "Adam", 0.03, epochs=20),
        "bold filters": trained(convolutional, some_digits, "cross-entropy", "SGD", 0.3, epochs=15),
    },
    "learning rate too small": {
        "decay by epochs": trained(
            mlp(64, 40, 10), some_digits, "cross-entropy", "SGD", 0.2, schedule=lambda k: 0.2 * 0.7 ** (k // 56)
        ),
        "a short warm-up": trained(
            mlp(30, 16, 1), tumours, "bce", "Adam", 0.01, schedule=lambda k: 0.01 * min(1, k / 50), epochs=15
        ),
        "decay by hand": by_hand(lambda k: 0.01 * 0.5 ** (k // 60), epochs=30),
        "patients": trained(mlp(10, 1), patients, "mse", "SGD", 0.02, schedule=lambda k: 0.02 / (1 + k / 100)),
    },
}  # fmt: skip
"""Healthy trainings, by the verdict that they come near to; each must have none at all."""
