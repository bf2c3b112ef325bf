"""The quantities of a step by layer: z, a, δ and dL/da, parameters and their gradients, running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledger_attention import heads
from chainrule.glass.ledger_pass import Passage, Tape, array
from chainrule.glass.ledger_recurrent import gates
from chainrule.nn import LSTMCell, Module
from chainrule.nn.recurrent import RecurrentLayers


def quantities(tape: Tape) -> Iterator[tuple[str, str, np.ndarray]]:
    """Path, name and numbers, in the order of the model's layers."""
    results: dict[str, list[tuple[str, np.ndarray]]] = {}
    for path, name, x in _results(tape):
        named = _numbered(name, [n for n, _ in results.setdefault(path, [])])
        slope = "delta" if name == "z" else f"d{name}"
        results[path] += [(named, array(x)), (named.replace(name, slope, 1), tape.gradient(x))]
    shared: dict[int, str] = {}
    for path, module in tape.model.named_modules():
        yield from ((path, *found) for found in results.get(path, []))
        yield from ((path, *found) for found in gates(tape, path, module))
        yield from ((path, *found) for found in heads(tape, path))
        yield from ((path, *found) for found in _parameters(tape, path, module, shared))
        yield from ((path, *found) for found in _buffers(tape, path))


def _numbered(name: str, taken: list[str]) -> str:
    """`z`; of a layer that is called again, `z_2`."""
    numbered = (f"{name}_{i}" for i in range(2, len(taken) + 3))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _results(tape: Tape) -> Iterator[tuple[str, str, Tensor]]:
    """z of dense layers and convolutions, a of them and of all others, and further results, h_n and c_n of an LSTM."""
    waiting: Passage | None = None
    for passage in tape.passages:
        module, outputs = passage.module, passage.outputs
        if not outputs or (passage.path == "" and list(module.children())):
            continue
        if module.result_name == "z":
            yield from _settled(tape, waiting)
            yield passage.path, "z", outputs[0]
            waiting = passage
            continue
        if waiting is not None and module.is_activation and passage.inputs and passage.inputs[0] is waiting.outputs[0]:
            yield waiting.path, "a", outputs[0]
            waiting = None
        yield passage.path, "a", outputs[0]
        for name, x in zip(_further(module, len(outputs) - 1), outputs[1:], strict=True):
            yield passage.path, name, x
    yield from _settled(tape, waiting)


def _settled(tape: Tape, waiting: Passage | None) -> Iterator[tuple[str, str, Tensor]]:
    """The activation of a pre-activation that no activation layer followed: of a function, or z itself."""
    if waiting is None:
        return
    z = waiting.outputs[0]
    for node in tape.nodes:
        alone = node.primitive is not None and node.primitive.family == "elementwise" and len(node.args) == 1
        if alone and getattr(node.args[0], "node", None) is z.node and z.node is not None:
            z = Tensor(node.value, node.trace, node)
            break
    yield waiting.path, "a", z


def _further(module: Module, number: int) -> list[str]:
    """The names of what a layer gives beside its result."""
    states = tuple(getattr(module, "states", ()))
    if isinstance(module, RecurrentLayers) and len(states) == number:
        return [f"{name}_n" for name in states]
    return ["c"] if isinstance(module, LSTMCell) and number == 1 else [f"a.{i + 1}" for i in range(number)]


def _parameters(tape: Tape, path: str, module: Module, shared: dict[int, str]) -> Iterator[tuple[str, np.ndarray]]:
    for name, p in own_parameters(tape.model, path):
        if id(p) not in shared:
            shared[id(p)] = path
            yield name, tape.numbers(p)
            yield f"d{name}", tape.gradient(p)


def own_parameters(model: Module, path: str) -> Iterator[tuple[str, Any]]:
    """The parameters that a module holds itself, by their names in it."""
    below = {p for p, _ in model.named_modules() if p}
    for full, p in model.named_parameters():
        if _owner(full, below) == path:
            yield full[len(path) + 1 if path else 0 :], p


def _owner(full: str, paths: set[str]) -> str:
    """The path of the module that holds a part of this full name."""
    place = full
    while "." in place:
        place = place.rpartition(".")[0]
        if place in paths:
            return place
    return ""


def _buffers(tape: Tape, path: str) -> Iterator[tuple[str, np.ndarray]]:
    """Running statistics as they are, and what the step makes of them."""
    below = {p for p, _ in tape.model.named_modules() if p}
    for full, (before, after) in tape.buffers.items():
        if _owner(full, below) == path:
            name = full[len(path) + 1 if path else 0 :]
            yield name, before
            if not np.array_equal(before, after):
                yield f"{name}.new", after
