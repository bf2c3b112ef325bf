"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.base.hints import missing
from chainrule.core import tree
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.nn import state
from chainrule.nn.holdings import changed
from chainrule.nn.module import Module


def functional_call(module: Module, values: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """The module applied with other values for the parameters of these names; the module stays as it is.

    That makes a model a function of its parameters, to be given to `grad`, `jvp`, `check_gradients`:

        cr.grad(lambda w: loss(cr.nn.functional_call(model, w, x), y))(dict(model.named_parameters()))

    A parameter held in several places is replaced in all of them. Running statistics are not touched either.

    Raises:
        OptionError: the module has no parameter or buffer of a name.
    """
    with replaced(module, values):
        return module(*args, **kwargs)


@contextmanager
def replaced(module: Module, values: Mapping[str, Any]) -> Iterator[None]:
    """Inside the block, other tensors stand in for the parameters and buffers of these names."""
    stand_ins = {id(b): stand_in(b, b) for _, b in module.named_buffers()}
    with exchanged(module, stand_ins | _chosen(module, values)):
        yield


@contextmanager
def exchanged(module: Module, stand_ins: Mapping[int, Tensor]) -> Iterator[None]:
    """Inside the block, other tensors stand in for the parts with these ids."""
    attributes = [(m, name, value) for m in module.modules() for name, value in vars(m).items()]
    before = [(m, name, value) for m, name, value in attributes if _holds(value, stand_ins)]
    for m, name, value in before:
        vars(m)[name] = tree.map_leaves(lambda leaf: stand_ins.get(id(leaf), leaf), value)
    changed()
    stack.scenes.append(partial(exchanged, module, stand_ins))
    try:
        yield
    finally:
        stack.scenes.pop()
        for m, name, value in before:
            vars(m)[name] = value
        changed()


def _chosen(module: Module, values: Mapping[str, Any]) -> dict[int, Tensor]:
    known = state.parts(module)
    if not values.keys() <= known.keys():
        known = state.aliases(module)
    for name in values:
        if name not in known:
            raise OptionError(f"There is no parameter {name!r}.", known=", ".join(known) or "none")
    return {id(known[name]): stand_in(known[name], words.operand(value)) for name, value in values.items()}


def stand_in(part: Tensor, value: Any) -> Tensor:
    """A value under the guise of a part, so that the module finds it where it looks for one."""
    guise = object.__new__(_guise(type(part), type(value)))
    if isinstance(value, Tensor):
        Tensor.__init__(guise, value.value, value.trace, value.node, value.index)
    else:
        Tensor.__init__(guise, value)
    return guise


@cache
def _guise(part: type, value: type) -> type:
    """The kind of a part that also has the ways of a value, as a batched tensor hides its batch axis."""
    special = issubclass(value, Tensor) and value is not Tensor and not issubclass(part, value)
    return type(part.__name__, (value, part), {"__slots__": ()}) if special and not issubclass(value, part) else part


def _holds(value: Any, stand_ins: Mapping[int, Any]) -> bool:
    return any(id(leaf) in stand_ins for leaf in tree.flatten(value)[0])


def __getattr__(name: str) -> Any:
    """What is not here: where it is, if it is known from PyTorch."""
    raise missing("cr.nn.functional", name)
