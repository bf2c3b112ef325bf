"""Chainrule: the step as its README writes it, compiled or as it is, on any backend."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import chainrule as cr
from benchmarks.workloads import Workload, flat_after_pooling
from chainrule import nn


def mlp(widths: tuple[int, ...], activation: str = "relu") -> nn.Module:
    return cr.models.MLP(*widths, activation=activation)


def cnn(channels: tuple[int, ...], side: int, hidden: int) -> nn.Module:
    return nn.Sequential(
        conv1=nn.Conv2d(channels[0], channels[1], 3),
        act1=nn.ReLU(),
        conv2=nn.Conv2d(channels[1], channels[2], 3),
        act2=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        flat=nn.Flatten(),
        fc1=nn.Linear(flat_after_pooling(channels, side), hidden),
        act3=nn.ReLU(),
        fc2=nn.Linear(hidden, 10),
    )


def convblock(channels: int, side: int, blocks: int) -> nn.Module:
    layers: dict[str, nn.Module] = {}
    for i in range(1, blocks + 1):
        layers[f"conv{i}"] = nn.Conv2d(channels, channels, 3, padding=1)
        layers[f"norm{i}"] = nn.BatchNorm2d(channels)
        layers[f"act{i}"] = nn.ReLU()
    return nn.Sequential(**layers, pool=nn.GlobalAvgPool(), fc=nn.Linear(channels, 10))


class LastState(nn.Module):
    """An LSTM whose last state decides."""

    def __init__(self, inputs: int, hidden: int, time: int) -> None:
        self.lstm, self.fc = nn.LSTM(inputs, hidden), nn.Linear(hidden, 10)

    def forward(self, x: Any) -> Any:
        _, (h, _) = self.lstm(x)
        return self.fc(h[-1])


class GPT(nn.Module):
    """Pre-norm blocks with causal attention and GELU, learned positions."""

    def __init__(self, layers: int, heads: int, width: int, context: int, vocabulary: int) -> None:
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.LearnedPositions(context, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", norm_first=True) for _ in range(layers)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, ids: Any) -> Any:
        x = self.positions(self.tokens(ids))
        for layer in self.layers:
            x = layer(x, is_causal=True)
        return self.head(self.norm(x)).reshape(-1, self.head.out_features)


MODELS = {"mlp": mlp, "cnn": cnn, "convblock": convblock, "lstm": LastState, "gpt": GPT}
NAMES = {
    "qkv.weight": "self_attn.in_proj_weight",
    "qkv.bias": "self_attn.in_proj_bias",
    "proj.": "self_attn.out_proj.",
    "up.": "linear1.",
    "down.": "linear2.",
}
"""Parts of a transformer layer: how the weights are named, and how this library does."""


WATCHED = ("*.z", "*.a", "*.delta", "*.dweight", "*.dbias")
"""Every pre-activation, activation, delta and gradient."""


def named(weights: dict[str, Any]) -> dict[str, Any]:
    """The weights under this library's names."""
    for old, new in NAMES.items():
        weights = {name.replace(old, new) if name.startswith("layers.") else name: w for name, w in weights.items()}
    return weights


class Trainer:
    """A model, its optimiser, and a step that is a plan, or define-by-run where `compiled` is False.

    With `half` it computes in bfloat16, with weights in float32.
    """

    def __init__(
        self,
        workload: Workload,
        library: str = "numpy",
        compiled: bool = True,
        watch: Any = None,
        lr: float = 0,
        device: str | None = None,
        half: bool = False,
    ) -> None:
        if device == "cuda":
            all_of_float32()
        cr.use(library, device)
        self.model = MODELS[workload.kind](**workload.sizes)
        buffers = dict(self.model.named_buffers())
        self.model.load_state_dict(named(workload.weights) | {n: b.numpy() for n, b in buffers.items()})
        self.optimizer = {"adam": cr.optim.Adam, "sgd": cr.optim.SGD}[workload.optimizer](
            self.model, lr=lr or workload.lr
        )
        self.loss = cr.losses.binary_cross_entropy_with_logits if workload.name == "tiny" else cr.losses.cross_entropy
        step = self.written_out
        self.plan: Any = cr.compile(step) if compiled else step
        self.network = nn.LowPrecision(self.model, "bfloat16") if half else self.model
        self.batches = [tuple(_placed(a, library, device) for a in batch) for batch in workload.batches]
        if watch:
            self.plan.watch(*WATCHED, **watch)

    def written_out(self, x: Any, y: Any) -> Any:
        """The step."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def step(self, k: int) -> Any:
        return self.plan(*self.batches[k % len(self.batches)])

    def value(self, loss: Any) -> float:
        return float(loss)


def _placed(array: Any, library: str, device: str | None) -> Any:
    """A batch in the library's own arrays, where its peers have it."""
    if library == "torch":
        return import_module("torch").from_numpy(array).to(device)
    return array if library == "numpy" else import_module("jax.numpy").asarray(array)


def all_of_float32() -> None:
    """Convolutions by PyTorch on a GPU with all digits, as its products are unless one asks for fewer."""
    import_module("torch").backends.cudnn.allow_tf32 = False


start = Trainer
