"""Recurrent layers: RNN, LSTM and GRU in PyTorch's names and layouts, and the GRU of the documents."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.recurrent_checks import check_input, check_sizes, check_state, mask_of, pair_of
from chainrule.ops import broadcast_to, concatenate, dropout, expand_dims, squeeze, stack, transpose
from chainrule.ops.operands import operand
from chainrule.ops.recurrent import chung_gru, gru, lstm, rnn
from chainrule.ops.rnn import check_nonlinearity


class RecurrentLayers(Module):
    """Layers of one recurrence on top of one another, in one or both directions.

    Shapes: x (n, T, input_size), batch first UNLESS `batch_first=False`, then (T, n, input_size); PyTorch has it
    the other way round. One sequence alone may come as (T, input_size). The result is the sequence of states
    (n, T, directions · hidden_size) of the last layer, and the last state of every layer and direction,
    (num_layers · directions, n, hidden_size). A state of that shape may be given; it starts at 0 otherwise, or,
    with `learned_state`, at parameters (004 §4.6.7).

    `lengths` (n) or a `mask` (n, T) say which steps belong to the sequences: over the others the state passes
    unchanged and the result is 0, so that the last state is that of each sequence's own last step; the backward
    direction starts there. `dropout` drops between layers, in training. Weights and biases start uniform on
    ±1/√hidden_size.

    For truncated backpropagation through time give the sequence in pieces, and each piece the state of the one
    before, detached: `y, state = layer(piece, state.detach())`.

    Raises:
        OptionError: a size is less than 1, dropout is not in [0, 1], or both lengths and mask are given.
        ShapeError: input, state, lengths or mask do not fit.
        DtypeError: lengths are not integers, or the mask is not made of booleans.
    """

    gates = 1
    states: tuple[str, ...] = ("h",)
    biases: tuple[str, ...] = ("bias_ih", "bias_hh")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        learned_state: bool = False,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= dropout <= 1:
            raise OptionError(f"{name} takes a probability of dropping between 0 and 1, got {dropout}.")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        for layer, suffix in self._runs():
            inputs = input_size if layer == 0 else hidden_size * self.directions
            self._add(f"weight_ih{suffix}", self.gates * hidden_size, inputs)
            self._add(f"weight_hh{suffix}", self.gates * hidden_size, hidden_size)
            for b in self.biases if bias else ():
                self._add(f"{b}{suffix}", self.gates * hidden_size)
        self.learned_state = learned_state
        for state in self.states if learned_state else ():
            self._add(f"{state}0", num_layers * self.directions, hidden_size)

    @property
    def directions(self) -> int:
        """1, or 2 where it is bidirectional."""
        return 1 + self.bidirectional

    def _runs(self) -> Iterator[tuple[int, str]]:
        """Every layer and direction: the number of the layer, and the end of its parameters' names."""
        ends = ("", "_reverse")[: self.directions]
        return ((layer, f"_l{layer}{end}") for layer in range(self.num_layers) for end in ends)

    def _add(self, name: str, *shape: int) -> None:
        bound = 1 / sqrt(self.hidden_size)
        setattr(self, name, Parameter(init.draw(init.uniform(-bound, bound), shape)))

    def forward(self, x: Any, state: Any = None, *, lengths: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """The states of the last layer, and the last state of every layer and direction."""
        check_input(self, x)
        alone = x.ndim == 2
        given, shape = self._given(state, x), x.shape
        x = expand_dims(x, 0) if alone else x if self.batch_first else transpose(x, 1, 0, 2)
        mask = mask_of(self, lengths, mask, *x.shape[:2])
        first = self._first(given, shape, x, alone)
        y, last = self._through_layers(x, first, mask)
        y = squeeze(y, 0) if alone else y if self.batch_first else transpose(y, 1, 0, 2)
        last = [squeeze(v, 1) if alone else v for v in last]
        return y, tuple(last) if len(self.states) > 1 else last[0]

    def _through_layers(self, x: Any, first: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        ends: list[Any] = []
        for layer in range(self.num_layers):
            if layer and self.training and self.dropout:
                x = dropout(x, self.dropout)
            directions = []
            for suffix in (end for number, end in self._runs() if number == layer):
                start = [v[len(ends)] for v in first]
                y, end = self._run(x, start, suffix, mask, suffix.endswith("reverse"))
                directions.append(y)
                ends.append(end)
            x = concatenate(directions, -1) if len(directions) > 1 else directions[0]
        return x, [stack(list(column)) for column in zip(*ends, strict=True)]

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        """One layer in one direction: its states, and a tuple of what it ends with."""
        raise NotImplementedError

    def _weights(self, suffix: str) -> list[Any]:
        return [getattr(self, f"{name}{suffix}", None) for name in ("weight_ih", "weight_hh", *self.biases)]

    def _one_bias(self, suffix: str) -> list[Any]:
        """Both weights, and the sum of the two biases, of which the value alone depends."""
        w, u, *biases = self._weights(suffix)
        return [w, u, biases[0] + biases[1] if self.bias else None]

    def _given(self, state: Any, x: Any) -> list[Any] | None:
        if state is None:
            return None
        if len(self.states) > 1:
            state = pair_of(self, state)
        return [operand(v) for v in state] if len(self.states) > 1 else [operand(state)]

    def _first(self, given: list[Any] | None, x_shape: Any, x: Any, alone: bool) -> list[Any]:
        """What each layer and direction starts from: (layers · directions, n, h) for each kind of state."""
        runs, n, size = self.num_layers * self.directions, x.shape[0], self.hidden_size
        if given is not None:
            wanted = (runs, size) if alone else (runs, n, size)
            for name, v in zip(self.states, given, strict=True):
                check_state(self, v, wanted, x_shape, f"{name}0")
            return [expand_dims(v, 1) for v in given] if alone else given
        if self.learned_state:
            starts = [expand_dims(getattr(self, f"{name}0"), 1) for name in self.states]
            return [broadcast_to(v, shape=(runs, n, size)) for v in starts]
        return [np.zeros((runs, n, size), self._weights("_l0")[0].dtype) for _ in self.states]

    def extra_repr(self) -> str:
        layers = f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        return f"{self.input_size} → {self.hidden_size}{layers}{', bidirectional' if self.bidirectional else ''}"


class RNN(RecurrentLayers):
    """The plain recurrent network hₜ = φ(W xₜ + b + U hₜ₋₁ + b'), φ tanh or ReLU. 000 (15.2)-(15.9), 004 (106).

    Options, shapes and results are those of `RecurrentLayers`.

    Raises:
        OptionError: there is no such nonlinearity.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> y, h = cr.nn.RNN(3, 5)(np.zeros((2, 7, 3)))
    >>> y.shape, h.shape
    ((2, 7, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        check_nonlinearity(nonlinearity, "RNN")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, *args, **kwargs)

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        weights = self._one_bias(suffix)
        y, h = rnn(x, start[0], *weights, nonlinearity=self.nonlinearity, mask=mask, reverse=reverse)
        return y, (h,)


class LSTM(RecurrentLayers):
    """Long short-term memory; the state is the pair (h, c). 000 (16.6)-(16.11), 004 (108)-(113).

        i, f, o = σ(W x + b + U h + b'),  g = tanh(W x + b + U h + b'),  c' = f ⊙ c + i ⊙ g,  h' = o ⊙ tanh c'

    `forget_bias` is where the bias of the forget gate starts (1 lets the memory through at first, 000 (16.12));
    None leaves it as drawn. Options, shapes and results are those of `RecurrentLayers`.
    """

    gates = 4
    states = ("h", "c")

    def __init__(self, *args: Any, forget_bias: float | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if forget_bias is not None:
            for _, suffix in self._runs() if self.bias else ():
                set_forget_bias(self, suffix, forget_bias)

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        return lstm(x, (start[0], start[1]), *self._one_bias(suffix), mask=mask, reverse=reverse)


class GRU(RecurrentLayers):
    """PyTorch's gated recurrent unit: h' = (1 − z) ⊙ n + z ⊙ h, n = tanh(W x + b + r ⊙ (U h + b')).

    The update gate z keeps the OLD state; in the documents it takes the new one (`ChungGRU`). Options, shapes
    and results are those of `RecurrentLayers`.
    """

    gates = 3

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = gru(x, start[0], *self._weights(suffix), mask=mask, reverse=reverse)
        return y, (h,)


class ChungGRU(RecurrentLayers):
    """The documents' gated recurrent unit: h' = (1 − z) ⊙ h + z ⊙ n, n = tanh(W x + U (r ⊙ h) + b).

    003 §16.6, 004 (114)-(117); Chung et al. (2014). It has one bias. Options, shapes and results are those of
    `RecurrentLayers`.
    """

    gates = 3
    biases = ("bias_ih",)

    def _run(self, x: Any, start: list[Any], suffix: str, mask: Any, reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = chung_gru(x, start[0], *self._weights(suffix), mask=mask, reverse=reverse)
        return y, (h,)


def set_forget_bias(module: Any, suffix: str, value: float) -> None:
    """Let the forget gate's two biases of an LSTM sum to a value."""
    n = module.hidden_size
    for name, start in (("bias_ih", value), ("bias_hh", 0.0)):
        getattr(module, f"{name}{suffix}").value[n : 2 * n] = start
