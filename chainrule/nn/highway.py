"""The highway layer: a gate decides between what a layer makes of its input and the input itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.nn import init
from chainrule.nn.activations import activation
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.ops import affine, highway, sigmoid
from chainrule.ops.rnn import NONLINEARITIES


class Highway(Module):
    """y = H(x) ⊙ T(x) + x ⊙ (1 − T(x)), H = φ(W x + b), T = σ(W' x + b'). Srivastava et al. (2015); 003 §16.8.

    Shapes: x and y (…, features). The bias of the gate T starts at `gate_bias`, below 0, so that at first most
    of the input is carried through. With ReLU and tanh it is one operation (`cr.highway`), with any other
    activation several. W starts like that of `Linear`.

    Raises:
        ShapeError: the last axis of x is not `features`.
    """

    def __init__(self, features: int, nonlinearity: str = "relu", *, gate_bias: float = -1.0) -> None:
        self.features = features
        fused = nonlinearity in NONLINEARITIES
        self.nonlinearity: Any = nonlinearity if fused else activation(nonlinearity)
        self.weight, self.bias = self._drawn(features, features), self._drawn(features)
        self.gate_weight = self._drawn(features, features)
        self.gate_bias = Parameter(np.full(features, gate_bias, np.float32))

    def _drawn(self, *shape: int) -> Parameter:
        bound = self.features**-0.5
        return Parameter(init.draw(init.uniform(-bound, bound), shape))

    def forward(self, x: Any) -> Any:
        """H(x) ⊙ T(x) + x ⊙ (1 − T(x))."""
        if not x.shape or x.shape[-1] != self.features:
            raise ShapeError(
                f"Highway carries its input through, so it takes and gives {self.features} features, got {x.shape}.",
                fix=f"Highway({x.shape[-1]})" if x.shape else "x.reshape(1, 1)",
            )
        if isinstance(self.nonlinearity, str):
            return highway(x, self.weight, self.bias, self.gate_weight, self.gate_bias, self.nonlinearity)
        t = sigmoid(affine(x, self.gate_weight, self.gate_bias))
        return self.nonlinearity(affine(x, self.weight, self.bias)) * t + x * (1 - t)

    def extra_repr(self) -> str:
        return f"{self.features}, {self.nonlinearity}"
