"""Modules that shape the flow: a function, branches side by side, a branch dropped at random."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError
from chainrule.nn.module import Module


class Lambda(Module):
    """A function as a module: `Lambda(lambda x: x.mean(1))`. It has no parameters.

    Raises:
        OptionError: it cannot be called.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise OptionError(f"Lambda takes a function, got {type(function).__name__}.")
        self.function = function

    def forward(self, *args: Any) -> Any:
        """The function applied."""
        return self.function(*args)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)


class Parallel(Module):
    """Modules on the same input, their results joined along an axis, or added: `join="concatenate"` or "sum".

    Shapes: with "concatenate" the results differ along `axis` at most, with "sum" not at all.

    Raises:
        OptionError: there is no module, or no such way to join.
    """

    def __init__(self, *modules: Module, join: str = "concatenate", axis: int = -1) -> None:
        if not modules or not all(isinstance(m, Module) for m in modules):
            raise OptionError("Parallel is made of one module or more.", fix="Parallel(Linear(2, 3), Linear(2, 4))")
        if join not in ("concatenate", "sum"):
            raise OptionError(f"There is no way to join called {join!r}.", known="concatenate, sum")
        self.join, self.axis = join, axis
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x: Any) -> Any:
        """The results of all branches, joined."""
        results = [branch(x) for branch in self.children()]
        return ops.concatenate(results, self.axis) if self.join == "concatenate" else reduce(add, results)


class StochasticDepth(Module):
    """In training drops a whole branch of a sample with probability p, and scales the others by 1/(1 − p).

    At the end of the branch of a shortcut: x + StochasticDepth(p)(f(x)). `mode="row"` draws for each sample (axis
    0), "batch" once for all. In evaluation it passes everything. Huang et al. (2016).

    Raises:
        OptionError: p is not in [0, 1), or there is no such mode.
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        if not 0 <= p < 1:
            raise OptionError(f"StochasticDepth takes a probability of dropping from 0 to below 1, got {p}.")
        if mode not in ("row", "batch"):
            raise OptionError(f"There is no mode {mode!r}.", known="row, batch")
        self.p, self.mode = p, mode

    def forward(self, x: Any) -> Any:
        """x with samples dropped, in training."""
        if not self.training or self.p == 0:
            return x
        rows = x.shape[0] if self.mode == "row" and x.shape else 1
        kept = ops.rand(rows) >= self.p
        scale = ops.reshape(ops.astype(kept, x.dtype) * (1 / (1 - self.p)), rows, *[1] * (len(x.shape) - 1))
        return x * (scale if x.shape else scale[0])

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"
