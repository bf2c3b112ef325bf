"""Module: a tree of named parameters, and the call that knows where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np

from chainrule.backends import (
    as_dtype,
    copied,
    dtype_of,
    is_array,
    is_floating,
    is_host,
    kind_of,
    place_named,
    place_of,
)
from chainrule.base.errors import ChainruleError, DtypeError, OptionError
from chainrule.base.source import PACKAGE
from chainrule.core import tree
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.nn import state as states
from chainrule.nn.holdings import Holdings, changed, looks_different
from chainrule.nn.parameter import Buffer, Parameter, ParameterLeaf, clear
from chainrule.ops import tensor


class Module:
    """A layer or a model: parameters, buffers and modules as attributes, and `forward`, what it computes.

    Attributes that are a `Parameter`, a `Buffer`, a `Module`, or lists, tuples and dicts of them belong to
    the tree under their names, as in PyTorch; no call of `super().__init__()` is needed. An array in the place of a
    parameter is refused: it would not be learned.

    >>> import chainrule as cr
    >>> class Twice(cr.nn.Module):
    ...     def __init__(self):
    ...         self.inner = cr.nn.Linear(2, 2)
    ...     def forward(self, x):
    ...         return self.inner(self.inner(x))
    >>> [name for name, _ in Twice().named_parameters()]
    ['inner.weight', 'inner.bias']
    """

    training = True
    result_name = "a"
    """What its result is called in plans and ledgers: "z" for a pre-activation, "a" for anything else."""
    is_activation = False
    """Whether its result is the activation of the layer before it."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward method.\n  try     def forward(self, x): return ..."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outermost = not stack.modules
        paths = self._holdings().paths if outermost else stack.modules[-1]
        stack.modules.append(paths)
        stack.path.append(paths.get(id(self), type(self).__name__))
        try:
            if outermost:
                if stack.recorder is not None:
                    stack.recorder.meet(self)
                args = tuple([self._take_in(a) for a in args])
                kwargs = {name: self._take_in(a) for name, a in kwargs.items()} if kwargs else kwargs
            result = self.forward(*args, **kwargs)
            if stack.recorder is not None:
                stack.recorder.left(self, stack.path[-1], result)
            return result
        except AttributeError as error:
            if error.name not in ("shape", "ndim", "dtype") or not isinstance(error.obj, NO_ARRAYS):
                raise
            raise _no_array(error.obj).at(layer=self._place(paths)) from None
        except ChainruleError as error:
            error.at(layer=self._place(paths))
            if not outermost:
                raise
            raise error.with_traceback(_outside(error.__traceback__)) from None
        finally:
            stack.modules.pop()
            stack.path.pop()

    def _place(self, paths: Mapping[int, str]) -> str:
        path, shown = paths.get(id(self), ""), repr(self)
        shown = f"{type(self).__name__}(…)" if "\n" in shown else shown
        return f"{path} = {shown}" if path else shown

    def _take_in(self, x: Any) -> Any:
        """Arrays, lists and fractions as tensors of the model's own dtype (of theirs, where it has none).

        Integers stay integers and masks booleans; bytes are pixels, and so numbers. A list that holds tensors,
        and a tuple that holds arrays, are several things.
        """
        if isinstance(x, Tensor) or not (isinstance(x, (float, list, tuple)) or hasattr(x, "__array__")):
            return x
        if isinstance(x, (list, tuple)):
            leaves = tree.flatten(x)[0]
            if any(isinstance(leaf, Tensor) or (isinstance(x, tuple) and is_array(leaf)) for leaf in leaves):
                return x
            if any(hasattr(leaf, "__dict__") and not is_array(leaf) for leaf in leaves):  # objects, as caches
                return x
        array = x if is_array(x) else np.asarray(x) if hasattr(x, "__array__") else tensor(x).data
        own = next((p for _, p in self._holdings().parameters), None)
        if own is not None and is_host(array) and not is_host(own.data):
            array = place_of(own.data).array(array)
        kind, dtype = kind_of(array), dtype_of(array)
        if kind != "f" and dtype != np.uint8:
            return Tensor(array) if kind in "biu" else tensor(array)
        wanted = own.dtype if own is not None else dtype if kind == "f" else np.dtype(np.float32)
        return Tensor(array if dtype == wanted else place_of(array).array(array, wanted))

    # The tree.

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """The tensors and modules held directly, with their names."""
        for name, value in list(vars(self).items()):
            yield from _taken_apart(name, value)

    def _children(self) -> Iterator[tuple[str, Module]]:
        return ((name, part) for name, part in self._parts() if isinstance(part, Module))

    def _walk(self) -> Iterator[tuple[str, Module]]:
        """This module and all below with their paths, each once, parents before children."""
        seen: set[int] = set()
        waiting: list[tuple[str, Module]] = [("", self)]
        while waiting:
            path, module = waiting.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{n}" if path else n, m) for n, m in module._children()]
                waiting.extend(reversed(below))

    def _holdings(self) -> Holdings:
        known = self.__dict__.get("_known")
        if known is None or not known.stand():
            known = self.__dict__["_known"] = Holdings(self)
        return known

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        if isinstance(value, PARTS) and name in TAKEN:
            raise OptionError(
                f"{name!r} is a method of every module and cannot be the name of a part.",
                module=type(self).__name__,
                fix=f"{name}_",
            )
        if isinstance(before, Parameter) and not isinstance(value, Parameter) and is_array(words.plain(value)):
            raise OptionError(
                f"{name!r} is a parameter; an array in its place would not be learned.",
                module=type(self).__name__,
                fix=f"layer.{name}.assign(array), or layer.{name} = cr.nn.Parameter(array)",
            )
        object.__setattr__(self, name, value)
        if isinstance(value, PARTS) or isinstance(before, PARTS):
            changed()
        elif isinstance(value, PLAIN) and (type(value) is not type(before) or value != before):
            looks_different()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        changed()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_known"}

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, with their names; one held twice comes twice."""
        return iter(self._holdings().children)

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (m for _, m in self._holdings().children)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module (its path is empty) and all below, with their paths, each once."""
        return iter([("", self), *self._holdings().modules])

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once."""
        return (m for _, m in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths, each once, under the first of its names."""
        return iter(self._holdings().parameters)

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (p for _, p in self._holdings().parameters)

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """All buffers with their paths, each once."""
        return iter(self._holdings().buffers)

    def register_buffer(self, name: str, value: Any) -> None:
        """Keep an array that is saved but not learned."""
        setattr(self, name, Buffer(np.asarray(value)))

    @property
    def n_parameters(self) -> int:
        """The number of learned numbers, #θ = Σ nₗ(nₗ₋₁ + 1) for dense layers (000 (3.11))."""
        return sum(p.size for p in self.parameters())

    # Modes, gradients, dtype.

    def train(self, mode: bool = True) -> Self:
        """Training mode: dropout drops, batch norm uses the batch's statistics."""
        for module in self.modules():
            module.__dict__["training"] = mode
        looks_different()
        return self

    def eval(self) -> Self:
        """Evaluation mode: dropout passes all, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self, wanted: bool = True) -> Self:
        """Learn all parameters, or freeze them: frozen ones get no gradient, and optimisers leave them alone."""
        for p in self.parameters():
            p.requires_grad_(wanted)
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for _, p in self._holdings().parameters:
            clear(p.node)

    def astype(self, dtype: Any) -> Self:
        """The same module with all parameters and buffers in another floating-point dtype, in place.

        Gradients are forgotten; an optimiser made before must be made anew.

        Raises:
            DtypeError: it is not a floating-point dtype.
        """
        dtype = as_dtype(dtype)
        if not is_floating(dtype):
            raise DtypeError(f"Parameters are floating-point numbers, they cannot be {dtype}.")
        self._move(lambda array: place_of(array).array(array, dtype) if kind_of(array) == "f" else array)
        return self

    def to(self, backend: str, device: str | None = None) -> Self:
        """The same module with all parameters and buffers in another array library or on another device, in place.

        Gradients are forgotten; an optimiser made before must be made anew.

        Raises:
            OptionError: there is no such backend or device here, or its library is not installed.

        >>> import chainrule as cr
        >>> cr.nn.Linear(2, 3).to("numpy")
        Linear(2 → 3)
        """
        place = place_named(backend, device)
        self._move(place.array)
        return self

    def _move(self, moved: Callable[[Any], Any]) -> None:
        for p in self.parameters():
            p.value = copied(moved(p.value))
            p.node = ParameterLeaf(p.value)
        for _, b in self.named_buffers():
            b.value = moved(b.value)
        looks_different()

    # State.

    def state_dict(self) -> dict[str, np.ndarray]:
        """All parameters and buffers by path, copied; what is held twice comes once."""
        return {name: np.array(part.numpy()) for name, part in states.parts(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take parameters and buffers from a state dict; nothing changes unless all of it fits.

        Raises:
            OptionError: a name is missing or not known here.
            ShapeError: an array has another shape.
        """
        states.load(self, state)

    # Words.

    def extra_repr(self) -> str:
        """What the printed name shows in brackets."""
        return ""

    def __repr__(self) -> str:
        below = [f"  ({n}): " + repr(m).replace("\n", "\n  ") for n, m in self.named_children()]
        inside = "\n" + "\n".join(below) + "\n" if below else self.extra_repr()
        return f"{type(self).__name__}({inside})"


