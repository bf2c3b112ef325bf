"""What is trained: eight models with their sizes, first weights and data, the same for every contender.

Weights have PyTorch's layouts, `(out, in)` and `(out, in, height, width)`, and the names that a contender maps to its
own. They and the data are drawn by NumPy from a fixed seed, so that each process can draw them for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod, sqrt
from typing import Any

import numpy as np

SEED = 20_240_501
BATCHES = 4
"""Different batches, taken in turn: one batch alone would be learned by heart within the steps that are compared."""

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """A model of some kind and size, its batch, and the optimiser's learning rate (Adam, or SGD where it says so)."""

    name: str
    kind: str
    batch: int
    sizes: Mapping[str, Any] = field(default_factory=dict)
    optimizer: str = "adam"
    lr: float = 1e-3

    @cached_property
    def weights(self) -> Arrays:
        """The weights that every contender starts from, drawn when they are first asked for."""
        draw = np.random.default_rng(SEED)
        return {name: array.astype(np.float32) for name, array in WEIGHTS[self.kind](draw, **self.sizes).items()}

    @cached_property
    def batches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The batches (x, y), x float32 or token numbers, y class numbers (tiny: 0 or 1 as float32)."""
        draw = np.random.default_rng(SEED + 1)
        return [DATA[self.kind](draw, self.batch, **self.sizes) for _ in range(BATCHES)]


WORKLOADS = {
    w.name: w
    for w in (
        Workload("tiny", "mlp", 4, {"widths": (2, 3, 1), "activation": "sigmoid"}, "sgd", 0.1),
        Workload("mlp-small", "mlp", 32, {"widths": (64, 32, 10)}),
        Workload("mlp", "mlp", 128, {"widths": (784, 256, 128, 10)}),
        Workload("cnn", "cnn", 64, {"channels": (1, 32, 64), "side": 28, "hidden": 128}),
        Workload("convblock", "convblock", 32, {"channels": 64, "side": 32, "blocks": 2}),
        Workload("lstm", "lstm", 32, {"inputs": 128, "hidden": 256, "time": 64}),
        Workload("gpt-small", "gpt", 12, {"layers": 4, "heads": 4, "width": 128, "context": 64, "vocabulary": 65}),
        Workload("gpt", "gpt", 4, {"layers": 6, "heads": 6, "width": 384, "context": 256, "vocabulary": 65}),
    )
}


# First weights by kind: uniform on ±1/√fan-in as PyTorch's layers, normal 0.02 for embeddings as GPT-2's.


def _uniform(draw: np.random.Generator, name: str, *shape: int, fan: int = 0) -> Arrays:
    """A weight and its bias."""
    bound = 1 / sqrt(fan or prod(shape[1:]))
    return {f"{name}.weight": draw.uniform(-bound, bound, shape), f"{name}.bias": draw.uniform(-bound, bound, shape[0])}


def _norm(name: str, width: int) -> Arrays:
    return {f"{name}.weight": np.ones(width), f"{name}.bias": np.zeros(width)}


def _mlp(draw: np.random.Generator, widths: tuple[int, ...], activation: str = "relu") -> Arrays:
    found: Arrays = {}
    for i in range(1, len(widths)):
        found |= _uniform(draw, f"fc{i}", widths[i], widths[i - 1])
    return found


def flat_after_pooling(channels: tuple[int, ...], side: int) -> int:
    """Features after two 3 × 3 convolutions without padding and a pooling of 2."""
    return channels[-1] * ((side - 4) // 2) ** 2


def _cnn(draw: np.random.Generator, channels: tuple[int, ...], side: int, hidden: int) -> Arrays:
    found = _uniform(draw, "conv1", channels[1], channels[0], 3, 3)
    found |= _uniform(draw, "conv2", channels[2], channels[1], 3, 3)
    return found | _uniform(draw, "fc1", hidden, flat_after_pooling(channels, side)) | _uniform(draw, "fc2", 10, hidden)


def _convblock(draw: np.random.Generator, channels: int, side: int, blocks: int) -> Arrays:
    found: Arrays = {}
    for i in range(1, blocks + 1):
        found |= _uniform(draw, f"conv{i}", channels, channels, 3, 3) | _norm(f"norm{i}", channels)
    return found | _uniform(draw, "fc", 10, channels)


def _lstm(draw: np.random.Generator, inputs: int, hidden: int, time: int) -> Arrays:
    bound = 1 / sqrt(hidden)
    shapes = {
        "lstm.weight_ih_l0": (4 * hidden, inputs),
        "lstm.weight_hh_l0": (4 * hidden, hidden),
        "lstm.bias_ih_l0": (4 * hidden,),
        "lstm.bias_hh_l0": (4 * hidden,),
    }
    return {n: draw.uniform(-bound, bound, s) for n, s in shapes.items()} | _uniform(draw, "fc", 10, hidden)


def _gpt(draw: np.random.Generator, layers: int, heads: int, width: int, context: int, vocabulary: int) -> Arrays:
    found = {"tokens.weight": draw.normal(0, 0.02, (vocabulary, width))}
    found |= {"positions.weight": draw.normal(0, 0.02, (context, width))}
    for i in range(layers):
        found |= _norm(f"layers.{i}.norm1", width) | _norm(f"layers.{i}.norm2", width)
        for name, out, inputs in (("qkv", 3, 1), ("proj", 1, 1), ("up", 4, 1), ("down", 1, 4)):
            found |= _uniform(draw, f"layers.{i}.{name}", out * width, inputs * width)
    return found | _norm("norm", width) | _uniform(draw, "head", vocabulary, width)


WEIGHTS: dict[str, Callable[..., Arrays]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "convblock": _convblock,
    "lstm": _lstm,
    "gpt": _gpt,
}


# Data by kind.


def _rows(draw: np.random.Generator, n: int, widths: tuple[int, ...], **_: Any) -> tuple[np.ndarray, np.ndarray]:
    x = draw.standard_normal((n, widths[0]), np.float32)
    if widths[-1] == 1:
        return x, draw.integers(0, 2, (n, 1)).astype(np.float32)
    return x, draw.integers(0, widths[-1], n)


def _images(draw: np.random.Generator, n: int, channels: Any, side: int, **_: Any) -> tuple[np.ndarray, np.ndarray]:
    first = channels[0] if isinstance(channels, tuple) else channels
    return draw.standard_normal((n, first, side, side), np.float32), draw.integers(0, 10, n)


def _sequences(draw: np.random.Generator, n: int, inputs: int, time: int, **_: Any) -> tuple[np.ndarray, np.ndarray]:
    return draw.standard_normal((n, time, inputs), np.float32), draw.integers(0, 10, n)


def _tokens(draw: np.random.Generator, n: int, context: int, vocabulary: int, **_: Any) -> tuple[Any, Any]:
    """A text and the same text one place on."""
    text = draw.integers(0, vocabulary, (n, context + 1))
    return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:]).reshape(-1)


DATA: dict[str, Callable[..., Any]] = {
    "mlp": _rows,
    "cnn": _images,
    "convblock": _images,
    "lstm": _sequences,
    "gpt": _tokens,
}
