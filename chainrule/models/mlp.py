"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.base.errors import OptionError
from chainrule.nn import BatchNorm1d, Dropout, Linear, Module, Sequential, activation

STARTS = {"sigmoid": "xavier_uniform", "tanh": "xavier_uniform", "softmax": "xavier_uniform", "selu": "lecun_normal"}
"""Weights by activation; He's for ReLU and its kin, which are all others (004 §3.7.3, Table 3)."""


class MLP(Sequential):
    """Dense layers with an activation between them: sizes (d, h₁, …, K) give Σ nₗ(nₗ₋₁ + 1) parameters.

    Layers are named fc1, act1, norm1, drop1, fc2, …; the last dense layer gives logits or values, without an
    activation. Order within a block: dense, batch norm, activation, dropout. Weights are drawn to suit the
    activation, biases start at 0. `dropout` is one probability for all blocks, or one a block.

    >>> model = MLP(784, 256, 128, 10)
    >>> model.n_parameters
    235146
    """

    def __init__(
        self,
        *sizes: int,
        activation: str = "relu",
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        init: str | None = None,
    ) -> None:
        if len(sizes) < 2:
            raise OptionError(f"An MLP needs the number of inputs and of outputs, got sizes {sizes}.")
        blocks = len(sizes) - 2
        rates = list(dropout) if isinstance(dropout, Sequence) else [dropout] * blocks
        if len(rates) != blocks:
            hidden = "is 1 hidden layer" if blocks == 1 else f"are {blocks} hidden layers"
            given = "1 dropout probability" if len(rates) == 1 else f"{len(rates)} dropout probabilities"
            raise OptionError(f"There {hidden}, but {given}.")
        start = init or STARTS.get(activation, "he_normal")
        super().__init__(**_layers(sizes, activation, rates, batch_norm, start))
        self.sizes = sizes


def _layers(sizes: Sequence[int], act: str, rates: Sequence[float], batch_norm: bool, start: str) -> dict[str, Module]:
    layers: dict[str, Module] = {}
    for i, rate in enumerate(rates, start=1):
        layers[f"fc{i}"] = Linear(sizes[i - 1], sizes[i], init=start)
        if batch_norm:
            layers[f"norm{i}"] = BatchNorm1d(sizes[i])
        layers[f"act{i}"] = activation(act)
        if rate:
            layers[f"drop{i}"] = Dropout(rate)
    layers[f"fc{len(sizes) - 1}"] = Linear(sizes[-2], sizes[-1], init=start)
    return layers
