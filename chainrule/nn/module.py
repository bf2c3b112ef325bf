"""Module: a tree of named parameters, and the call that knows where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from chainrule.base.errors import ChainruleError, OptionError, ShapeError
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.nn.parameter import Buffer, Parameter, ParameterLeaf


class Module:
    """A layer or a model: parameters, buffers and modules as attributes, and `forward`, what it computes.

    Attributes that are a `Parameter`, a `Buffer`, a `Module`, or a list or dict of modules belong to the tree
    under their names, as in PyTorch; no call of `super().__init__()` is needed.

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

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it computes: it needs a forward method")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outermost = not stack.modules
        paths = self._paths() if outermost else stack.modules[-1]
        if outermost:
            args = tuple(self._take_in(a) for a in args)
        stack.modules.append(paths)
        stack.path.append(paths.get(id(self), type(self).__name__))
        try:
            return self.forward(*args, **kwargs)
        except ChainruleError as error:
            place = self._place(paths)
            error.at(layer=place)
            if not outermost:
                raise
            raise error.with_traceback(None) from None
        finally:
            stack.modules.pop()
            stack.path.pop()

    def _place(self, paths: Mapping[int, str]) -> str:
        path = paths.get(id(self), "")
        return f"{path} = {self!r}" if path else repr(self).split("\n")[0]

    def _take_in(self, x: Any) -> Any:
        """Arrays, lists and numbers as tensors of the model's own dtype."""
        if isinstance(x, Tensor):
            return x
        x = np.asarray(x)
        dtype = next((p.dtype for p in self.parameters()), np.dtype(np.float32))
        return Tensor(x.astype(dtype, copy=False) if x.dtype.kind in "fbu" else x)

    # The tree.

    def _members(self) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            if isinstance(value, (Tensor, Module)):
                yield name, value
            elif isinstance(value, (list, tuple)):
                yield from ((f"{name}.{i}", v) for i, v in enumerate(value) if isinstance(v, (Tensor, Module)))
            elif isinstance(value, dict):
                yield from ((f"{name}.{k}", v) for k, v in value.items() if isinstance(v, (Tensor, Module)))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, with their names."""
        return ((name, m) for name, m in self._members() if isinstance(m, Module))

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (m for _, m in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below, with their paths, each once."""
        seen: set[int] = set()
        waiting: list[tuple[str, Module]] = [(prefix, self)]
        while waiting:
            path, module = waiting.pop(0)
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{n}" if path else n, m) for n, m in module.named_children()]
                waiting = below + waiting

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once."""
        return (m for _, m in self.named_modules())

    def _named(self, kind: type) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in module._members():
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths, each once."""
        return self._named(Parameter)

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (p for _, p in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """All buffers with their paths."""
        return self._named(Buffer)

    def register_buffer(self, name: str, value: Any) -> None:
        """Keep an array that is saved but not learned."""
        setattr(self, name, Buffer(np.asarray(value)))

    @property
    def n_parameters(self) -> int:
        """The number of learned numbers, #θ = Σ nₗ(nₗ₋₁ + 1) for dense layers (000 (3.11))."""
        return sum(p.size for p in self.parameters())

    def _paths(self) -> dict[int, str]:
        """Paths by identity, remembered until the tree below changes."""
        known = self.__dict__.get("_path_table")
        if known is None or known[0] != stack.structure:
            known = (stack.structure, {id(m): path for path, m in self.named_modules()})
            self.__dict__["_path_table"] = known
        return known[1]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Module, list, tuple, dict)):
            stack.structure += 1
        object.__setattr__(self, name, value)

    # Modes and gradients.

    def train(self, mode: bool = True) -> Self:
        """Training mode: dropout drops, batch norm uses the batch's statistics."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Evaluation mode: dropout passes all, batch norm uses its running statistics."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.node.filled, p.node.recorded = False, None

    def astype(self, dtype: Any) -> Self:
        """The same module with all parameters and buffers in another floating-point dtype, in place."""
        for p in self.parameters():
            p.value = p.value.astype(dtype)
            p.node = ParameterLeaf(p.value)
        for _, b in self.named_buffers():
            b.value = b.value.astype(dtype) if b.value.dtype.kind == "f" else b.value
        return self

    # State.

    def state_dict(self) -> dict[str, np.ndarray]:
        """All parameters and buffers by path, copied."""
        kept = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return {name: np.array(tensor.data) for name, tensor in kept.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take parameters and buffers from a state dict; nothing changes unless all of it fits.

        Raises:
            OptionError: a name is missing or not known here.
            ShapeError: an array has another shape.
        """
        kept: dict[str, Any] = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        missing, unknown = sorted(kept.keys() - state.keys()), sorted(state.keys() - kept.keys())
        if missing or unknown:
            raise OptionError(
                "The state does not belong to this model.",
                missing=", ".join(missing) or "nothing",
                unknown=", ".join(unknown) or "nothing",
            )
        for name, tensor in kept.items():
            if tuple(state[name].shape) != tensor.shape:
                raise ShapeError(f"{name} has shape {tensor.shape} here and {tuple(state[name].shape)} in the state.")
        for name, tensor in kept.items():
            tensor.assign(state[name])

    @contextmanager
    def replaced(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Inside the block, other tensors stand in for the parameters and buffers of these names."""
        owners = {name: self._owner(name) for name in values}
        before = {name: vars(owner)[attribute] for name, (owner, attribute) in owners.items()}
        for name, (owner, attribute) in owners.items():
            vars(owner)[attribute] = values[name]
        try:
            yield
        finally:
            for name, (owner, attribute) in owners.items():
                vars(owner)[attribute] = before[name]

    def _owner(self, name: str) -> tuple[Module, str]:
        path, _, attribute = name.rpartition(".")
        owner = dict(self.named_modules()).get(path)
        if owner is None or attribute not in vars(owner):
            known = ", ".join(n for n, _ in self.named_parameters())
            raise OptionError(f"There is no parameter {name!r}.", known=known)
        return owner, attribute

    # Words.

    def extra_repr(self) -> str:
        """What the printed name shows in brackets."""
        return ""

    def __repr__(self) -> str:
        below = [f"  ({n}): " + repr(m).replace("\n", "\n  ") for n, m in self.named_children()]
        inside = "\n" + "\n".join(below) + "\n" if below else self.extra_repr()
        return f"{type(self).__name__}({inside})"


def functional_call(module: Module, values: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """The module applied with other values for the parameters of these names; the module stays as it is.

    That makes a model a function of its parameters, to be given to `grad`, `jvp`, `check_gradients`:

        cr.grad(lambda w: loss(cr.nn.functional_call(model, w, x), y))(dict(model.named_parameters()))
    """
    with module.replaced(values):
        return module(*args, **kwargs)
