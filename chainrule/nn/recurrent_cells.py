"""Recurrent cells: one step at a time, from elementary operations; and any cell run over a sequence."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.core.scan import scan
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.recurrent import set_forget_bias
from chainrule.nn.recurrent_checks import check_carry_width, check_sizes, pair_of
from chainrule.ops.chung_gru import chung_gru_cell
from chainrule.ops.gru import gru_cell
from chainrule.ops.highway_rnn import highway_cell
from chainrule.ops.lstm import lstm_cell
from chainrule.ops.operands import operand
from chainrule.ops.residual_rnn import residual_rnn_cell
from chainrule.ops.rnn import check_nonlinearity, rnn_cell


class RecurrentCell(Module):
    """One step of a recurrence. Shapes: x (n, input_size), state (n, hidden_size); 0 where none is given.

    Raises:
        OptionError: a size is less than 1.
        ShapeError: the input or the state does not fit.
    """

    gates = 1
    biases: tuple[str, ...] = ("bias_ih", "bias_hh")

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.gates * hidden_size
        self.weight_ih, self.weight_hh = self._drawn(rows, input_size), self._drawn(rows, hidden_size)
        for name in self.biases:
            setattr(self, name, self._drawn(rows) if bias else None)

    def _drawn(self, *shape: int) -> Parameter:
        bound = 1 / sqrt(self.hidden_size)
        return Parameter(init.draw(init.uniform(-bound, bound), shape))

    @property
    def bias(self) -> Any:
        """The sum of the biases, of which the value alone depends; None where there are none."""
        first, *rest = (getattr(self, name) for name in self.biases)
        return first if first is None or not rest else first + rest[0]

    def start(self, n: int) -> Any:
        """The state before the first step."""
        return np.zeros((n, self.hidden_size), self.weight_ih.dtype)

    def _checked(self, x: Any, h: Any) -> Any:
        """The state, or the first one; input and state fit."""
        name = type(self).__name__
        if x.ndim != 2 or x.shape[1] != self.input_size:
            advice = (
                "a layer that takes sequences, as nn.LSTM, or one step x[:, t]"
                if x.ndim == 3
                else f"x of shape (n, {self.input_size})"
            )
            raise ShapeError(f"{name} expects one step (n, {self.input_size}), got {x.shape}.", fix=advice)
        h = self.start(x.shape[0]) if h is None else operand(h)
        if tuple(h.shape) != (x.shape[0], self.hidden_size):
            raise ShapeError(
                f"{name} expects a state of shape {(x.shape[0], self.hidden_size)}, got {tuple(h.shape)}.",
                input=x.shape,
            )
        return h

    def extra_repr(self) -> str:
        return f"{self.input_size} → {self.hidden_size}"


class RNNCell(RecurrentCell):
    """One step of the plain network, h' = φ(W x + b + U h + b'); see `rnn_cell`. 000 (15.2)-(15.3)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh") -> None:
        check_nonlinearity(nonlinearity, type(self).__name__)
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias)

    def forward(self, x: Any, h: Any = None) -> Any:
        """The next state."""
        return rnn_cell(x, self._checked(x, h), self.weight_ih, self.weight_hh, self.bias, self.nonlinearity)


class LSTMCell(RecurrentCell):
    """One step of an LSTM; the state is the pair (h, c); see `lstm_cell`. 000 (16.6)-(16.11).

    `forget_bias` is where the bias of the forget gate starts; None leaves it as drawn (000 (16.12)).
    """

    gates = 4

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, forget_bias: float | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        if bias and forget_bias is not None:
            set_forget_bias(self, "", forget_bias)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """The next h and c."""
        h, c = (None, None) if state is None else pair_of(self, state)
        return lstm_cell(x, self._checked(x, h), self._checked(x, c), self.weight_ih, self.weight_hh, self.bias)


class GRUCell(RecurrentCell):
    """One step of PyTorch's GRU, h' = (1 − z) ⊙ n + z ⊙ h; see `gru_cell`."""

    gates = 3

    def forward(self, x: Any, h: Any = None) -> Any:
        """The next state."""
        biases = [getattr(self, name) for name in self.biases]
        return gru_cell(x, self._checked(x, h), self.weight_ih, self.weight_hh, *biases)


