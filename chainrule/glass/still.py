"""A model held still: a function of its input or of its parameters, in float64 and evaluation mode.

What is measured on a model must not change it. Here its numbers are copied, its modes put back, and its random draws
taken from a stream of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.core import Tensor, random_stream, tree
from chainrule.nn import Module
from chainrule.nn.functional import functional_call
from chainrule.nn.state import parts
from chainrule.train.evaluate import modes_restored

KEY = Key(0) / "glass"
"""Where a model that draws in evaluation mode draws from: the same for every product, so that it is one function."""


@contextmanager
def evaluation(model: Module) -> Iterator[None]:
    """Inside the block the model is in evaluation mode, with a random stream of its own."""
    with modes_restored(model), random_stream(KEY):
        model.eval()
        yield


def as_function(model: Module) -> Callable[..., Any]:
    """The function x ↦ model(x) with the parameters and buffers of now, in float64."""
    return partial(of_parameters(model), {})


def of_parameters(model: Module) -> Callable[..., Any]:
    """The function (θ, x) ↦ model(x), where θ has other values for some parameters, by name; in float64."""
    state = {name: plain(part) for name, part in parts(model).items()}

    def f(parameters: Mapping[str, Any], *args: Any) -> Any:
        with evaluation(model):
            return functional_call(model, state | dict(parameters), *args)

    return f


def plain(x: Any) -> Any:
    """A NumPy array, fractions in float64; None and what is no array as they are."""
    if isinstance(x, Tensor):
        x = x.numpy()
    if not hasattr(x, "__array__") and not isinstance(x, (list, tuple, float)):
        return x
    array = np.array(x)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


@contextmanager
def interposed(module: Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Inside the block the module computes by another function."""
    own = vars(module)
    before = own.get("forward")
    own["forward"] = forward
    try:
        yield
    finally:
        if before is None:
            del own["forward"]
        else:
            own["forward"] = before


def module_at(model: Any, path: str) -> Module:
    """The module at a path below the model; the model itself at the empty path.

    Raises:
        OptionError: the model is no module, or there is nothing at the path.
    """
    if not isinstance(model, Module):
        raise OptionError(f"A model is made of modules, got {type(model).__name__}.", fix="a cr.nn.Module")
    modules = dict(model.named_modules())
    if path not in modules:
        known = [name for name in modules if name]
        raise OptionError(f"There is no layer {path!r}.", known=", ".join(known) or "none")
    return modules[path]


def call_at(model: Module, x: Any, path: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the layer at the path is called with while the model computes x, the first time; in float64.

    Raises:
        OptionError: there is no such layer, or the model does not call it.
    """
    layer, met = module_at(model, path), []
    forward = layer.forward

    def noted(*args: Any, **kwargs: Any) -> Any:
        met.append((args, kwargs))
        return forward(*args, **kwargs)

    with interposed(layer, noted):
        as_function(model)(plain(x))
    if not met:
        raise OptionError(f"The model does not call the layer {path!r} on this input.")
    args, kwargs = met[0]
    return tuple(tree.map_leaves(plain, a) for a in args), {k: tree.map_leaves(plain, v) for k, v in kwargs.items()}
