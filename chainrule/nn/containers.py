"""Modules made of modules: one after another, or around a shortcut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn.module import Module


class Sequential(Module):
    """Modules one after another: y = fₙ(… f₂(f₁(x))), named by position or by keyword.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.ReLU(), fc2=cr.nn.Linear(3, 1))
    >>> model.fc1.weight.shape, len(model)
    ((3, 2), 3)

    A slice, `model[1:]`, shares the modules and keeps their names; `model[2] = module` puts another in the place of
    one, whose parameters an optimiser made before does not know.

    Raises:
        OptionError: an entry is not a module, or its name is taken.
    """

    def __init__(self, *modules: Module, **named: Module) -> None:
        for name, module in [*((str(i), m) for i, m in enumerate(modules)), *named.items()]:
            if not isinstance(module, Module):
                raise _no_module(name, module)
            if name in vars(self):
                raise OptionError(f"Sequential has two entries called {name!r}.")
            setattr(self, name, module)

    def forward(self, x: Any) -> Any:
        """Each module applied to the result of the one before."""
        for module in self.children():
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(list(self.children()))

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __setitem__(self, i: int, module: Module) -> None:
        name = [name for name, _ in self.named_children()][i]
        if not isinstance(module, Module):
            raise _no_module(name, module)
        setattr(self, name, module)

    def __getitem__(self, i: int | slice) -> Module:
        if isinstance(i, slice):
            return Sequential(**dict(list(self.named_children())[i]))
        return list(self.children())[i]


def _no_module(name: str, entry: Any) -> OptionError:
    what, advice = f"a {type(entry).__name__}", "cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.ReLU())"
    if isinstance(entry, type):
        what, advice = f"the class {entry.__name__}", f"{entry.__name__}(...), an object of the class"
    elif callable(entry):
        called = getattr(entry, "__name__", "function")
        what, advice = f"the function {called}", "the module of that name, as cr.nn.ReLU() for cr.relu"
    elif isinstance(entry, (list, tuple)):
        advice = "cr.nn.Sequential(*layers)"
    return OptionError(f"Sequential is made of modules, entry {name} is {what}.", fix=advice)


class Residual(Module):
    """y = x + f(x): the gradient passes the shortcut unhindered. He et al. (2016).

    Raises:
        ShapeError: f changes the shape.
    """

    def __init__(self, inner: Module) -> None:
        self.inner = inner

    def forward(self, x: Any) -> Any:
        """x + f(x)."""
        y = self.inner(x)
        if y.shape != x.shape:
            raise ShapeError(
                "Residual adds f(x) to x, so f must keep the shape.",
                input=x.shape,
                result=y.shape,
                fix=_way_back(x.shape, y.shape),
            )
        return x + y


def _way_back(x: tuple[int, ...], y: tuple[int, ...]) -> str:
    if x and y and x[:-1] == y[:-1]:
        return f"end f with Linear({y[-1]}, {x[-1]}), or make its last layer give {x[-1]} features"
    return f"make f give {x}"