class ChungGRUCell(RecurrentCell):
    """One step of the documents' GRU, h' = (1 − z) ⊙ h + z ⊙ n; see `chung_gru_cell`. 003 §16.6."""

    gates = 3
    biases = ("bias_ih",)

    def forward(self, x: Any, h: Any = None) -> Any:
        """The next state."""
        return chung_gru_cell(x, self._checked(x, h), self.weight_ih, self.weight_hh, self.bias)


class ResidualRNNCell(RNNCell):
    """One step of the residual network, h' = Q h + φ(W x + U h + b); see `residual_rnn_cell`. 003 §16.4.

    Q is `weight_skip`; it starts as the identity.
    """

    biases = ("bias_ih",)

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh") -> None:
        super().__init__(input_size, hidden_size, bias, nonlinearity)
        self.weight_skip = Parameter(np.eye(hidden_size, dtype=np.float32))

    def forward(self, x: Any, h: Any = None) -> Any:
        """The next state."""
        weights = self.weight_ih, self.weight_hh, self.weight_skip, self.bias
        return residual_rnn_cell(x, self._checked(x, h), *weights, self.nonlinearity)


class HighwayCell(RecurrentCell):
    """One step of a recurrent highway: h' = t ⊙ n + (1 − t) ⊙ h, t = σ(W x + U h + b), n = φ(W' x + U' h + b').

    The gate decides between the candidate n and the OLD STATE: the form that needs no input as wide as the
    state. The code of 003 §16.8 gates with the input x instead (`carry="input"`), which needs input_size =
    hidden_size. Rows of the weights: first those of t, then those of n; φ is tanh or ReLU. `gate_bias` is where
    the bias of the gate starts, below 0 so that at first most is carried; None leaves it as drawn.

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
        bias: bool = True,
        *,
        carry: str = "state",
        nonlinearity: str = "tanh",
        gate_bias: float | None = None,
    ) -> None:
        check_carry_width("HighwayCell", carry, input_size, hidden_size)
        check_nonlinearity(nonlinearity, "HighwayCell")
        self.carry, self.nonlinearity = carry, nonlinearity
        super().__init__(input_size, hidden_size, bias)
        if bias and gate_bias is not None:
            self.bias.value[:hidden_size] = gate_bias

    def forward(self, x: Any, h: Any = None) -> Any:
        """The next state."""
        weights = self.weight_ih, self.weight_hh, self.bias
        return highway_cell(x, self._checked(x, h), *weights, self.carry, self.nonlinearity)


class Recurrent(Module):
    """Any cell run over a sequence by `scan`: the states (n, T, h) and the last state.

    For cells of one's own, which have no layer. `reverse`, `truncate` and `checkpoint` are
    those of `scan`: backpropagation through time cut after k steps, or with states computed again. The
    cell starts from its own first state where none is given.
    """

    def __init__(
        self, cell: Module, *, reverse: bool = False, truncate: int | None = None, checkpoint: bool | int = False
    ) -> None:
        self.cell, self.reverse, self.truncate, self.checkpoint = cell, reverse, truncate, checkpoint

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """The states of all steps, and the last one."""
        if x.ndim != 3:
            raise ShapeError(f"Recurrent expects sequences (n, T, features), got {x.shape}.")
        last, y = scan(
            self._step, state, x, axis=1, reverse=self.reverse, truncate=self.truncate, checkpoint=self.checkpoint
        )
        return y, last

    def _step(self, state: Any, x: Any) -> tuple[Any, Any]:
        state = self.cell(x) if state is None else self.cell(x, state)
        return state, state[0] if isinstance(state, tuple) else state

    def extra_repr(self) -> str:
        return repr(self.cell)


__all__ = ["ChungGRUCell", "GRUCell", "HighwayCell", "LSTMCell", "RNNCell", "Recurrent", "ResidualRNNCell"]
