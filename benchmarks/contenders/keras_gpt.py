"""The transformer in Keras 3: its own layers, put together as its guides do, and the weights in its layouts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.contenders.layouts import turned_weights
from benchmarks.workloads import Workload


class Positions(layers.Layer):
    """Adds a learned row for each place."""

    def build(self, shape: Any) -> None:
        self.rows = self.add_weight(shape=shape[1:], name="rows")

    def call(self, x: Any) -> Any:
        return x + self.rows


def gpt(layers_: int, heads: int, width: int, context: int, vocabulary: int) -> Any:
    """Pre-norm blocks with causal attention and GELU."""
    ids = layers.Input((context,), dtype="int32")
    x = Positions(name="positions")(layers.Embedding(vocabulary, width, name="tokens")(ids))
    for i in range(layers_):
        h = layers.LayerNormalization(epsilon=1e-5, name=f"{i}_norm1")(x)
        x = x + layers.MultiHeadAttention(heads, width // heads, name=f"{i}_attention")(h, h, use_causal_mask=True)
        h = layers.LayerNormalization(epsilon=1e-5, name=f"{i}_norm2")(x)
        x = x + layers.Dense(width, name=f"{i}_down")(layers.Dense(4 * width, "gelu", name=f"{i}_up")(h))
    x = layers.LayerNormalization(epsilon=1e-5, name="norm")(x)
    return keras.Model(ids, layers.Dense(vocabulary, name="head")(x))


def model(workload: Workload) -> Any:
    """The model of a workload, with its first weights."""
    sizes = dict(workload.sizes)
    made = gpt(sizes.pop("layers"), **sizes)
    weights = turned_weights(workload)
    for layer in made.layers:
        own = _own(layer.name, weights, sizes["heads"])
        if own:
            layer.set_weights(own)
    return made


def _own(name: str, weights: dict[str, np.ndarray], heads: int) -> list[np.ndarray]:
    """The arrays of one layer; attention keeps queries, keys and values apart, by head."""
    path = "layers." + name.replace("_", ".") if name[0].isdigit() else name
    if not path.endswith("attention"):
        return [weights[key] for part in ("weight", "bias") if (key := f"{path}.{part}") in weights]
    path = path.removesuffix("attention")
    kernel, bias, out = weights[f"{path}qkv.weight"], weights[f"{path}qkv.bias"], weights[f"{path}proj.weight"]
    width = len(kernel)
    found = []
    for w, b in zip(np.split(kernel, 3, 1), np.split(bias, 3), strict=True):
        found += [w.reshape(width, heads, -1), b.reshape(heads, -1)]
    return [*found, out.reshape(heads, -1, width), weights[f"{path}proj.bias"]]
