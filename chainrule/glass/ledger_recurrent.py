"""Recurrent layers inside: gates, states and their deltas at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core import PRIMITIVES, Tensor
from chainrule.glass.ledger_pass import Tape, array, owned
from chainrule.nn import Module
from chainrule.nn.recurrent import RecurrentLayers

GATES = {
    "rnn": ("",),
    "lstm": ("i", "f", "g", "o"),
    "gru": ("r", "z", "n", "m"),
    "chung_gru": ("r", "z", "n"),
    "residual_rnn": ("n",),
    "highway_rnn": ("t", "n"),
}
"""What each recurrence keeps of a step beside its states, in the order it lays them side by side."""


def gates(tape: Tape, path: str, module: Module) -> Iterator[tuple[str, np.ndarray]]:
    """Of every layer and direction: states h (and c), gates, dL/dh from outside the layer, and δ of each gate.

    δ is dL/dz of the gate's pre-activation with all that comes back through time, (n, T, hidden_size) as the gate.
    """
    nodes = owned(tape, path, tuple(GATES))
    ends = [suffix for _, suffix in module._runs()] if isinstance(module, RecurrentLayers) else []
    for k, node in enumerate(nodes):
        end = ends[k % len(ends)] if ends else ""
        end += f"_{k // len(ends) + 1}" if ends and k >= len(ends) else ""
        yield from ((f"{name}{end}", value) for name, value in _of(tape, node))


def _of(tape: Tape, node: Any) -> Iterator[tuple[str, np.ndarray]]:
    values = node.value if type(node.value) is tuple else (node.value,)
    bars = [tape.bars[node, i] for i in range(len(values))]
    names, states = GATES[node.name], ("h", "c") if node.name == "lstm" else ("h",)
    for name, value, bar in zip(states, values, bars, strict=False):
        yield name, array(value)
        yield f"d{name}", array(bar)
    deltas = _deltas(node, values, bars)
    if node.name == "rnn":
        yield "delta", deltas
        return
    for name, gate in zip(names, np.split(array(values[-1]), len(names), -1), strict=True):
        yield name, gate
    learned = [name for name in names if name != "m"]
    for name, delta in zip(learned, np.split(deltas, len(learned), -1), strict=True):
        yield f"delta_{name}", delta


def _deltas(node: Any, values: tuple[Any, ...], bars: list[Any]) -> np.ndarray:
    """δ of all steps and gates side by side, from the primitive that goes back through time."""
    args = [_plain(a) for a in node.args]
    back, given = PRIMITIVES[f"{node.name}_back"], [_plain(v) for v in (*bars, *values)]
    x, first = args[0], args[1 : 3 if node.name == "lstm" else 2]
    place = len(first) + 2  # of w_hh, behind w_ih
    learned = args[place : place + (2 if node.name == "residual_rnn" else 1)]
    biases = 2 if node.name == "gru" else 1
    mask = args[place + len(learned) + biases :]
    result = back(*given, x, *first, *learned, *mask, **node.params)
    return array(result[0])


def _plain(a: Any) -> Any:
    while isinstance(a, Tensor):
        a = a.value
    return a
