"""Elementwise primitives as operations of a chain: what each is made of, whoever runs the chain.

A writer takes the operations down: that of the compiled kernels (`native.chains`) as a program for their interpreter,
that of GPUs (`triton_chains`) as the text of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import copysign, pi, sqrt
from typing import Any

OPERATIONS = (
    *("add", "subtract", "multiply", "divide", "negative", "abs", "square", "sqrt"),
    *("exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "relu", "maximum", "minimum"),
    *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "choose"),
    *("logical_and", "logical_or", "logical_not", "copy", "sign", "gelu", "gelu_slope"),
)
"""In the order of the compiled kernel's table (chain.c)."""

AXES = 5
"""The most axes that an operand may have."""

MOST_REGISTERS = 48
"""Of inputs, numbers and operations of a chain together, in all of its members; as in chain.c."""


class Register:
    """A number a place, within a chain; operators add operations to it."""

    def __init__(self, writer: Writer, number: int) -> None:
        self.writer, self.number = writer, number

    def __add__(self, other: Any) -> Register:
        return self.writer.op("add", self, other)

    def __sub__(self, other: Any) -> Register:
        return self.writer.op("subtract", self, other)

    def __mul__(self, other: Any) -> Register:
        return self.writer.op("multiply", self, other)

    def __truediv__(self, other: Any) -> Register:
        return self.writer.op("divide", self, other)

    def __rsub__(self, other: Any) -> Register:
        return self.writer.op("subtract", other, self)

    def __neg__(self) -> Register:
        return self.writer.op("negative", self)

    def __gt__(self, other: Any) -> Register:
        return self.writer.op("greater", self, other)

    __radd__, __rmul__ = __add__, __mul__

    def __rtruediv__(self, other: Any) -> Register:
        return self.writer.op("divide", other, self)


class Writer:
    """Takes down one chain: inputs, then operations, each with a register of its own."""

    def __init__(self) -> None:
        self.inputs: list[Any] = []
        self.code: list[tuple[str, tuple[Any, ...]]] = []
        self.numbers: dict[tuple[float, float], Register] = {}

    def input(self, array: Any) -> Register:
        self.inputs.append(array)
        return Register(self, ~(len(self.inputs) - 1))  # negative, for how many inputs there will be is not known

    def op(self, name: str, *operands: Any) -> Register:
        registers = tuple(o if isinstance(o, Register) else self.number(o) for o in operands)
        self.code.append((name, registers))
        return Register(self, len(self.code) - 1)

    def number(self, value: float) -> Register:
        """A number, which is written once; 0 and −0 are two."""
        key = value, copysign(1.0, value)
        if key not in self.numbers:
            self.numbers[key] = self.written(value)
        return self.numbers[key]

    def written(self, value: float) -> Register:
        """A register that holds a number: an input of one entry, unless a writer has another way."""
        return self.input(value)

    @property
    def registers(self) -> int:
        """How many registers the chain takes."""
        return len(self.inputs) + len(self.code)

    def __getattr__(self, name: str) -> Callable[..., Register]:
        return lambda *operands: self.op(name, *operands)


def collapsed(shape: Iterable[int], strides: Iterable[int]) -> list[tuple[int, int]]:
    """The axes of an array as (size, stride in entries), those that follow one another in memory joined."""
    axes: list[tuple[int, int]] = []
    for n, s in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if axes and axes[-1][1] == n * s:
            axes[-1] = (axes[-1][0] * n, s)
        else:
            axes.append((n, s))
    return axes or [(1, 1)]


# What primitives are made of: rule(writer, *registers, **settings).

Rule = Callable[..., Register]


def _gelu_tanh(w: Writer, x: Any) -> Register:
    return x * 0.5 * (w.tanh((x + x * x * x * 0.044715) * sqrt(2 / pi)) + 1.0)


def _softplus(w: Writer, x: Any) -> Register:
    return w.maximum(x, 0.0) + w.log1p(w.exp(-w.abs(x)))


def _log_sigmoid(w: Writer, x: Any) -> Register:
    return w.minimum(x, 0.0) - w.log1p(w.exp(-w.abs(x)))


def _sigmoid_cross_entropy(w: Writer, z: Any, t: Any) -> Register:
    return w.maximum(z, 0.0) - t * z + w.log1p(w.exp(-w.abs(z)))


def _raise_to(w: Writer, x: Any, *, exponent: float) -> Register:
    return POWERS[exponent](w, x)


POWERS: dict[float, Rule] = {
    2: lambda w, x: w.square(x),
    3: lambda w, x: x * x * x,
    0.5: lambda w, x: w.sqrt(x),
    -1: lambda w, x: 1.0 / x,
    -0.5: lambda w, x: 1.0 / w.sqrt(x),
    1: lambda w, x: w.copy(x),
}

DIRECT = tuple(name for name in OPERATIONS if name != "copy")
RULES: dict[str, Rule] = {
    **{name: (lambda w, *xs, _name=name: w.op(_name, *xs)) for name in DIRECT},
    "gelu_tanh": _gelu_tanh,
    "silu": lambda w, x: x * w.sigmoid(x),
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "raise_to": _raise_to,
    "leaky_relu": lambda w, x, slope=0.01: w.choose(x, x * slope, x > 0.0),
    "prelu": lambda w, x, a: w.choose(x, x * a, x > 0.0),
    "elu": lambda w, x, alpha=1.0: w.choose(x, w.expm1(w.minimum(x, 0.0)) * alpha, x > 0.0),
    "astype": lambda w, x, dtype: w.copy(x),
    "reshape": lambda w, x, shape: w.copy(x),
}


def covers(name: str, params: dict[str, Any]) -> bool:
    """Whether the chain kernel can do a primitive with these settings."""
    return name in RULES and (name != "raise_to" or params["exponent"] in POWERS)
