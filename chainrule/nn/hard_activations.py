"""Activations of straight pieces, shrinkage, and a ReLU whose slope is drawn. What each computes is in `ops`."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError
from chainrule.nn.activations import Activation, module_of
from chainrule.nn.module import Module

ReLU6: type[Activation] = module_of("ReLU6", ops.relu6, __name__)
Hardsigmoid: type[Activation] = module_of("Hardsigmoid", ops.hardsigmoid, __name__)
Hardswish: type[Activation] = module_of("Hardswish", ops.hardswish, __name__)


class Hardtanh(Module):
    """x cut off below `min_val` and above `max_val`.

    Raises:
        OptionError: min_val is not below max_val.
    """

    is_activation = True

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not min_val < max_val:
            raise OptionError(f"Hardtanh cuts off at a lower and a higher number, got {min_val} and {max_val}.")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Any:
        """Hardtanh of x."""
        return ops.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"{self.min_val}, {self.max_val}"


class Threshold(Module):
    """x where x > `threshold`, else `value`."""

    is_activation = True

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value

    def forward(self, x: Any) -> Any:
        """x above the threshold."""
        return ops.threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"{self.threshold}, {self.value}"


class _Shrink(Module):
    is_activation = True
    function: Any

    def __init__(self, lambd: float = 0.5) -> None:
        if lambd < 0:
            raise OptionError(f"{type(self).__name__} takes a limit of at least 0, got {lambd}.")
        self.lambd = lambd

    def forward(self, x: Any) -> Any:
        """Small entries of x set to 0."""
        return type(self).function(x, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x where |x| > `lambd`, else 0.

    Raises:
        OptionError: lambd is negative.
    """

    function = staticmethod(ops.hardshrink)


class Softshrink(_Shrink):
    """sign(x) · max(|x| − `lambd`, 0).

    Raises:
        OptionError: lambd is negative.
    """

    function = staticmethod(ops.softshrink)


class RReLU(Module):
    """x where x > 0, else a · x: in training with a drawn for each entry from [lower, upper), in evaluation the mean.

    Xu et al. (2015).

    Raises:
        OptionError: lower is above upper.
    """

    is_activation = True

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        if lower > upper:
            raise OptionError(f"RReLU draws slopes between a lower and a higher number, got {lower} and {upper}.")
        self.lower, self.upper = lower, upper

    def forward(self, x: Any) -> Any:
        """x with the slopes below 0."""
        if not self.training:
            return ops.leaky_relu(x, slope=(self.lower + self.upper) / 2)
        return ops.prelu(x, self.lower + (self.upper - self.lower) * ops.rand_like(x))

    def extra_repr(self) -> str:
        return f"{self.lower:.4g}, {self.upper:.4g}"
