"""The feed-forward block of a transformer: two dense layers, the same for every position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError
from chainrule.nn.dropout import Dropout
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "relu": ops.relu,
    "gelu": ops.gelu,
    "gelu_tanh": ops.gelu_tanh,
    "silu": ops.silu,
}
GATED = {"swiglu": ops.silu, "geglu": ops.gelu}


class FeedForward(Module):
    """y = W₂ f(W₁ x + b₁) + b₂, or with a gate y = W₂ (f(W₁ x) ⊙ W₃ x): "swiglu" (f SiLU), "geglu" (f GELU).

    `activation` is one of relu, gelu, gelu_tanh, silu, swiglu, geglu. The hidden width is 4 d_model, as in
    Vaswani et al. (2017), §3.3 (003 §17.7, for rows). A gated block has a third matrix and, as LLaMA, no biases
    unless asked; two thirds of the hidden width give it as many weights. Shazeer (2020).
    Shapes: x and y (…, d_model).

    Raises:
        OptionError: there is no such activation.
    """

    def __init__(
        self,
        d_model: int,
        dim_feedforward: int | None = None,
        activation: str = "relu",
        dropout: float = 0.0,
        bias: bool | None = None,
    ) -> None:
        if activation not in FUNCTIONS | GATED:
            raise OptionError(f"There is no activation {activation!r} here.", known=", ".join(FUNCTIONS | GATED))
        hidden, gated = dim_feedforward or 4 * d_model, activation in GATED
        bias = not gated if bias is None else bias
        self.activation = activation
        self.linear1 = Linear(d_model, hidden, bias=bias)
        self.gate = Linear(d_model, hidden, bias=bias) if gated else None
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(hidden, d_model, bias=bias)

    def forward(self, x: Any) -> Any:
        """The block on each position."""
        h = (FUNCTIONS | GATED)[self.activation](self.linear1(x))
        if self.gate is not None:
            h = h * self.gate(x)
        return self.linear2(self.dropout(h))


def function(activation: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The activation of a transformer layer, by name or as it is.

    Raises:
        OptionError: there is no such activation.
    """
    if not isinstance(activation, str):
        return activation
    if activation not in FUNCTIONS:
        raise OptionError(f"There is no activation {activation!r} here.", known=", ".join(FUNCTIONS))
    return FUNCTIONS[activation]