PARTS = (Module, Parameter, Buffer, list, tuple, dict)
"""What can change the tree when it becomes, or was, an attribute."""
NO_ARRAYS = (tuple, list, dict, type(None))
"""What comes to a layer by mistake in the place of an array."""
PLAIN = (bool, int, float, str, type(None))
"""Settings; a plan looks at its model again when one has changed."""
TAKEN = frozenset(vars(Module)) | {"n_parameters"}


def _taken_apart(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (Tensor, Module)):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _taken_apart(f"{name}.{key}", inner)


def _no_array(x: Any) -> DtypeError:
    """The error for what a layer cannot compute with: the pair that a recurrent layer gives, a forgotten return."""
    if isinstance(x, (tuple, list)):
        return DtypeError(
            f"A layer takes an array, got a {type(x).__name__} of {len(x)}.",
            fix="its first part, as y, state = lstm(x); in a Sequential cr.nn.Lambda(lambda pair: pair[0])",
        )
    if x is None:
        return DtypeError("A layer takes an array, got None.", fix="return, at the end of the forward before it")
    return DtypeError(f"A layer takes an array, got a {type(x).__name__}.", fix="one of its values")


def _outside(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package: the lines that stay are the user's own."""
    if trace is None:
        return None
    below = _outside(trace.tb_next)
    if trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
        return below
    return TracebackType(below, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
