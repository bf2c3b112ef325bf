"""One step of training as it runs, watched: what every layer gave, and the derivative of the loss by all of it.

Nothing is computed anew that the step does not compute itself; afterwards model, random stream and running
statistics are as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.backends import backend_of, copied, kind_of
from chainrule.base.errors import GradientError, OptionError
from chainrule.core import Graph, Tensor, gradients, tree
from chainrule.core.graph import tick
from chainrule.core.reverse import EAGER
from chainrule.core.stack import stack
from chainrule.glass.record import watched
from chainrule.nn import Module


@dataclass(eq=False)
class Passage:
    """One call of a layer: its path, what came in, and the tensors that came out (the first is its result).

    `end` is when it was over, in the time that numbers the nodes.
    """

    path: str
    module: Module
    inputs: tuple[Any, ...]
    outputs: list[Tensor]
    end: int = 0


@dataclass(eq=False)
class Tape:
    """A step that was run: the calls of its layers, its graph, and cotangents of every result in it."""

    model: Module
    inputs: tuple[Any, ...]
    prediction: Any
    loss: Tensor
    passages: list[Passage]
    nodes: list[Any] = field(default_factory=list)
    bars: dict[Any, Any] = field(default_factory=dict)
    buffers: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    held: dict[Any, np.ndarray] = field(default_factory=dict)
    """Parameters as they were, by leaf: they change when training goes on."""

    def numbers(self, x: Any) -> np.ndarray:
        """The numbers of a tensor or an array as they were in the step."""
        found = self.held.get(getattr(x, "node", None))
        return array(x) if found is None else found

    @cached_property
    def by_path(self) -> dict[str, list[Any]]:
        """The operations that each module did itself, in order."""
        found: dict[str, list[Any]] = {}
        for node in self.nodes:
            if node.primitive is not None:
                found.setdefault(node.path, []).append(node)
        return found

    def gradient(self, x: Tensor) -> np.ndarray:
        """dL/dx of a tensor of the step; zero where the loss does not depend on it."""
        bar = None if x.node is None else self.bars.get((x.node, x.index))
        return np.zeros(x.shape, x.dtype) if bar is None else array(bar)


def array(x: Any) -> np.ndarray:
    """The numbers of a tensor, or of an array of any library, as NumPy's."""
    x = plain(x)
    return x if isinstance(x, np.ndarray) else np.asarray(backend_of(x).to_numpy(x))


def plain(x: Any) -> Any:
    """The array that a tensor holds, of whatever library."""
    while isinstance(x, Tensor):
        x = x.value
    return x


def run(model: Module, x: Any, y: Any, loss: Callable[..., Any], asker: str = "A ledger") -> Tape:
    """One pass forward and one backward, for whoever asks.

    Raises:
        OptionError: the loss is not one number.
        GradientError: the loss depends on nothing that is learned.
    """
    inputs = tuple(_variable(model, v) for v in (x if isinstance(x, tuple) else (x,)))
    passages: list[Passage] = []

    def note(path: str, module: Module, args: tuple[Any, ...], result: Any) -> None:
        outputs = [t for t in tree.flatten(result)[0] if isinstance(t, Tensor)]
        passages.append(Passage(path, module, args, outputs, tick()))

    with _as_before(model) as buffers:
        with watched(model.named_modules(), note):
            prediction = model(*inputs)
        value = loss(prediction, y)
        after = {
            name: (old, array(copied(b.value))) for (name, b), old in zip(model.named_buffers(), buffers, strict=True)
        }
    _check(value, asker)
    held = {p.node: array(copied(p.value)) for p in model.parameters()}
    tape = Tape(model, inputs, prediction, value, passages, list(Graph(value)), buffers=after, held=held)
    tape.bars = cotangents(tape)
    return tape


def cotangents(tape: Tape) -> dict[Any, Any]:
    """dL/d· of every result in a step, by its node and its place among the node's results."""
    results = [t for node in tape.nodes for t in _results(node)]
    found = gradients(tape.loss, results)
    return {(t.node, t.index): bar for t, bar in zip(results, found, strict=True)}


def _results(node: Any) -> Iterator[Tensor]:
    if node.primitive is None:
        yield Tensor(np.zeros(node.shape, np.float32), node.trace, node)
    elif type(node.value) is tuple:
        yield from (Tensor(v, node.trace, node, i) for i, v in enumerate(node.value))
    else:
        yield Tensor(node.value, node.trace, node)


def _variable(model: Module, x: Any) -> Any:
    """An input as the model takes it, as a leaf of its own if it is made of fractions."""
    x = model._take_in(x)
    if not isinstance(x, Tensor):
        return x
    values = copied(x.data)  # its owner may write to it later
    return EAGER.leaf(values) if kind_of(values) == "f" else Tensor(values)


@contextmanager
def _as_before(model: Module) -> Iterator[list[np.ndarray]]:
    """After the block, buffers and the random stream are as they were; the values of the buffers."""
    parts = [b for _, b in model.named_buffers()]
    before = [(b.value, copied(b.value), b.trace, b.node) for b in parts]
    key, draws = stack.key, stack.draws
    try:
        yield [array(copy) for _, copy, _, _ in before]
    finally:
        stack.key, stack.draws = key, draws
        for b, (value, _, trace, node) in zip(parts, before, strict=True):
            b.value, b.trace, b.node = value, trace, node


def _check(loss: Any, asker: str) -> None:
    if not isinstance(loss, Tensor) or loss.size != 1:
        shape = getattr(loss, "shape", type(loss).__name__)
        raise OptionError(
            f"{asker} needs a loss that is one number, this one gave {shape}.", fix="a loss with reduction='mean'"
        )
    if loss.node is None:
        raise GradientError("The loss does not depend on the parameters, so there is nothing to go back through.")


def owned(tape: Tape, path: str, names: Sequence[str]) -> list[Any]:
    """The operations of some names that a module did itself, in order."""
    return [n for n in tape.by_path.get(path, []) if n.name in names]
