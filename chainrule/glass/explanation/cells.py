"""Which recurrences are explained step by step, and by which kernel."""

from __future__ import annotations

from typing import Any

from chainrule.nn import GRU, LSTM, RNN, ChungGRU, ChungGRUCell, GRUCell, LSTMCell, Recurrent, ResidualRNNCell, RNNCell

LAYERS = (RNN, LSTM, GRU, ChungGRU)

CELLS = ((LSTMCell, "lstm"), (GRUCell, "gru"), (ChungGRUCell, "chung_gru"), (RNNCell, "rnn"))
"""The kernel that does in one go what a cell does, run over a sequence."""

KERNELS = tuple(kind for _, kind in CELLS)


def is_explained(module: Any) -> bool:
    """Whether a module is a recurrence that is shown step by step.

    A cell of one's own is shown by its operations, and so is backpropagation that is cut short.
    """
    if isinstance(module, Recurrent):
        return bool(kernel_of(module.cell)) and module.truncate is None
    return isinstance(module, LAYERS)


def kernel_of(cell: Any) -> str:
    """The kernel of a cell; empty where it has none."""
    if isinstance(cell, ResidualRNNCell):
        return ""
    return next((kind for cells, kind in CELLS if isinstance(cell, cells)), "")
