"""What a layer is compared by: a drawn configuration of our layer and PyTorch's, and what both are called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from chainrule import nn
from chainrule.base.keys import Key

torch = pytest.importorskip("torch")

NEAR_KINK = 1e-3
"""Numbers drawn stay this far from 0, where ReLU and its kin have a kink."""


@dataclass
class Pair:
    """One configuration. Floating-point inputs get gradients; arrays in `given` are constants, as masks are.

    `theirs_given` are PyTorch's keywords where they are not ours; `our_call` and `call` are how our layer and PyTorch's
    are called where not plainly.
    A layer is called once for each of `phases`, for those that count batches or differ in evaluation.
    """

    ours: nn.Module
    theirs: Any
    inputs: tuple[Any, ...]
    given: dict[str, Any] = field(default_factory=dict)
    theirs_given: dict[str, Any] | None = None
    call: Callable[..., Any] | None = None
    our_call: Callable[..., Any] | None = None
    phases: tuple[str, ...] = ("train",)


PAIRS: dict[str, Callable[[str, Draw], Pair]] = {}
"""By the name of the layer in `chainrule.nn`, or "name: variant", what draws a configuration of it."""


def paired(*names: str) -> Callable[[Any], Any]:
    """Enter what draws configurations of these layers into the registry; it is given the name and the draws."""

    def register(drawn: Any) -> Any:
        PAIRS.update(dict.fromkeys(names, drawn))
        return drawn

    return register


def of_both(name: str, *args: Any, **settings: Any) -> tuple[nn.Module, Any]:
    """The layer of that name in both libraries."""
    return getattr(nn, name)(*args, **settings), getattr(torch.nn, name)(*args, **settings)


class Draw:
    """Sizes, options and numbers of one configuration."""

    def __init__(self, *path: Any) -> None:
        self.rng = (Key(0) / "torch layers" / "/".join(map(str, path))).generator()

    def size(self, least: int = 1, most: int = 5) -> int:
        return int(self.rng.integers(least, most + 1))

    def shape(self, axes: int, least: int = 1, most: int = 5) -> tuple[int, ...]:
        return tuple(self.size(least, most) for _ in range(axes))

    def one_of(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def real(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def per_axis(self, axes: int, least: int, most: int) -> Any:
        """One number for all axes, or one each."""
        values = self.shape(axes, least, most)
        return values[0] if axes == 1 or self.chance(0.4) else values

    def grown(self, least: tuple[int, ...], most: int = 2) -> tuple[int, ...]:
        """Sizes that are `least` or somewhat more."""
        return tuple(n + self.size(0, most) for n in least)

    def normal(self, *shape: int) -> np.ndarray:
        """Normal numbers away from 0."""
        x = self.rng.standard_normal(shape)
        return np.where(np.abs(x) < NEAR_KINK, 0.5, x)

    def apart(self, *shape: int) -> np.ndarray:
        """No two entries alike, so that the largest is one."""
        return self.rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 - 3

    def mask(self, *shape: int, p: float = 0.6) -> np.ndarray:
        """Booleans with a True in every row."""
        mask = self.rng.random(shape) < p
        mask[..., 0] |= ~mask.any(-1)
        return mask


def each(value: Any, axes: int) -> tuple[int, ...]:
    """One number an axis."""
    return (value,) * axes if isinstance(value, int) else value


class Formula(torch.nn.Module):
    """A layer that PyTorch has not, as a function of its operations: f(parameters by our names, *inputs)."""

    def __init__(self, ours: nn.Module, formula: Callable[..., Any]) -> None:
        super().__init__()
        for name, p in ours.named_parameters():
            self.register_parameter(name, torch.nn.Parameter(torch.empty(tuple(p.shape))))
        self.formula = formula

    def forward(self, *inputs: Any, **given: Any) -> Any:
        return self.formula(dict(self.named_parameters()), *inputs, **given)
