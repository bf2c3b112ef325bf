"""Trainings with one thing wrong each, and healthy ones, as an observer sees them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import chainrule as cr
from chainrule import nn
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.observer import Observer
from chainrule.nn import Linear, Sequential

Training = Callable[[], Evidence]


def fitted(model: Any, data: Any, loss: Any, optimizer: Any, **settings: Any) -> Evidence:
    """The evidence of a run of fit, however it ends."""
    observer = Observer()
    callbacks = [*settings.pop("callbacks", ()), observer]
    with suppress(cr.NumericalError):
        cr.fit(model, data, loss, optimizer, callbacks=callbacks, progress=False, **settings)
    return observer.evidence


def looped(
    model: Any, x: Any, y: Any, loss: Any, optimizer: Any, epochs: int = 5, size: int = 32, **ways: Any
) -> Evidence:
    """The evidence of a loop that is written by hand, with the mistakes that were asked for."""
    with cr.diagnosing() as report:
        for epoch in range(epochs):
            model.train(not ways.get("evaluating"))
            order = np.random.default_rng(epoch).permutation(len(x))
            for k in range(0, len(x) - size + 1, size):
                if not ways.get("keeping"):
                    optimizer.zero_grad()
                rows = order[k : k + size]
                loss(model(x[rows]), y[rows]).backward()
                optimizer.step()
            if "validation" in ways:
                model.train(bool(ways.get("training")))
                with cr.no_grad():
                    loss(model(ways["validation"][0]), ways["validation"][1])
    return report.evidence[0]


def drawn(seed: int) -> np.random.Generator:
    cr.seed(seed)
    return np.random.default_rng(seed)


def standardised(data: Any) -> np.ndarray:
    return ((data.x - data.x.mean(axis=0)) / data.x.std(axis=0)).astype(np.float32)


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    data = cr.data.digits()
    return (data.x[:900], data.y[:900]), (data.x[900:], data.y[900:])


def tumours() -> tuple[np.ndarray, np.ndarray]:
    data = cr.data.breast_cancer()
    return standardised(data), data.y


def patients() -> tuple[np.ndarray, np.ndarray]:
    data = cr.data.diabetes()
    return standardised(data), ((data.y - data.y.mean()) / data.y.std()).astype(np.float32)


def convolutional() -> Any:
    return Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), Linear(72, 10)
    )


def recurrent(layer: Any, outputs: int = 1) -> Any:
    return Sequential(layer, nn.Lambda(lambda pair: pair[0][:, -1]), Linear(layer.hidden_size, outputs))


def sequences(rng: np.random.Generator, n: int, steps: int) -> np.ndarray:
    return rng.normal(size=(n, steps, 1)).astype(np.float32)


# What is sick, by its verdict.


def not_zeroed(rate: float, adam: bool) -> Evidence:
    drawn(0)
    (x, y), validation = digits()
    model = cr.models.MLP(64, 32, 10)
    optimizer = cr.optim.Adam(model, lr=rate) if adam else cr.optim.SGD(model, lr=rate)
    return looped(model, x, y, cr.losses.cross_entropy, optimizer, keeping=True, validation=validation)


def in_evaluation(**settings: Any) -> Evidence:
    drawn(0)
    (x, y), validation = digits()
    model = cr.models.MLP(64, 32, 10, **settings)
    adam = cr.optim.Adam(model, lr=3e-3)
    return looped(model, x, y, cr.losses.cross_entropy, adam, evaluating=True, validation=validation)


def measured_in_training(**settings: Any) -> Evidence:
    drawn(0)
    (x, y), validation = digits()
    model = cr.models.MLP(64, 32, 10, **settings)
    adam = cr.optim.Adam(model, lr=3e-3)
    return looped(model, x, y, cr.losses.cross_entropy, adam, training=True, validation=validation)


def softmax_layer() -> Evidence:
    drawn(0)
    train, validation = digits()
    model = Sequential(Linear(64, 32), nn.ReLU(), Linear(32, 10), nn.Softmax())
    return fitted(model, train, "cross-entropy", cr.optim.Adam(model, lr=3e-3), validation=validation, epochs=5)


def softmax_in_the_loop() -> Evidence:
    drawn(0)
    (x, y), _ = digits()
    model = cr.models.MLP(64, 32, 10)
    adam = cr.optim.Adam(model, lr=3e-3)
    return looped(model, x, y, lambda z, t: cr.losses.cross_entropy(cr.softmax(z), t), adam)


def sigmoid_before_logits() -> Evidence:
    drawn(0)
    model = Sequential(Linear(30, 16), nn.ReLU(), Linear(16, 1), nn.Sigmoid())
    return fitted(model, tumours(), "bce", cr.optim.Adam(model, lr=1e-2), epochs=5)


def softmax_in_the_loss() -> Evidence:
    drawn(0)
    train, _ = digits()
    model = cr.models.MLP(64, 32, 10)
    return fitted(
        model, train, lambda z, t: cr.losses.cross_entropy(cr.softmax(z), t), cr.optim.Adam(model, lr=3e-3), epochs=5
    )


def ending(end: Any, loss: str, data: Any, outputs: int = 1) -> Evidence:
    drawn(0)
    model = Sequential(Linear(data[0].shape[1], 16), nn.Tanh(), Linear(16, outputs), end)
    return fitted(model, data, loss, cr.optim.Adam(model, lr=1e-2), epochs=15)


def labels_as_numbers() -> Evidence:
    drawn(0)
    (x, y), _ = digits()
    model = cr.models.MLP(64, 32, 1)
    return fitted(model, (x, y.astype(np.float32)), "mse", cr.optim.Adam(model, lr=3e-3), epochs=10)


def broadcast() -> Evidence:
    drawn(0)
    model = cr.models.MLP(10, 16, 1)
    return fitted(model, patients(), lambda z, t: cr.mean((z - t) ** 2), cr.optim.Adam(model, lr=1e-2), epochs=15)


def hinge_of_zeros() -> Evidence:
    drawn(0)
    x, y = tumours()
    model = cr.models.MLP(30, 8, 1)
    hinge = lambda z, t: cr.mean(cr.relu(1 - z * t.reshape(-1, 1)))  # noqa: E731
    return fitted(model, (x, y), hinge, cr.optim.Adam(model, lr=1e-2), epochs=10)


def classes_apart() -> Evidence:
    drawn(0)
    (x, y), _ = digits()
    model = cr.models.MLP(64, 32, 10)
    return fitted(model, (x, np.eye(10, dtype=np.float32)[y]), "bce", cr.optim.Adam(model, lr=3e-3), epochs=10)


def pixels() -> Evidence:
    drawn(0)
    (x, y), (xv, yv) = digits()
    model = cr.models.MLP(64, 32, 10)
    return fitted(
        model, (255 * x, y), "cross-entropy", cr.optim.SGD(model, lr=0.05), validation=(255 * xv, yv), epochs=8
    )


def chemistry() -> Evidence:
    drawn(0)
    data = cr.data.wine()
    model = Sequential(Linear(13, 32), nn.Sigmoid(), Linear(32, 3))
    return fitted(model, (data.x, data.y), "cross-entropy", cr.optim.Adam(model, lr=1e-2), epochs=40)


def prices() -> Evidence:
    rng = drawn(0)
    x = np.c_[rng.uniform(30, 300, 400), rng.integers(1, 6, 400)].astype(np.float32)
    model = cr.models.MLP(2, 32, 1)
    return fitted(model, (x, 3e3 * x[:, 0] + 1e4 * x[:, 1]), "mse", cr.optim.Adam(model, lr=1e-3), epochs=30)


def raw_targets() -> Evidence:
    drawn(0)
    x, _ = patients()
    model = cr.models.MLP(10, 16, 1)
    return fitted(model, (x, cr.data.diabetes().y), "mse", cr.optim.Adam(model, lr=1e-3), epochs=30)


def shuffled_digits(validated: bool) -> Evidence:
    rng = drawn(1)
    (x, y), validation = digits()
    model = cr.models.MLP(64, 32, 10)
    adam = cr.optim.Adam(model, lr=3e-3)
    data = (x, rng.permutation(y))
    return fitted(model, data, "cross-entropy", adam, validation=validation if validated else None, epochs=40)


def shuffled_targets() -> Evidence:
    rng = drawn(2)
    x, y = patients()
    model = cr.models.MLP(10, 32, 1)
    return fitted(model, (x, rng.permutation(y)), "mse", cr.optim.Adam(model, lr=3e-3), epochs=60)


def with_start(change: Callable[[Any], None], model: Any, rate: float = 0.05, epochs: int = 8) -> Evidence:
    """Digits, from a start that was changed."""
    train, validation = digits()
    change(model)
    return fitted(model, train, "cross-entropy", cr.optim.SGD(model, lr=rate), validation=validation, epochs=epochs)


def dead_start() -> Evidence:
    drawn(0)
    model = cr.models.MLP(64, 32, 32, 10)
    return with_start(lambda m: m.fc1.bias.assign(np.full(32, -20, np.float32)), model)


def dead_filters() -> Evidence:
    drawn(0)
    return with_start(lambda m: list(m.modules())[2].bias.assign(np.full(8, -20, np.float32)), convolutional())


def times(factor: float, *names: str) -> Callable[[Any], None]:
    """A change that multiplies weights."""

    def change(model: Any) -> None:
        for name, p in model.named_parameters():
            if name.endswith("weight") and (not names or name.startswith(names)):
                p.assign(p.numpy() * np.float32(factor))

    return change


def saturated_tanh() -> Evidence:
    drawn(0)
    return with_start(times(200, "fc1"), cr.models.MLP(64, 32, 10, activation="tanh"), rate=1e-3)


def saturated_sigmoid() -> Evidence:
    drawn(0)
    model = cr.models.MLP(64, 32, 32, 10, activation="sigmoid")
    return with_start(times(500, "fc1", "fc2"), model, rate=1e-2)


def deep_sigmoid(depth: int) -> Evidence:
    drawn(0)
    hidden = [layer for k in range(depth) for layer in (Linear(64 if k == 0 else 32, 32), nn.Sigmoid())]
    return with_start(lambda m: None, Sequential(*hidden, Linear(32, 10)), rate=0.1, epochs=10)


def forgetful() -> Evidence:
    rng = drawn(0)
    x = sequences(rng, 400, 60)
    model = recurrent(nn.RNN(1, 16))
    data = x, (x[:, 0, 0] > 0).astype(int)
    return fitted(model, data, "bce", cr.optim.Adam(model, lr=1e-3), epochs=8)


def exploding_start() -> Evidence:
    drawn(0)
    return with_start(times(8), cr.models.MLP(64, 64, 64, 64, 64, 10), rate=0.01)


def exploding_recurrence() -> Evidence:
    rng = drawn(0)
    x = sequences(rng, 300, 40)
    layer = nn.RNN(1, 32, nonlinearity="relu")
    layer.weight_hh_l0.assign(4 * layer.weight_hh_l0.numpy())
    model = recurrent(layer)
    data = x, (x.sum(axis=(1, 2)) / 6).astype(np.float32)
    return fitted(model, data, "mse", cr.optim.SGD(model, lr=0.01), epochs=5)


def with_rate(optimizer: str, rate: float, model: Any = None) -> Evidence:
    drawn(0)
    train, validation = digits()
    model = model or cr.models.MLP(64, 32, 32, 10)
    made = getattr(cr.optim, optimizer)(model, lr=rate)
    return fitted(model, train, "cross-entropy", made, validation=validation, epochs=8)


def regression_with_rate(optimizer: str, rate: float) -> Evidence:
    drawn(0)
    model = cr.models.MLP(10, 32, 1)
    return fitted(model, patients(), "mse", getattr(cr.optim, optimizer)(model, lr=rate), epochs=25)


def same_rows() -> Evidence:
    drawn(0)
    data = cr.data.digits()
    model = cr.models.MLP(64, 32, 10)
    train, validation = (data.x[:900], data.y[:900]), (data.x[800:1000], data.y[800:1000])
    return fitted(model, train, "cross-entropy", cr.optim.Adam(model, lr=3e-3), validation=validation, epochs=10)


def repeated_before_the_split() -> Evidence:
    rng = drawn(0)
    x, y = (np.repeat(v, 3, axis=0) for v in patients())
    order = rng.permutation(len(x))
    model = cr.models.MLP(10, 16, 1)
    train, validation = ((x[rows], y[rows]) for rows in (order[:900], order[900:]))
    return fitted(model, train, "mse", cr.optim.Adam(model, lr=1e-2), validation=validation, epochs=15)


def rare(share: float, shift: float, classes: int = 2, epochs: int = 10) -> Evidence:
    rng = drawn(0)
    y = np.where(rng.random(1000) < share, rng.integers(1, classes, 1000), 0)
    x = rng.normal(size=(1000, 8)).astype(np.float32)
    x[np.arange(1000), y] += np.where(y > 0, np.float32(shift), np.float32(0))
    model = cr.models.MLP(8, 16, classes)
    train, validation = (x[:700], y[:700]), (x[700:], y[700:])
    return fitted(model, train, "cross-entropy", cr.optim.Adam(model, lr=3e-3), validation=validation, epochs=epochs)


def too_much_room(classify: bool) -> Evidence:
    rng = drawn(0)
    x = rng.normal(size=(260, 20)).astype(np.float32)
    y = (x[:, 0] + 0.5 * x[:, 1] + 0.7 * rng.normal(size=260)).astype(np.float32)
    y = (y > 0).astype(int) if classify else y
    model = cr.models.MLP(20, 128, 128, 1)
    adam = cr.optim.Adam(model, lr=2e-3)
    return fitted(model, (x[:60], y[:60]), "bce" if classify else "mse", adam, validation=(x[60:], y[60:]), epochs=120)


def rings() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    angle, y = rng.random(400) * 2 * np.pi, np.arange(400) % 2
    radius = np.where(y, 1.0, 2.0) + 0.1 * rng.normal(size=400)
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)].astype(np.float32), y


def line_through_rings() -> Evidence:
    drawn(0)
    model = Linear(2, 1)
    return fitted(model, rings(), "bce", cr.optim.Adam(model, lr=1e-2), epochs=40)


def dropped() -> Evidence:
    drawn(0)
    train, validation = digits()
    model = cr.models.MLP(64, 32, 10, dropout=0.95)
    return fitted(model, train, "cross-entropy", cr.optim.Adam(model, lr=3e-3), validation=validation, epochs=15)


def penalised() -> Evidence:
    drawn(0)
    train, validation = digits()
    model = cr.models.MLP(64, 32, 10)
    adam, penalty = cr.optim.Adam(model, lr=3e-3), cr.losses.L2(1.0)
    return fitted(model, train, "cross-entropy", adam, penalty=penalty, validation=validation, epochs=20)


SICK: dict[str, dict[str, Training]] = {
    "gradients not zeroed": {
        "SGD": lambda: not_zeroed(0.05, adam=False),
        "Adam": lambda: not_zeroed(1e-3, adam=True),
    },
    "evaluation mode in training": {
        "dropout": lambda: in_evaluation(dropout=0.3),
        "batch norm": lambda: in_evaluation(batch_norm=True),
    },
    "training mode in evaluation": {
        "dropout": lambda: measured_in_training(dropout=0.3),
        "batch norm": lambda: measured_in_training(batch_norm=True),
    },
    "softmax applied twice": {
        "a layer": softmax_layer,
        "in the loop": softmax_in_the_loop,
        "in the loss": softmax_in_the_loss,
    },
    "loss does not fit output": {
        "tanh under wide targets": lambda: ending(nn.Tanh(), "mse", patients()),
        "sigmoid before logits": sigmoid_before_logits,
        "ReLU under signed targets": lambda: ending(nn.ReLU(), "mse", patients()),
        "ReLU on logits": lambda: ending(nn.ReLU(), "cross-entropy", tumours(), outputs=2),
        "softmax of one": lambda: ending(nn.Softmax(), "bce-probabilities", tumours()),
        "hinge of sigmoids": lambda: ending(nn.Sigmoid(), "hinge", tumours()),
        "hinge of zeros": hinge_of_zeros,
        "labels as numbers": labels_as_numbers,
        "classes apart": classes_apart,
        "broadcast": broadcast,
    },
    "data not normalised": {"pixels": pixels, "mixed units": chemistry, "prices": prices, "targets": raw_targets},
    "labels not learnable": {
        "classes": lambda: shuffled_digits(validated=True),
        "classes, no validation": lambda: shuffled_digits(validated=False),
        "values": shuffled_targets,
    },
    "dead units": {"bias": dead_start, "filters": dead_filters},
    "saturated units": {"tanh": saturated_tanh, "sigmoid": saturated_sigmoid},
    "vanishing gradients": {"8 sigmoids": lambda: deep_sigmoid(8), "in time": forgetful},
    "exploding gradients": {"in depth": exploding_start, "in time": exploding_recurrence},
    "learning rate too large": {
        "SGD": lambda: with_rate("SGD", 5.0),
        "Adam": lambda: with_rate("Adam", 1.0),
        "tanh": lambda: with_rate("SGD", 20.0, cr.models.MLP(64, 32, 10, activation="tanh")),
        "values": lambda: regression_with_rate("Adam", 3.0),
    },
    "learning rate too small": {
        "SGD": lambda: with_rate("SGD", 1e-5),
        "Adam": lambda: with_rate("Adam", 1e-6),
        "convolution": lambda: with_rate("SGD", 1e-5, convolutional()),
        "values": lambda: regression_with_rate("SGD", 1e-5),
    },
    "train and test overlap": {"same rows": same_rows, "repeated rows": repeated_before_the_split},
    "class imbalance ignored": {"two": lambda: rare(0.05, 1.0), "four": lambda: rare(0.1, 0.8, classes=4)},
    "overfitting": {"values": lambda: too_much_room(classify=False), "classes": lambda: too_much_room(classify=True)},
    "underfitting": {"a line": line_through_rings, "a penalty": penalised, "dropout": dropped},
}
"""Trainings with one thing wrong, by what it is."""


# What is healthy, by what it might be taken for.


def healthy(model: Any, data: Any, loss: Any, rate: float, optimizer: str = "Adam", **settings: Any) -> Evidence:
    return fitted(model, data, loss, getattr(cr.optim, optimizer)(model, lr=rate), **settings)


def healthy_loop(loss: Any, **settings: Any) -> Evidence:
    drawn(0)
    (x, y), validation = digits()
    model = cr.models.MLP(64, 32, 10, **settings)
    return looped(model, x, y, loss, cr.optim.Adam(model, lr=3e-3), epochs=8, validation=validation)


def on_digits(model: Callable[[], Any], rate: float = 3e-3, optimizer: str = "Adam", **settings: Any) -> Training:
    def train() -> Evidence:
        drawn(0)
        data, validation = digits()
        settings_ = {"epochs": 8, "validation": validation} | settings
        return healthy(model(), data, settings_.pop("loss", "cross-entropy"), rate, optimizer, **settings_)

    return train


def on(data: Callable[[], Any], model: Callable[[], Any], loss: str, rate: float = 1e-2, **settings: Any) -> Training:
    def train() -> Evidence:
        drawn(0)
        return healthy(model(), data(), loss, rate, **({"epochs": 20} | settings))

    return train


def xor() -> tuple[np.ndarray, np.ndarray]:
    return np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])


def bits() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).integers(0, 2, (400, 6)).astype(np.float32)
    return x, x.sum(axis=1)


def ratings() -> tuple[np.ndarray, np.ndarray]:
    x, _ = patients()
    return x, np.clip(np.round(3 + x[:, 2] + 0.5 * np.random.default_rng(0).normal(size=len(x))), 1, 5)


def several_labels() -> tuple[np.ndarray, np.ndarray]:
    x, _ = patients()
    return x, (x[:, :4] + 0.3 * np.random.default_rng(0).normal(size=(len(x), 4)) > 0).astype(np.float32)


def one_hot_patterns() -> tuple[np.ndarray, np.ndarray]:
    return np.eye(8, dtype=np.float32), np.eye(8, dtype=np.float32)


def images() -> tuple[np.ndarray, np.ndarray]:
    (x, _), _ = digits()
    return x, x


def of_pixels() -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = digits()
    return 255 * x, y


def raw_wine() -> tuple[np.ndarray, np.ndarray]:
    data = cr.data.wine()
    return data.x, data.y


def noisy() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)).astype(np.float32)
    return x, (0.5 * x[:, 0] + rng.normal(size=300)).astype(np.float32)


def sine() -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-3, 3, 200, dtype=np.float32)[:, None]
    return x, np.sin(2 * x)


def summed(last: int, steps: int = 20) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    def data() -> tuple[np.ndarray, np.ndarray]:
        x = sequences(np.random.default_rng(0), 400, steps)
        return x, (x[:, -last:].sum(axis=(1, 2)) / last**0.5).astype(np.float32)

    return data


def tagged() -> Evidence:
    """Tokens with a label each, in a loop: what follows is the sum of the last two."""
    rng = drawn(0)
    x = rng.integers(0, 6, (300, 10))
    y = (x + np.concatenate([0 * x[:, :1], x[:, :-1]], axis=1)) % 6

    class Tagger(nn.Module):
        def __init__(self) -> None:
            self.embedding, self.gru, self.out = nn.Embedding(6, 12), nn.GRU(12, 24), Linear(24, 6)

        def forward(self, tokens: Any) -> Any:
            return self.out(self.gru(self.embedding(tokens))[0])

    model = Tagger()
    return looped(model, x, y, cr.losses.cross_entropy, cr.optim.Adam(model, lr=1e-2), epochs=10)


def attending() -> Evidence:
    rng = drawn(0)
    x = rng.integers(0, 10, (500, 6))
    y = (x == 3).any(axis=1).astype(int)
    model = Sequential(
        nn.Embedding(10, 16), nn.TransformerEncoderLayer(16, 2, 32), nn.Lambda(lambda h: h.mean(axis=1)), Linear(16, 2)
    )
    adam = cr.optim.Adam(model, lr=3e-3)
    return looped(model, x[:400], y[:400], cr.losses.cross_entropy, adam, epochs=15, validation=(x[400:], y[400:]))


def few_patterns() -> Evidence:
    rng = drawn(0)
    x = rng.integers(0, 2, (200, 4)).astype(np.float32)
    y = (x.sum(axis=1) % 2).astype(int)
    model = cr.models.MLP(4, 16, 1, activation="tanh")
    return healthy(model, (x[:150], y[:150]), "bce", 2e-2, epochs=60, validation=(x[150:], y[150:]))


def stopped_early() -> Evidence:
    drawn(0)
    data = cr.data.digits()
    model = cr.models.MLP(64, 64, 10)
    train, validation = (data.x[:300], data.y[:300]), (data.x[300:], data.y[300:])
    return healthy(
        model, train, "cross-entropy", 5e-3, epochs=60, validation=validation, callbacks=[cr.train.EarlyStopping()]
    )


def nll_of_logarithms(z: Any, t: Any) -> Any:
    return cr.losses.nll(cr.log_softmax(z), t)


def deep_tanh() -> Any:
    return cr.models.MLP(64, 48, 48, 48, 48, 10, activation="tanh")


def normed_convolution() -> Any:
    layers = nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()
    return Sequential(*layers, nn.Dropout(0.2), Linear(288, 10))


def residual() -> Any:
    block = nn.Residual(Sequential(Linear(32, 32), nn.GELU(), Linear(32, 32)))
    return Sequential(nn.LayerNorm(64), Linear(64, 32), nn.GELU(), block, Linear(32, 10))


def log_softmax_layer() -> Any:
    return Sequential(Linear(64, 32), nn.ReLU(), Linear(32, 10), nn.LogSoftmax())


def ended(inputs: int, hidden: int, *end: Any, outputs: int = 1) -> Callable[[], Any]:
    return lambda: Sequential(Linear(inputs, hidden), nn.Tanh(), Linear(hidden, outputs), *end)


def mlp(*sizes: int, **settings: Any) -> Callable[[], Any]:
    return lambda: cr.models.MLP(*sizes, **settings)


def cross_entropy_loop() -> Evidence:
    return healthy_loop(cr.losses.cross_entropy)


HEALTHY: dict[str, dict[str, Training]] = {
    "gradients not zeroed": {
        "a loop": cross_entropy_loop,
        "accumulated on purpose": on_digits(mlp(64, 32, 10), 1e-2, accumulate=4, epochs=20),
        "one example a step": on_digits(mlp(64, 32, 10), 0.02, "SGD", batch_size=1, epochs=2),
    },
    "evaluation mode in training": {
        "modes as they should be": lambda: healthy_loop(cr.losses.cross_entropy, dropout=0.2, batch_norm=True),
        "no layer that minds": cross_entropy_loop,
        "fit": on_digits(normed_convolution),
    },
    "training mode in evaluation": {
        "fit with dropout": on_digits(mlp(64, 32, 10, dropout=0.2)),
        "deep batch norms": on_digits(mlp(64, 64, 64, 10, batch_norm=True), 0.05, "SGD"),
        "attention": attending,
    },
    "softmax applied twice": {
        "log-softmax": on_digits(log_softmax_layer),
        "log-softmax in the loop": lambda: healthy_loop(nll_of_logarithms),
        "sigmoid and probabilities": on(tumours, ended(30, 8, nn.Sigmoid()), "bce-probabilities"),
    },
    "loss does not fit output": {
        "sigmoid and squares": on(tumours, ended(30, 8, nn.Sigmoid()), "mse"),
        "tanh and hinge": on(tumours, ended(30, 8, nn.Tanh()), "hinge"),
        "counts": on(bits, mlp(6, 16, 1), "mse", epochs=40),
        "ratings": on(ratings, mlp(10, 16, 1), "mse", epochs=40),
        "several labels": on(several_labels, mlp(10, 16, 4), "bce"),
        "8-3-8": on(one_hot_patterns, ended(8, 3, outputs=8), "bce", 0.05, epochs=300, batch_size=8),
    },
    "data not normalised": {
        "grey values": on_digits(mlp(64, 32, 10), 0.1, "SGD", epochs=15),
        "a norm first": on(
            raw_wine, lambda: Sequential(nn.BatchNorm1d(13), Linear(13, 16), nn.ReLU(), Linear(16, 3)), "cross-entropy"
        ),
        "flowers in cm": on(lambda: cr.data.iris(), mlp(4, 16, 3), "cross-entropy", epochs=40),
        "pixels into a norm": on(
            of_pixels,
            lambda: Sequential(nn.LayerNorm(64), *cr.models.MLP(64, 32, 10).children()),
            "cross-entropy",
            3e-3,
        ),
    },
    "labels not learnable": {
        "much noise": on(noisy, mlp(3, 8, 1), "mse", 5e-3),
        "tokens": tagged,
        "hidden from trees": on(summed(20), lambda: recurrent(nn.GRU(1, 16)), "mse"),
    },
    "dead units": {
        "wide": on_digits(mlp(64, 256, 10), 2e-3),
        "few units": on(xor, mlp(2, 8, 1, activation="relu"), "bce", 0.05, epochs=200, batch_size=4),
        "convolution": on_digits(convolutional),
    },
    "saturated units": {
        "tanh at the end of learning": on(xor, mlp(2, 8, 1, activation="tanh"), "bce", 0.1, epochs=300, batch_size=4),
        "two sigmoids": on_digits(mlp(64, 32, 16, 10, activation="sigmoid"), 2e-2, epochs=15),
        "recurrent": on(summed(3), lambda: recurrent(nn.RNN(1, 16)), "mse"),
    },
    "vanishing gradients": {
        "deep tanh": on_digits(deep_tanh),
        "short memory is enough": on(summed(2, steps=40), lambda: recurrent(nn.RNN(1, 16)), "mse"),
        "residual": on_digits(residual),
    },
    "exploding gradients": {
        "deep": on_digits(mlp(64, 64, 64, 64, 10), 1e-3, epochs=10),
        "clipped": on(summed(20), lambda: recurrent(nn.LSTM(1, 16)), "mse", clip_norm=1.0),
        "momentum": on_digits(mlp(64, 32, 10), 0.05, "SGD", epochs=12),
    },
    "learning rate too large": {
        "noise of small batches": on(noisy, mlp(3, 1), "mse", 0.02, optimizer="SGD", batch_size=4),
        "bold": on_digits(mlp(64, 32, 10), 0.5, "SGD"),
        "a schedule": on_digits(mlp(64, 32, 10), 0.1, "SGD", schedule=lambda step: 0.5 * 0.99**step, epochs=12),
    },
    "learning rate too small": {
        "few steps": on_digits(mlp(64, 32, 10), 1e-3, epochs=1, batch_size=100),
        "one epoch": on_digits(mlp(64, 32, 10), 1e-3, epochs=1, batch_size=16),
        "at rest": on(patients, mlp(10, 1), "mse", 0.05, optimizer="SGD"),
    },
    "train and test overlap": {
        "few patterns": few_patterns,
        "the same four": on(
            xor, mlp(2, 8, 1, activation="tanh"), "bce", 0.05, epochs=200, batch_size=4, validation=xor()
        ),
        "digits": on_digits(mlp(64, 48, 10), 2e-3),
    },
    "class imbalance ignored": {
        "found all the same": lambda: rare(0.1, 4.0, epochs=20),
        "mild": lambda: rare(0.4, 2.0, epochs=15),
        "four classes": lambda: rare(0.3, 4.0, classes=4, epochs=20),
    },
    "overfitting": {
        "stopped early": stopped_early,
        "large": on_digits(mlp(64, 128, 64, 10), 1e-3, epochs=20),
        "smoothed": on_digits(mlp(64, 32, 10), 5e-3, epochs=15, penalty=cr.losses.HalfL2(1e-4)),
    },
    "underfitting": {
        "as noisy as it is": on(noisy, mlp(3, 1), "mse", 0.05, optimizer="SGD"),
        "sine": on(sine, mlp(1, 32, 32, 1, activation="tanh"), "mse", epochs=100, batch_size=50),
        "narrow autoencoder": on(images, ended(64, 8, outputs=64), "mse"),
    },
}
"""Healthy trainings, by the verdict that they come near to; each must have none at all."""
