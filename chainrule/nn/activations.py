"""Activation functions as modules. What each computes stands in `chainrule.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import ops
from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter


class Activation(Module):
    """A module without parameters that applies one function, entry by entry."""

    is_activation = True
    function: Any

    def forward(self, x: Any) -> Any:
        """The function applied to x."""
        return type(self).function(x)


def module_of(name: str, function: Any, file: str = __name__) -> type[Activation]:
    """A class for a function: its name, its docstring, the file it stands in, nothing else."""
    facets = {"function": staticmethod(function), "__doc__": function.__doc__, "__module__": file}
    return type(name, (Activation,), facets)


Identity = module_of("Identity", ops.identity)
Step = module_of("Step", ops.step)
StepStrict = module_of("StepStrict", ops.step_strict)
Sign = module_of("Sign", ops.sign)
Sigmoid = module_of("Sigmoid", ops.sigmoid)
LogSigmoid = module_of("LogSigmoid", ops.log_sigmoid)
Tanh = module_of("Tanh", ops.tanh)
ReLU = module_of("ReLU", ops.relu)
SELU = module_of("SELU", ops.selu)
GELU = module_of("GELU", ops.gelu)
GELUTanh = module_of("GELUTanh", ops.gelu_tanh)
SiLU = module_of("SiLU", ops.silu)
Softplus = module_of("Softplus", ops.softplus)


class LeakyReLU(Module):
    """x where x > 0, else `negative_slope` · x."""

    is_activation = True

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """Leaky ReLU of x."""
        return ops.leaky_relu(x, slope=self.negative_slope)

    def extra_repr(self) -> str:
        return str(self.negative_slope)


class PReLU(Module):
    """x where x > 0, else a · x, with one learned slope a, or one a channel (axis 1). He et al. (2015).

    Raises:
        OptionError: num_parameters is less than 1.
        ShapeError: there are several slopes, and axis 1 of x is not their number.
    """

    is_activation = True

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        if num_parameters < 1:
            raise OptionError(f"PReLU needs one slope or more, got {num_parameters}.")
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x: Any) -> Any:
        """PReLU of x."""
        slope = self.weight
        if slope.size > 1:
            self._check(x.shape, slope.size)
            slope = slope.reshape(-1, *[1] * (len(x.shape) - 2))
        return ops.prelu(x, slope)

    def _check(self, shape: tuple[int, ...], slopes: int) -> None:
        channels = shape[1] if len(shape) > 1 else None
        if channels != slopes:
            got = "no axis 1" if channels is None else channels
            fitting = f"PReLU({channels}), or " if channels is not None and channels > 1 else ""
            raise ShapeError(
                f"PReLU expects {slopes} channels, got {got}.",
                input=shape,
                fix=f"{fitting}PReLU() for one slope",
            )

    def extra_repr(self) -> str:
        return str(self.weight.size)


class ELU(Module):
    """x where x > 0, else α(eˣ − 1)."""

    is_activation = True

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """ELU of x."""
        return ops.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softmax(Module):
    """Probabilities along an axis, the last one unless said otherwise."""

    is_activation = True

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Softmax of x."""
        return ops.softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """Log-probabilities along an axis, the last one unless said otherwise."""

    is_activation = True

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Log-softmax of x."""
        return ops.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


ACTIVATIONS: dict[str, type[Module]] = {
    "identity": Identity, "step": Step, "step_strict": StepStrict, "sign": Sign, "sigmoid": Sigmoid,
    "tanh": Tanh, "relu": ReLU, "leaky_relu": LeakyReLU, "prelu": PReLU, "elu": ELU, "selu": SELU,
    "gelu": GELU, "gelu_tanh": GELUTanh, "silu": SiLU, "softplus": Softplus, "log_sigmoid": LogSigmoid,
    "softmax": Softmax, "log_softmax": LogSoftmax,
}  # fmt: skip
"""Activation modules by name, as the command line spells them."""


def activation(name: str) -> Module:
    """A new activation module by name.

    Raises:
        OptionError: no activation has this name.
    """
    if name not in ACTIVATIONS:
        raise OptionError(f"There is no activation {name!r}.", known=", ".join(ACTIVATIONS))
    return ACTIVATIONS[name]()
