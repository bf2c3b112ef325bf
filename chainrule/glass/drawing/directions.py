"""Random directions in the space of weights, and the loss along them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.base.keys import Key
from chainrule.glass.explanation.problem import loss_named
from chainrule.nn import Module, functional_call
from chainrule.train.evaluate import evaluating

Direction = dict[str, np.ndarray]
Loss = Callable[[Any, Any], Any] | str


def filter_normalised(model: Module, key: Key) -> Direction:
    """A random direction d with a part for each learned weight: filters of d are as long as those of the weight.

        dᵢ ← dᵢ ‖Wᵢ‖ / ‖dᵢ‖,   dᵢ normal

    A filter Wᵢ is all weights that lead to one unit or channel (a row of axis 0). Without it, a layer of large weights
    would look flat, and one of small weights steep, though rescaling both leaves a ReLU network as it is. Biases, and
    the weights of norms, have one axis and stay where they are, as in the authors' code. Li et al. (2018), §4.
    """
    return {name: _part(key / name, p.numpy()) for name, p in model.named_parameters() if p.requires_grad}


def _part(key: Key, weight: np.ndarray) -> np.ndarray:
    if weight.ndim < 2:
        return np.zeros_like(weight)
    d = key.generator().standard_normal(weight.shape)
    rows = tuple(range(1, weight.ndim))
    lengths = np.sqrt(np.square(weight.astype(np.float64)).sum(axis=rows, keepdims=True))
    return (d * lengths / np.sqrt(np.square(d).sum(axis=rows, keepdims=True))).astype(weight.dtype)


def losses_at(
    model: Module, x: Any, y: Any, loss: Loss, directions: Sequence[Direction], places: np.ndarray
) -> np.ndarray:
    """L(θ + Σₖ aₖ dₖ) for each row a of `places` (n, directions), in evaluation mode; the model stays as it is."""
    start = {name: p.numpy() for name, p in model.named_parameters() if name in directions[0]}
    function, found = loss_named(loss), []
    with evaluating(model):
        for a in places:
            moved = {}
            for name, w in start.items():
                steps = [step * d[name] for step, d in zip(a, directions, strict=True)]
                moved[name] = (w + np.sum(steps, axis=0)).astype(w.dtype)
            found.append(float(function(functional_call(model, moved, x), y)))
    return np.array(found)
