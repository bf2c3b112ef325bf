"""Recurrent layers inside: gates, states and their deltas at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core import PRIMITIVES, Tensor
from chainrule.glass.ledgers.one_step import Tape, array, owned
from chainrule.glass.ledgers.through_time import Arrived, pre_activations
from chainrule.nn import Module
from chainrule.nn.recurrent import RecurrentLayers

GATES = {
    "rnn": ("",),
    "lstm": ("i", "f", "g", "o"),
    "gru": ("r", "z", "n"),
    "chung_gru": ("r", "z", "n"),
    "residual_rnn": ("n",),
    "highway_rnn": ("t", "n"),
}
"""The gates of each recurrence, in the order it lays them side by side; n and g are candidates."""
CELLS = {
    "LSTMCell": GATES["lstm"],
    "GRUCell": GATES["gru"],
    "ChungGRUCell": GATES["chung_gru"],
    "ResidualRNNCell": GATES["residual_rnn"],
    "RNNCell": GATES["rnn"],
    "HighwayCell": GATES["highway_rnn"],
}
"""The gates of each cell, in the order in which it computes them."""


def gates(tape: Tape, path: str, module: Module) -> Iterator[tuple[str, np.ndarray]]:
    """Of every layer and direction, at every step (n, T, hidden_size): states, gates, and the derivatives by them.

    h, dh and c, dc are states and dL/dh, dL/dc with all that later steps send back; i, z_i, delta_i are a gate, its
    pre-activation and δ = dL/dz. The names end as the parameters' do: i_l0, delta_i_l0_reverse.
    """
    if isinstance(module, RecurrentLayers):
        ends = [suffix for _, suffix in module._runs()]
        for k, node in enumerate(owned(tape, path, tuple(GATES))):
            end = ends[k % len(ends)] + (f"_{k // len(ends) + 1}" if k >= len(ends) else "")
            yield from ((f"{name}{end}", value) for name, value in of_sequence(tape, node))
    kind = next((c.__name__ for c in type(module).__mro__ if c.__name__ in CELLS), None)
    if kind is not None:
        yield from _of_cell(tape, path, kind)


def of_sequence(tape: Tape, node: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The same of one recurrence, by the names without their ends."""
    values = [array(v) for v in (node.value if type(node.value) is tuple else (node.value,))]
    bars = [array(tape.bars[node, i]) for i in range(len(values))]
    args, kind, reverse = [tape.numbers(a) for a in node.args], node.name, node.params["reverse"]
    states = 2 if kind == "lstm" else 1
    x, first, (w, u, *rest) = args[0], args[1 : 1 + states], args[1 + states :]
    keep = [rest.pop(0)] if kind == "residual_rnn" else []
    biases, mask = (rest[:2], rest[2:]) if kind == "gru" else (rest[:1], rest[1:])
    delta = array(PRIMITIVES[f"{kind}_back"](*bars, *values, x, *first, u, *keep, *mask, **node.params)[0])
    h, acts = values[0], values[-1] if len(values) > 1 else None
    z = pre_activations(kind, reverse, h, acts, x, first[0], w, u, *biases)
    carried_input = node.params.get("carry") == "input"
    arrived = Arrived("rnn" if carried_input else kind, delta, acts, u, *(mask or [None]), reverse=reverse)
    h_total = arrived.at_states(bars[0], *keep)
    yield from (("h", h), ("dh", h_total))
    if kind == "lstm":
        yield from (("c", values[1]), ("dc", arrived.at_cells(bars[1], h_total, values[1])))
    yield from _by_gate(GATES[kind], acts, z, delta)


def _by_gate(names: tuple[str, ...], acts: Any, z: np.ndarray, delta: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    size = z.shape[-1] // len(names)
    for k, name in enumerate(names):
        here = (..., slice(k * size, (k + 1) * size))
        if name:
            yield name, acts[here]
        yield f"z_{name}".rstrip("_"), z[here]
        yield f"delta_{name}".rstrip("_"), delta[here]


def _of_cell(tape: Tape, path: str, kind: str) -> Iterator[tuple[str, np.ndarray]]:
    """The gates of a cell, a step at each call: `i`, then `i_2`."""
    names = CELLS[kind]
    nodes = owned(tape, path, ("sigmoid", "tanh", "relu"))
    length = len(names) + (kind == "LSTMCell")  # the tanh of the state
    for k in range(0, len(nodes), length):
        end = f"_{k // length + 1}" if k else ""
        for name, node in zip(names, nodes[k : k + length], strict=False):
            z = node.args[0]
            if name:
                yield f"{name}{end}", array(node.value)
            if isinstance(z, Tensor):
                yield f"z_{name}".rstrip("_") + end, array(z)
                yield f"delta_{name}".rstrip("_") + end, tape.gradient(z)
