"""A model run once, with every call of a layer and every operation between layers recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.core import Graph, Tensor, tree
from chainrule.glass.grouped import ATTENTION, attentions
from chainrule.nn import Linear, Module, MultiheadAttention, PositionalEncoding, Recurrent, Residual
from chainrule.nn.recurrent import RecurrentLayers
from chainrule.nn.recurrent_cells import RecurrentCell

WHOLE = (MultiheadAttention, PositionalEncoding, Recurrent)
"""Modules that have modules of their own and are one layer all the same."""

SEVERAL = (MultiheadAttention, Recurrent, RecurrentLayers)
"""Layers that give more than their result: last states, weights."""


@dataclass(eq=False)
class Call:
    """One layer applied once: its path, its module, what came in and what went out.

    `module` is None for an operation that a `forward` method calls by itself, such as `cr.relu(z)`; then
    `operation` is the name of its primitive. `further` is what a layer gives beside its result, as its last state.
    """

    path: str
    module: Any
    inputs: tuple[Tensor, ...]
    output: Tensor
    operation: str = ""
    further: tuple[Tensor, ...] = ()

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The result, and what comes with it."""
        return (self.output, *self.further)

    @property
    def passes(self) -> bool:
        """Whether the layer gave back what it was given, as dropout does in evaluation."""
        return any(self.output is x for x in self.inputs)

    @property
    def label(self) -> str:
        """How the layer prints itself."""
        return self.operation if self.module is None else repr(self.module).split("\n")[0].rstrip("(")


def record(model: Module, *inputs: Any) -> tuple[Tensor, list[Call]]:
    """The prediction of a model, and the calls that made it, in order.

    Raises:
        OptionError: the model gives something else than one tensor, or calls a layer again that cannot be shown twice.
    """
    calls: list[Call] = []

    def note(path: str, module: Module, args: tuple[Any, ...], result: Any) -> None:
        if not isinstance(result, Tensor) and not isinstance(module, SEVERAL):
            raise OptionError("explain shows layers that give one tensor.", layer=f"{path} = {module!r}")
        first, *further = _tensors(result)
        calls.append(Call(path, module, _tensors(args), first, further=tuple(further)))

    with watched(_layers(model), note):
        prediction = model(*inputs)
    if not isinstance(prediction, Tensor):
        raise OptionError(f"explain needs a model with one tensor as result, got {type(prediction).__name__}.")
    calls = _numbered(calls)
    return prediction, _in_order(calls + list(_between(prediction, calls, model)))


@contextmanager
def watched(
    layers: Iterable[tuple[str, Module]], note: Callable[[str, Module, tuple[Any, ...], Any], None]
) -> Iterator[None]:
    """Inside the block, each call of these layers is noted: path, layer, what came in, what went out."""
    layers = list(layers)
    before = {module: vars(module).get("forward") for _, module in layers}
    for path, module in layers:
        vars(module)["forward"] = _noting(path, module, module.forward, note)
    try:
        yield
    finally:
        for module, own in before.items():
            if own is None:
                del vars(module)["forward"]
            else:
                vars(module)["forward"] = own


def _noting(path: str, module: Module, forward: Callable[..., Any], note: Callable[..., None]) -> Any:
    def noted(*args: Any, **kwargs: Any) -> Any:
        result = forward(*args, **kwargs)
        note(path, module, (*args, *kwargs.values()), result)
        return result

    return noted


def _tensors(tree_of: Any) -> tuple[Tensor, ...]:
    """The tensors of a tree, each once: a query may be its own key and value."""
    return tuple(dict.fromkeys(leaf for leaf in tree.flatten(tree_of)[0] if isinstance(leaf, Tensor)))


def _layers(model: Module) -> list[tuple[str, Module]]:
    """The layers of a model by path; what is inside of one is not a layer."""
    found = dict(model.named_modules())
    inside = {id(part) for whole in found.values() if isinstance(whole, WHOLE) for part in list(whole.modules())[1:]}
    return [(path, m) for path, m in found.items() if id(m) not in inside and _is_layer(path, m)]


def _is_layer(path: str, module: Module) -> bool:
    """A layer has no layers of its own; a whole model written as one is shown by its operations."""
    alone = isinstance(module, WHOLE) or not list(module.children())
    return alone and (path != "" or type(module).__module__.startswith("chainrule.nn"))


def _numbered(calls: list[Call]) -> list[Call]:
    """The second call of a layer as `fc_2`.

    Raises:
        OptionError: the layer holds more than a dense layer does, so that its own steps would need two numbers.
    """
    times: dict[str, int] = {}
    found = []
    for call in calls:
        n = times[call.path] = times.get(call.path, 0) + 1
        found.append(call if n == 1 else replace(call, path=f"{call.path}_{n}"))
        holds = [*call.module.named_parameters(), *call.module.named_buffers()]
        if n > 1 and holds and not isinstance(call.module, Linear):
            raise OptionError(
                "explain shows dense layers and layers without parameters called more than once, not this one.",
                layer=f"{call.path} = {call.module!r}",
                fix=_once(call.module),
            )
    return found


def _once(module: Module) -> str:
    """What to write in the place of a layer that is called again and again."""
    if isinstance(module, RecurrentCell):
        return f"cr.nn.Recurrent({module!r}), which runs the cell over a sequence"
    return "a layer for each call"


def _between(prediction: Tensor, calls: list[Call], model: Module) -> Iterator[Call]:
    """The operations that no layer owns: activations called as functions, the sum of a shortcut."""
    inside = {node.serial for call in calls if not call.passes for node in _owned(call)}
    modules = dict(model.named_modules())
    taken = {call.path for call in calls}
    loose = [node for node in Graph(prediction) if node.primitive is not None and node.serial not in inside]
    grouped: set[int] = set()
    for node, inputs, parts in attentions(loose):
        path = _free(".".join(filter(None, (node.path, ATTENTION))), taken)
        taken.add(path)
        grouped |= parts
        yield Call(path, None, _tensors(inputs), Tensor(node.value, node.trace, node), ATTENTION)
    for node in loose:
        if node.serial in grouped:
            continue
        inputs = tuple(a for a in node.args if isinstance(a, Tensor) and a.node is not None)
        module = modules.get(node.path)
        own = isinstance(module, Residual) and node.path not in taken
        path = node.path if own else _free(".".join(filter(None, (node.path, node.name))), taken)
        taken.add(path)
        first, *further = _results(node)
        yield Call(path, module if own else None, inputs, first, node.name, tuple(further))


def _results(node: Any) -> list[Tensor]:
    values = node.value if type(node.value) is tuple else (node.value,)
    return [Tensor(value, node.trace, node, i) for i, value in enumerate(values)]


def _owned(call: Call) -> Iterator[Any]:
    """The nodes of the graph that a call added: from its result back to what came in."""
    stops = {x.node.serial for x in call.inputs if x.node is not None}
    waiting = [y.node for y in call.outputs if y.node is not None]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node.primitive is not None and node.serial not in stops | seen:
            seen.add(node.serial)
            yield node
            waiting.extend(node.parents)


def _free(path: str, taken: set[str]) -> str:
    numbered = (f"{path}_{i}" for i in range(2, len(taken) + 3))
    return path if path not in taken else next(p for p in numbered if p not in taken)


def _in_order(calls: list[Call]) -> list[Call]:
    """By when the result was made; a layer that passes its input on stays behind the one it got it from."""
    last, places = -1, {}
    for i, call in enumerate(calls):
        last = last if call.output.node is None else call.output.node.serial
        places[call.path] = (last, call.passes, i)
    return sorted(calls, key=lambda call: places[call.path])
