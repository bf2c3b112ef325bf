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
    """

    def __init__(self, *modules: Module, **named: Module) -> None:
        for name, module in {**{str(i): m for i, m in enumerate(modules)}, **named}.items():
            if not isinstance(module, Module):
                raise OptionError(
                    f"Sequential is made of modules, {name} is {type(module).__name__}.",
                    **{"try": "cr.nn.ReLU() rather than cr.relu, Linear(2, 3) rather than Linear"},
                )
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

    def __getitem__(self, i: int | slice) -> Module:
        modules = list(self.children())[i]
        return Sequential(*modules) if isinstance(modules, list) else modules


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
                f"Residual adds f(x) of shape {y.shape} to x of shape {x.shape}.",
                **{"try": "make f keep the shape"},
            )
        return x + y
