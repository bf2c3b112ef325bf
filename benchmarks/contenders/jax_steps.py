"""JAX as its users write it without a framework: pure functions, `optax`, the whole step under `jax.jit`.

The old weights are given away to the step (`donate_argnums`). Images are NHWC, which XLA's CPU convolutions want.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from benchmarks.contenders.layouts import turned_batches, turned_weights
from benchmarks.workloads import Workload


def dense(w: Any, name: str, x: Any) -> Any:
    return x @ w[f"{name}.weight"] + w[f"{name}.bias"]


def norm(w: Any, name: str, x: Any, axes: Any = -1) -> Any:
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]


def conv(w: Any, name: str, x: Any, padding: str) -> Any:
    y = lax.conv_general_dilated(x, w[f"{name}.weight"], (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + w[f"{name}.bias"]


def mlp(w: Any, x: Any, widths: tuple[int, ...], activation: str = "relu") -> Any:
    for i in range(1, len(widths) - 1):
        x = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[activation](dense(w, f"fc{i}", x))
    return dense(w, f"fc{len(widths) - 1}", x)


def cnn(w: Any, x: Any, **sizes: Any) -> Any:
    x = jax.nn.relu(conv(w, "conv1", x, "VALID"))
    x = jax.nn.relu(conv(w, "conv2", x, "VALID"))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return dense(w, "fc2", jax.nn.relu(dense(w, "fc1", x.reshape(len(x), -1))))


def convblock(w: Any, x: Any, channels: int, side: int, blocks: int) -> Any:
    """Batch statistics; the running ones, which the loss does not need, are left out to JAX's advantage."""
    for i in range(1, blocks + 1):
        x = jax.nn.relu(norm(w, f"norm{i}", conv(w, f"conv{i}", x, "SAME"), (0, 1, 2)))
    return dense(w, "fc", x.mean((1, 2)))


def lstm(w: Any, x: Any, inputs: int, hidden: int, time: int) -> Any:
    """Inputs of all times are projected at once, states by a scan."""
    given = x @ w["lstm.weight_ih_l0"] + w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]
    start = jnp.zeros((len(x), hidden), x.dtype)

    def one(state: Any, gates: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(gates + h @ w["lstm.weight_hh_l0"], 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    (h, _), _ = lax.scan(one, (start, start), given.swapaxes(0, 1))
    return dense(w, "fc", h)


def gpt(w: Any, ids: Any, layers: int, heads: int, width: int, context: int, vocabulary: int) -> Any:
    x = w["tokens.weight"][ids] + w["positions.weight"]
    for i in range(layers):
        q, k, v = (
            a.reshape(*ids.shape, heads, width // heads)
            for a in jnp.split(dense(w, f"layers.{i}.qkv", norm(w, f"layers.{i}.norm1", x)), 3, -1)
        )
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        x = x + dense(w, f"layers.{i}.proj", y.reshape(x.shape))
        h = jax.nn.gelu(dense(w, f"layers.{i}.up", norm(w, f"layers.{i}.norm2", x)), approximate=False)
        x = x + dense(w, f"layers.{i}.down", h)
    return dense(w, "head", norm(w, "norm", x)).reshape(-1, vocabulary)


MODELS = {"mlp": mlp, "cnn": cnn, "convblock": convblock, "lstm": lstm, "gpt": gpt}


class Trainer:
    """One jitted function from weights, moments and batch to the same and the loss."""

    def __init__(self, workload: Workload) -> None:
        make = optax.adam if workload.optimizer == "adam" else optax.sgd
        optimizer, model, sizes = make(workload.lr), MODELS[workload.kind], dict(workload.sizes)
        self.weights = {name: jnp.asarray(w) for name, w in turned_weights(workload).items()}
        self.state = optimizer.init(self.weights)
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in turned_batches(workload)]

        def loss(weights: Any, x: Any, y: Any) -> Any:
            z = model(weights, x, **sizes)
            if workload.name == "tiny":
                return optax.sigmoid_binary_cross_entropy(z, y).mean()
            return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()

        def step(weights: Any, state: Any, x: Any, y: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(weights, x, y)
            updates, state = optimizer.update(gradients, state, weights)
            return optax.apply_updates(weights, updates), state, value

        self.jitted = jax.jit(step, donate_argnums=(0, 1))

    def step(self, k: int) -> Any:
        x, y = self.batches[k % len(self.batches)]
        self.weights, self.state, loss = self.jitted(self.weights, self.state, x, y)
        return loss

    def value(self, loss: Any) -> float:
        jax.block_until_ready(self.weights)
        return float(loss)


start = Trainer
