"""Recurrent layers whose state passes around the nonlinearity as well: residual and highway."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.nn.parameter import Parameter
from chainrule.nn.recurrent import RecurrentLayers
from chainrule.nn.recurrent_checks import check_carry_width
from chainrule.ops.recurrent import highway_rnn, residual_rnn
from chainrule.ops.rnn import check_nonlinearity


class ResidualRNN(RecurrentLayers):
    """The residual recurrent network hₜ = Q hₜ₋₁ + φ(W xₜ + U hₜ₋₁ + b), φ tanh or ReLU. 003 §16.4.

    Q, `weight_skip`, starts as the identity, so that at first h̄ reaches back through all steps; frozen
    (`requires_grad_(False)`) it stays that. It has one bias. Options, shapes and results are those of
    `RecurrentLayers`.

    Raises:
        OptionError: there is no such nonlinearity.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> y, h = cr.nn.ResidualRNN(3, 5)(np.zeros((2, 7, 3)))
    >>> y.shape, h.shape
    ((2, 7, 5), (1, 2, 5))
    """

    biases = ("bias_ih",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        check_nonlinearity(nonlinearity, "ResidualRNN")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, *args, **kwargs)
        for _, suffix in self._runs():
            setattr(self, f"weight_skip{suffix}", Parameter(np.eye(hidden_size, dtype=np.float32)))

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        w, u, b = self._weights(suffix)
        q = getattr(self, f"weight_skip{suffix}")
        y, h = residual_rnn(x, start[0], w, u, q, b, nonlinearity=self.nonlinearity, mask=mask, reverse=reverse)
        return y, (h,)


class HighwayRNN(RecurrentLayers):
    """The recurrent highway hₜ = t ⊙ n + (1 − t) ⊙ hₜ₋₁, t = σ(W xₜ + U hₜ₋₁ + b), n = φ(W' xₜ + U' hₜ₋₁ + b').

    003 §16.8; with one layer a step, Zilly et al. (2017). `carry="input"` lets xₜ pass in place of hₜ₋₁, as the
    code of 003 does, and needs inputs as wide as the state. `gate_bias` is where the bias of the gate starts,
    below 0 so that at first most is carried; None leaves it as drawn. It has one bias; rows of the weights: first
    those of t, then those of n. Options, shapes and results are those of `RecurrentLayers`.

    Raises:
        OptionError: carry is neither "state" nor "input", or "input" is asked for with unequal sizes; there is
            no such nonlinearity.
    """

    gates = 2
    biases = ("bias_ih",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *args: Any,
        carry: str = "state",
        nonlinearity: str = "tanh",
        gate_bias: float | None = None,
        **kwargs: Any,
    ) -> None:
        check_carry_width("HighwayRNN", carry, input_size, hidden_size)
        check_nonlinearity(nonlinearity, "HighwayRNN")
        self.carry, self.nonlinearity = carry, nonlinearity
        super().__init__(input_size, hidden_size, *args, **kwargs)
        for layer, suffix in self._runs():
            check_carry_width("HighwayRNN", carry, hidden_size * self.directions if layer else input_size, hidden_size)
            if self.bias and gate_bias is not None:
                getattr(self, f"bias_ih{suffix}").value[:hidden_size] = gate_bias

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        settings: Any = {"carry": self.carry, "nonlinearity": self.nonlinearity}
        y, h = highway_rnn(x, start[0], *self._weights(suffix), mask=mask, reverse=reverse, **settings)
        return y, (h,)
