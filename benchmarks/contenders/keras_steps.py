"""Keras 3 on JAX or PyTorch (KERAS_BACKEND says which): layers, `compile` and `train_on_batch`."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.contenders import UnsuitedError, keras_gpt
from benchmarks.contenders.layouts import turned_batches, turned_weights
from benchmarks.workloads import Workload


def mlp(widths: tuple[int, ...], activation: str = "relu") -> list[Any]:
    hidden = [layers.Dense(n, activation, name=f"fc{i}") for i, n in enumerate(widths[1:-1], start=1)]
    return [layers.Input((widths[0],)), *hidden, layers.Dense(widths[-1], name=f"fc{len(widths) - 1}")]


def cnn(channels: tuple[int, ...], side: int, hidden: int) -> list[Any]:
    return [
        layers.Input((side, side, channels[0])),
        layers.Conv2D(channels[1], 3, activation="relu", name="conv1"),
        layers.Conv2D(channels[2], 3, activation="relu", name="conv2"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(hidden, "relu", name="fc1"),
        layers.Dense(10, name="fc2"),
    ]


def convblock(channels: int, side: int, blocks: int) -> list[Any]:
    found = [layers.Input((side, side, channels))]
    for i in range(1, blocks + 1):
        found += [
            layers.Conv2D(channels, 3, padding="same", name=f"conv{i}"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"norm{i}"),
            layers.ReLU(),
        ]
    return [*found, layers.GlobalAveragePooling2D(), layers.Dense(10, name="fc")]


MODELS = {"mlp": mlp, "cnn": cnn, "convblock": convblock}


def _sequential(workload: Workload) -> Any:
    model, weights = keras.Sequential(MODELS[workload.kind](**workload.sizes)), turned_weights(workload)
    for name in dict.fromkeys(name.rpartition(".")[0] for name in weights):
        layer = model.get_layer(name)
        own = [weights[f"{name}.weight"], weights[f"{name}.bias"]]
        layer.set_weights(own + layer.get_weights()[2:])
    return model


class Trainer:
    """A compiled model, trained a batch at a time."""

    def __init__(self, workload: Workload) -> None:
        if workload.kind == "lstm":
            raise UnsuitedError("its LSTM has one bias where PyTorch's has two, so that Adam's steps differ")
        self.model = keras_gpt.model(workload) if workload.kind == "gpt" else _sequential(workload)
        make = keras.optimizers.Adam if workload.optimizer == "adam" else keras.optimizers.SGD
        settings = {"epsilon": 1e-8} if workload.optimizer == "adam" else {}
        loss = (
            keras.losses.BinaryCrossentropy(from_logits=True)
            if workload.name == "tiny"
            else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        self.model.compile(make(workload.lr, **settings), loss)
        self.batches = turned_batches(workload)
        if workload.kind == "gpt":
            self.batches = [(x, y.reshape(x.shape)) for x, y in self.batches]

    def step(self, k: int) -> Any:
        self.model.reset_metrics()  # else the loss that is returned is a mean over all steps so far
        return self.model.train_on_batch(*self.batches[k % len(self.batches)])

    def value(self, loss: Any) -> float:
        return float(loss)


start = Trainer
