"""A recurrent layer taken apart into its steps: sₜ = F(xₜ, sₜ₋₁), with its whole state as one row an example."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core import tree
from chainrule.glass.still import as_function, plain
from chainrule.nn import Module
from chainrule.nn.recurrent import RecurrentLayers
from chainrule.nn.recurrent_cells import Recurrent, RecurrentCell
from chainrule.ops import concatenate, moveaxis, reshape


class Steps:
    """The steps of a recurrent layer on sequences x, in float64 and evaluation mode.

    The state s (n, S) is all that a step hands on, one row an example: h, of an LSTM h and then c, of stacked
    layers that of all of them.

    Raises:
        OptionError: the layer is not recurrent, or does not run forward only.
        ShapeError: x is not a batch of sequences.
    """

    def __init__(self, layer: Any, x: Any, state: Any = None) -> None:
        _check_kind(layer)
        self.stacked = isinstance(layer, RecurrentLayers)
        self.batch_first = getattr(layer, "batch_first", True)
        self.layer: Any = layer.cell if isinstance(layer, Recurrent) else layer
        self.compute = as_function(self.layer)
        x = plain(x)
        if np.ndim(x) != 3:
            raise ShapeError(f"Steps in time need sequences (n, T, features), got {np.shape(x)}.")
        self.x = x if self.batch_first else x.swapaxes(0, 1)  # (n, T, features)
        template = tree.map_leaves(plain, self._advanced(self.x[:, 0]))
        self.shapes = [np.moveaxis(leaf, self.batch_axis, 0).shape[1:] for leaf in tree.flatten(template)[0]]
        self.rebuild = tree.flatten(template)[1]
        self.first = self._first(template, state)

    @property
    def batch_axis(self) -> int:
        """Where the examples lie in a state: stacked layers come before them."""
        return 1 if self.stacked else 0

    def __call__(self, x: Any, s: Any) -> Any:
        """One step: x (n, features), s (n, S), result (n, S)."""
        return self.packed(self._advanced(x, self.unpacked(s)))

    def states(self) -> np.ndarray:
        """All states from the first to the last, (T + 1, n, S)."""
        states = [self.first]
        for t in range(self.x.shape[1]):
            states.append(np.asarray(plain(self(self.x[:, t], states[-1]))))
        return np.stack(states)

    def packed(self, state: Any) -> Any:
        """A state of the layer's own form as (n, S)."""
        leaves = [moveaxis(leaf, self.batch_axis, 0) for leaf in tree.flatten(state)[0]]
        return concatenate([reshape(leaf, (leaf.shape[0], -1)) for leaf in leaves], -1)

    def unpacked(self, s: Any) -> Any:
        """A state (n, S) in the layer's own form."""
        leaves, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            leaves.append(moveaxis(reshape(s[:, start : start + size], (s.shape[0], *shape)), 0, self.batch_axis))
            start += size
        return self.rebuild(leaves)

    @property
    def output(self) -> slice:
        """Where in s the layer's output lies: h, of stacked layers that of the last."""
        stop = int(np.prod(self.shapes[0]))
        return slice(stop - self.shapes[0][-1], stop)

    def _advanced(self, x: Any, state: Any = None) -> Any:
        n, features = x.shape
        if not self.stacked:
            return self.compute(x) if state is None else self.compute(x, state)
        return self.compute(reshape(x, (n, 1, features) if self.batch_first else (1, n, features)), state)[1]

    def _first(self, template: Any, state: Any) -> np.ndarray:
        if state is not None:
            return np.asarray(plain(self.packed(tree.map_leaves(plain, state))))
        zeros = np.zeros((len(self.x), sum(int(np.prod(shape)) for shape in self.shapes)))
        if not getattr(self.layer, "learned_state", False):
            return zeros
        learned = [plain(getattr(self.layer, f"{name}0")).ravel() for name in self.layer.states]
        return zeros + np.concatenate(learned)


def _check_kind(layer: Any) -> None:
    if not isinstance(layer, (RecurrentLayers, RecurrentCell, Recurrent)):
        raise OptionError(
            f"Steps in time are those of a recurrent layer, not of {type(layer).__name__}.",
            fix="the path of an RNN, LSTM or GRU, a cell, or cr.nn.Recurrent(cell)",
        )
    if getattr(layer, "bidirectional", False) or getattr(layer, "reverse", False):
        raise OptionError(
            "A layer that runs backward in time has no one state at each step.",
            layer=repr(layer),
            fix="a layer that runs forward only",
        )


def recurrent_weights(layer: Module) -> dict[str, np.ndarray]:
    """The weights from state to state by name, one square matrix a gate: (gates, hidden, hidden)."""
    _check_kind(layer)
    found = {name: plain(p) for name, p in layer.named_parameters() if name.split(".")[-1].startswith("weight_hh")}
    return {name: W.reshape(-1, W.shape[1], W.shape[1]) for name, W in found.items()}
