"""Sizes with names, so that a proof of shapes can also tell axes apart that happen to be equally long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.base.errors import ShapeError


class Axis(int):
    """The size of an axis, with the name of what lies along it; a number everywhere else.

    Sizes that an operation takes over from its operands keep their names, those that it computes have none.
    """

    name: str

    def __new__(cls, name: str, size: int) -> Axis:
        """A number with a name."""
        axis = super().__new__(cls, size)
        axis.name = name
        return axis

    def __repr__(self) -> str:
        return f"{self.name}={int(self)}"

    __str__ = __repr__


def axes(**sizes: int) -> tuple[Axis, ...]:
    """A shape whose axes have names, to be given to `nn.summary` in place of numbers.

    >>> axes(batch=32, features=784)
    (batch=32, features=784)
    """
    return tuple(Axis(name, size) for name, size in sizes.items())


def check_names(primitive: str, specs: Sequence[Any]) -> None:
    """Operands that meet entry by entry have axes of the same names, where both have names.

    Raises:
        ShapeError: two names meet, though their sizes agree.
    """
    for spec in specs[1:]:
        for i, (a, b) in enumerate(zip(specs[0].shape, spec.shape, strict=False)):
            if isinstance(a, Axis) and isinstance(b, Axis) and a.name != b.name:
                raise ShapeError(
                    f"{primitive} meets the axis {a!r} with the axis {b!r}: equally long, but not the same.",
                    shapes=f"{specs[0].shape} and {spec.shape}, axis {i}",
                    fix="transpose one of them, or reshape to (…, 1) what is to be repeated",
                )
