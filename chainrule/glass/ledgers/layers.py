"""The quantities of a step by layer: z, a, δ and dL/da, parameters and their gradients, running statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledgers.attention import heads
from chainrule.glass.ledgers.one_step import Passage, Tape, array
from chainrule.glass.ledgers.recurrent import gates
from chainrule.nn import LSTMCell, Module
from chainrule.nn.recurrent import RecurrentLayers


def quantities(tape: Tape) -> Iterator[tuple[str, str, np.ndarray]]:
    """Path, name and numbers, in the order of the model's layers."""
    results: dict[str, list[tuple[str, np.ndarray]]] = {}
    for path, name, x in _results(tape):
        named = _numbered(name, [n for n, _ in results.setdefault(path, [])])
        slope = "delta" if name == "z" else f"d{name}"
        results[path] += [(named, array(x)), (named.replace(name, slope, 1), tape.gradient(x))]
    parameters = by_owner(tape.model, tape.model.named_parameters())
    buffers = by_owner(tape.model, tape.buffers.items())
    for path, module in tape.model.named_modules():
        yield from ((path, *found) for found in results.get(path, []))
        yield from ((path, *found) for found in gates(tape, path, module))
        yield from ((path, *found) for found in heads(tape, path))
        for name, p in parameters.get(path, []):
            yield path, name, tape.numbers(p)
            yield path, f"d{name}", tape.gradient(p)
        for name, (before, after) in buffers.get(path, []):
            yield path, name, before
            if not np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
                yield path, f"{name}.new", after


def _numbered(name: str, taken: list[str]) -> str:
    """`z`; of a layer that is called again, `z_2`."""
    numbered = (f"{name}_{i}" for i in range(2, len(taken) + 3))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _results(tape: Tape) -> Iterator[tuple[str, str, Tensor]]:
    """z of dense layers and convolutions, a of them and of all others, and further results, h_n and c_n of an LSTM."""
    followers = _followers(tape)
    waiting: Passage | None = None
    for passage in tape.passages:
        module, outputs = passage.module, passage.outputs
        if not outputs or (passage.path == "" and list(module.children())):
            continue
        if module.result_name == "z":
            yield from _settled(followers, waiting)
            yield passage.path, "z", outputs[0]
            waiting = passage
            continue
        if waiting is not None and module.is_activation and passage.inputs and passage.inputs[0] is waiting.outputs[0]:
            yield waiting.path, "a", outputs[0]
            waiting = None
        yield passage.path, "a", outputs[0]
        for name, x in zip(_further(module, len(outputs) - 1), outputs[1:], strict=True):
            yield passage.path, name, x
    yield from _settled(followers, waiting)


def _followers(tape: Tape) -> dict[Any, Tensor]:
    """The first elementwise function of each result alone, by the node of the result."""
    found: dict[Any, Tensor] = {}
    for node in tape.nodes:
        alone = node.primitive is not None and node.primitive.family == "elementwise" and len(node.args) == 1
        if alone and isinstance(node.args[0], Tensor):
            found.setdefault(node.args[0].node, Tensor(node.value, node.trace, node))
    return found


def _settled(followers: dict[Any, Tensor], waiting: Passage | None) -> Iterator[tuple[str, str, Tensor]]:
    """The activation of a pre-activation that no activation layer followed: of a function, or z itself."""
    if waiting is not None:
        z = waiting.outputs[0]
        yield waiting.path, "a", z if z.node is None else followers.get(z.node, z)


def _further(module: Module, number: int) -> list[str]:
    """The names of what a layer gives beside its result."""
    states = tuple(getattr(module, "states", ()))
    if isinstance(module, RecurrentLayers) and len(states) == number:
        return [f"{name}_n" for name in states]
    return ["c"] if isinstance(module, LSTMCell) and number == 1 else [f"a.{i + 1}" for i in range(number)]


def by_owner(model: Module, parts: Iterable[tuple[str, Any]]) -> dict[str, list[tuple[str, Any]]]:
    """Parameters or buffers by the path of the module that holds them, with their names in it."""
    paths, found = {path for path, _ in model.named_modules()}, {}
    for full, part in parts:
        owner = full
        while owner not in paths or owner == full:
            owner = owner.rpartition(".")[0]
        found.setdefault(owner, []).append((full[len(owner) + 1 if owner else 0 :], part))
    return found
