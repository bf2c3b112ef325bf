"""Probing a step: its layers, its gradient and its update, seen without touching the training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledgers.one_step import Passage, Tape, array, run
from chainrule.glass.verdicts.evidence import LayerProbe, ParameterProbe, Probe
from chainrule.nn import Module, MultiheadAttention
from chainrule.nn.recurrent import RecurrentLayers

MOST = 256
"""Examples whose numbers are kept of a batch."""

ACTIVATIONS = {
    "elu": "ELU",
    "gelu": "GELU",
    "gelu_tanh": "GELUTanh",
    "leaky_relu": "LeakyReLU",
    "log_sigmoid": "LogSigmoid",
    "log_softmax": "LogSoftmax",
    "relu": "ReLU",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softmax": "Softmax",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
"""The classes of activations that a `forward` may call as functions, by the name of the operation."""

BLOCKS = (RecurrentLayers, MultiheadAttention)
"""Layers that hold others."""


@dataclass(eq=False)
class Probing:
    """A step that was looked into before its update: what is known then, until `done` adds the update."""

    step: int
    loss: float
    layers: dict[str, LayerProbe]
    values: dict[str, np.ndarray]
    gradients: dict[str, float] = field(default_factory=dict)

    def done(self, after: Mapping[str, np.ndarray] | None) -> Probe:
        """The probe, once the parameters have the values that the update gave them; NaN where there was none."""
        parameters = {}
        for name, before in self.values.items():
            update = nan if after is None else norm(after[name] - before)
            gradient = self.gradients.get(name, nan)
            parameters[name] = ParameterProbe(name, before.size, norm(before), gradient, update)
        return Probe(self.step, self.loss, self.layers, parameters)


def norm(x: np.ndarray) -> float:
    """‖x‖₂ over all entries, in float64."""
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(x.astype(np.float64).reshape(-1)))


def together(norms: Iterable[float]) -> float:
    """The norm of several arrays together, from the norm of each."""
    return norm(np.array(list(norms), np.float64))


def ratio(parameters: Iterable[ParameterProbe]) -> float:
    """‖Δθ‖ / ‖θ‖ of several parameters together."""
    listed = list(parameters)
    size = together(p.norm for p in listed)
    return together(p.update for p in listed) / size if size else 0.0


def moved(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> dict[str, ParameterProbe]:
    """How far an update moved each parameter; its gradient was not measured."""
    return {name: ParameterProbe(name, v.size, norm(v), nan, norm(after[name] - v)) for name, v in before.items()}


def values_of(model: Module) -> dict[str, np.ndarray]:
    """Copies of all parameters by path."""
    return {name: np.array(p.numpy()) for name, p in model.named_parameters()}


def probing(model: Module, x: Any, y: Any, loss: Callable[..., Any], step: int) -> Probing:
    """One pass forward and one backward on a batch, in the mode and with the random numbers of now; nothing changes.

    `loss` gives the number that is minimised and the one that is told of it (they differ by a penalty).
    """
    told = []

    def minimised(z: Any, target: Any) -> Any:
        total, shown = loss(z, target)
        told.append(shown)
        return total

    tape = run(model, x, y, minimised)
    gradients = {name: norm(tape.gradient(p)) for name, p in model.named_parameters()}
    values = {name: np.array(tape.numbers(p)) for name, p in model.named_parameters()}
    layers = {layer.path: layer for layer in _layers(tape)}
    return Probing(step, float(told[0]), layers, values, gradients)


def _layers(tape: Tape) -> Iterator[LayerProbe]:
    """The layers of a step in forward order, with the activations that are called as functions."""
    seen: dict[str, int] = {}
    whole = {path for path, module in tape.model.named_modules() if not (is_layer(module) and is_ours(module))}
    calls = [p for p in tape.passages if is_layer(p.module) and p.outputs and p.inputs]
    for passage in sorted([*calls, *_functions(tape.nodes, whole)], key=_made):
        x = next((a for a in passage.inputs if isinstance(a, Tensor)), None)
        if x is not None:
            seen[passage.path] = seen.get(passage.path, 0) + 1
            path = passage.path if seen[passage.path] == 1 else f"{passage.path}_{seen[passage.path]}"
            out = passage.outputs[0]
            delta = tape.gradient(out) if out.node is not None and (out.node, out.index) in tape.bars else None
            yield layer_probe(path, kind_of(passage), x, out, delta)


def layer_probe(path: str, kind: str, x: Tensor, out: Tensor, delta: np.ndarray | None) -> LayerProbe:
    """What a layer made of the first examples."""
    return LayerProbe(path, kind, first(x), first(out), None if delta is None else np.array(delta[:MOST]))


def first(x: Tensor) -> np.ndarray:
    """A copy of the first examples."""
    numbers = array(x)
    return np.array(numbers[:MOST] if numbers.ndim else numbers)


def is_layer(module: Module) -> bool:
    """Whether a module is looked at as a whole: it holds no others, or it is one of ours that computes beside them."""
    return isinstance(module, BLOCKS) or not any(True for _ in module.children())


def is_ours(module: Module) -> bool:
    """Whether a layer is one of the library's, which does nothing unseen inside."""
    return type(module).__module__.startswith("chainrule.nn.")


def kind_of(passage: Passage) -> str:
    """The class of a layer."""
    return passage.module if isinstance(passage.module, str) else type(passage.module).__name__


def _made(passage: Passage) -> int:
    node = passage.outputs[0].node
    return -1 if node is None else node.serial


def _functions(nodes: Iterable[Any], whole: set[str]) -> Iterator[Passage]:
    """Activations that are called as functions, in modules that hold layers."""
    for node in nodes:
        if node.primitive is not None and node.name in ACTIVATIONS and node.path in whole:
            path = ".".join(filter(None, (node.path, node.name)))
            inputs = tuple(a if isinstance(a, Tensor) else Tensor(a) for a in node.args)
            yield Passage(path, ACTIVATIONS[node.name], inputs, [Tensor(node.value, node.trace, node)])  # type: ignore[arg-type]
