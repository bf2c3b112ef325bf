"""A start from which numbers keep their size: the same weights, each layer's divided by the size of what it gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core import no_grad, tree
from chainrule.glass.ledgers.one_step import array
from chainrule.glass.record import watched
from chainrule.nn import Embedding, Module
from chainrule.nn.recurrent import RNN

ROWS = 64
"""Examples whose outputs are looked at."""


def level(model: Module, x: Any) -> None:
    """Divide the weights of every layer by the root mean square of its outputs, from the input to the output.

        W ← W / √mean(z²)

    Layer-sequential unit variance (Mishkin & Matas 2016) from the weights that are there, in evaluation mode, in which
    the model is afterwards. The recurrent weights of an RNN are divided by their spectral radius, which is 1 then: what
    is kept neither fades nor grows.
    """
    model.eval()
    modules = dict(model.named_modules())
    for path in sizes(model, x):
        module = modules[path]
        if isinstance(module, RNN):
            _level_recurrence(module)
        elif matrices(module) and not isinstance(module, Embedding):
            _divide(matrices(module), sizes(model, x)[path])


def sizes(model: Module, x: Any) -> dict[str, float]:
    """The root mean square of what each module gives, in the order of their ends."""
    found: dict[str, float] = {}

    def note(path: str, module: Module, args: tuple[Any, ...], result: Any) -> None:
        numbers = array(tree.flatten(result)[0][0]).astype(np.float64)
        found[path] = float(np.sqrt((numbers**2).mean()))

    with no_grad(), watched(model.named_modules(), note):
        model(x[:ROWS])
    return found


def matrices(module: Module) -> list[Any]:
    """The weights that a layer itself multiplies its inputs with."""
    return [p for name, p in module.named_parameters() if "." not in name and p.numpy().ndim > 1]


def _level_recurrence(layer: RNN) -> None:
    for name, p in layer.named_parameters():
        if name.startswith("weight_hh"):
            _divide([p], float(np.abs(np.linalg.eigvals(p.numpy().astype(np.float64))).max()))


def _divide(parameters: list[Any], by: float) -> None:
    for p in parameters:
        if by > 0 and np.isfinite(by):
            p.assign((p.numpy() / by).astype(p.numpy().dtype))
