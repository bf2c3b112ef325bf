"""Keras 3 on JAX or PyTorch: `compile`, then `fit`, which shuffles; a line an epoch, for a bar would cost it time."""

from __future__ import annotations

import time
from typing import Any

import keras
from keras import layers

from benchmarks.training import BATCH, LR, WIDTHS


def train(data: Any, images: Any, epochs: int, seed: int) -> tuple[float, Any]:
    keras.utils.set_random_seed(seed)
    hidden = [layers.Dense(n, "relu") for n in WIDTHS[1:-1]]
    model = keras.Sequential([layers.Input(WIDTHS[:1]), *hidden, layers.Dense(WIDTHS[-1])])
    model.compile(keras.optimizers.Adam(LR), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    began = time.perf_counter()
    model.fit(*data, batch_size=BATCH, epochs=epochs, verbose=2)
    seconds = time.perf_counter() - began
    return seconds, model.predict(images, batch_size=1000, verbose=0).argmax(1)
