"""The highway layer: a gate decides between what a layer makes of its input and the input itself."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import ShapeError
from chainrule.nn.activations import activation
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.ops import sigmoid


class Highway(Module):
    """y = H(x) ⊙ T(x) + x ⊙ (1 − T(x)), H = φ(W x + b), T = σ(W' x + b'). Srivastava et al. (2015); 003 §16.8.

    Shapes: x and y (…, features). The bias of the gate T starts at `gate_bias`, below 0, so that at first most
    of the input is carried through.

    Raises:
        ShapeError: the last axis of x is not `features`.
    """

    def __init__(self, features: int, nonlinearity: str = "relu", *, gate_bias: float = -1.0) -> None:
        self.features = features
        self.transform, self.gate = Linear(features, features), Linear(features, features)
        self.nonlinearity = activation(nonlinearity)
        self.gate.bias.value[...] = gate_bias  # type: ignore[union-attr]

    def forward(self, x: Any) -> Any:
        """H(x) ⊙ T(x) + x ⊙ (1 − T(x))."""
        if not x.shape or x.shape[-1] != self.features:
            raise ShapeError(
                f"Highway carries its input through, so it takes and gives {self.features} features, got {x.shape}.",
                fix=f"Highway({x.shape[-1]})" if x.shape else "x.reshape(1, 1)",
            )
        t = sigmoid(self.gate(x))
        return self.nonlinearity(self.transform(x)) * t + x * (1 - t)
