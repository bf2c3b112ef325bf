"""Probing a step: its layers, its gradient and its update, seen without touching the training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, nan
from typing import Any

import numpy as np

from chainrule.core import Tensor, tree
from chainrule.glass.ledgers.one_step import Passage, array, run
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


def sound(optimizer: Any) -> bool:
    """Whether the parameters of an optimiser, and what it keeps for them, are all finite."""
    groups = getattr(optimizer, "groups", ())
    kept = [m for group in groups for m in group.moments.values()]
    return all(_finite(array(a)) for a in (*(group.flat.values for group in groups), *kept))


def _finite(a: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.isfinite(a.sum())) or bool(np.isfinite(a).all())


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

    def bar(out: Tensor) -> np.ndarray | None:
        return tape.gradient(out) if (out.node, out.index) in tape.bars else None

    until = max((t.node.serial for t in tree.flatten(tape.prediction)[0] if getattr(t, "node", None)), default=inf)
    layers = layers_of(calls_of(model, tape.passages, tape.nodes, until), bar)
    return Probing(step, float(told[0]), layers, values, gradients)


def calls_of(model: Module, passages: Iterable[Passage], nodes: Iterable[Any], until: float = inf) -> list[Passage]:
    """The calls of layers in the order in which their results were made, with activations called as functions.

    `until` is the number of the node that the loss was taken of: what is behind it belongs to the loss.
    """
    whole = {path for path, module in model.named_modules() if not (is_layer(module) and is_ours(module))} | {""}
    calls = [p for p in passages if is_layer(p.module) and p.outputs and any(isinstance(a, Tensor) for a in p.inputs)]
    return sorted([*calls, *_functions(nodes, whole, until)], key=_made)


def layers_of(calls: Iterable[Passage], bar: Callable[[Tensor], np.ndarray | None]) -> dict[str, LayerProbe]:
    """What the layers made of the first examples, by path; `bar` gives dL/d of a result, None where there is none."""
    layers: dict[str, LayerProbe] = {}
    for call in calls:
        x = next(a for a in call.inputs if isinstance(a, Tensor))
        out, times = call.outputs[0], sum(name.rpartition("_")[0] == call.path or name == call.path for name in layers)
        path = f"{call.path}_{times + 1}" if call.path in layers else call.path
        delta = bar(out)
        delta = None if delta is None else np.array(delta[:MOST] if delta.ndim else delta)
        layers[path] = LayerProbe(path, kind_of(call), first(x), first(out), delta)
    return layers


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


def _functions(nodes: Iterable[Any], whole: set[str], until: float) -> Iterator[Passage]:
    """Activations that are called as functions, in modules that hold layers."""
    for node in nodes:
        if node.primitive is not None and node.name in ACTIVATIONS and node.path in whole and node.serial <= until:
            path = ".".join(filter(None, (node.path, node.name)))
            inputs = tuple(a if isinstance(a, Tensor) else Tensor(a) for a in node.args)
            yield Passage(path, ACTIVATIONS[node.name], inputs, [Tensor(node.value, node.trace, node)])  # type: ignore[arg-type]
