"""Elementwise primitives as operations of the chain kernel: what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall

OPERATIONS = (
    *("add", "subtract", "multiply", "divide", "negative", "abs", "square", "sqrt"),
    *("exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "relu", "maximum", "minimum"),
    *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "choose"),
    *("logical_and", "logical_or", "logical_not", "copy", "sign", "gelu", "gelu_slope"),
)
"""In the order of the kernel's table (chain.c)."""

TYPES = {np.dtype(np.float32): 0, np.dtype(bool): 1, np.dtype(np.int64): 2, np.dtype(np.int32): 3}
AXES = 5
REGISTERS = 48


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
    """Writes the code of one chain: inputs first, then operations, each with a register of its own."""

    def __init__(self) -> None:
        self.inputs: list[np.ndarray] = []
        self.code: list[tuple[str, tuple[Any, ...]]] = []
        self.numbers: dict[float, Any] = {}

    def input(self, array: np.ndarray) -> Register:
        self.inputs.append(array)
        return Register(self, ~(len(self.inputs) - 1))  # negative until the number of inputs is known

    def op(self, name: str, *operands: Any) -> Register:
        registers = tuple(o if isinstance(o, Register) else self.number(o) for o in operands)
        self.code.append((name, registers))
        return Register(self, len(self.code) - 1)

    def number(self, value: float) -> Register:
        if value not in self.numbers:
            self.numbers[value] = self.input(np.broadcast_to(np.float32(value), (1,)))
        return self.numbers[value]

    def __getattr__(self, name: str) -> Callable[..., Register]:
        return lambda *operands: self.op(name, *operands)

    def call(self, outputs: Sequence[tuple[Register, np.ndarray]]) -> NativeCall:
        """The chain that writes these registers to these arrays."""
        n, inputs = outputs[0][1].size, len(self.inputs)

        def place(register: Register) -> int:
            return ~register.number if register.number < 0 else inputs + register.number

        code = [
            (OPERATIONS.index(name), *[place(r) for r in registers], *[0] * (3 - len(registers)))
            for name, registers in self.code
        ]
        operands = np.array([operand(x, n) for x in self.inputs], np.int64).reshape(-1)
        results = np.array([operand(y, n) for _, y in outputs], np.int64).reshape(-1)
        places = np.array([place(r) for r, _ in outputs], np.int32)
        call = NativeCall(
            "chain", n, inputs, len(code), len(outputs), operands, np.array(code, np.int32), results, places
        )
        for table, arrays in ((operands, self.inputs), (results, [y for _, y in outputs])):
            call.places += [(table, k * len(table) // len(arrays), a) for k, a in enumerate(arrays)]
            call.kept += arrays
        return call


def operand(x: np.ndarray, n: int) -> list[int]:
    """How the kernel reads an array of n entries, or one that is repeated to n: its axes collapsed."""
    axes = collapsed(x)
    if len(axes) == 1 and axes[0][1] == 1 and axes[0][0] == n:
        axes = []
    if x.size == 1:
        axes = [(n, 0)]
    sizes = [m for m, _ in axes] + [0] * (AXES - len(axes))
    strides = [s for _, s in axes] + [0] * (AXES - len(axes))
    return [x.ctypes.data, TYPES[x.dtype], len(axes), *sizes, *strides]


def collapsed(x: np.ndarray) -> list[tuple[int, int]]:
    """The axes of an array as (size, stride in entries), those that follow one another in memory joined."""
    axes: list[tuple[int, int]] = []
    for n, stride in zip(x.shape, x.strides, strict=True):
        s = stride // x.itemsize
        if n == 1:
            continue
        if axes and axes[-1][1] == n * s:
            axes[-1] = (axes[-1][0] * n, s)
        else:
            axes.append((n, s))
    return axes or [(1, 1)]


def fits(x: Any) -> bool:
    """Whether the kernel can read an array of this shape and dtype, however it lies."""
    return x.dtype in TYPES and len(x.shape) <= AXES and x.size > 0


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


def entrywise(name: str, *arrays: np.ndarray, **settings: Any) -> NativeCall | None:
    """One primitive as a chain of its own: its operands, which may be repeated, and the array for the result."""
    *operands, y = arrays
    if not (covers(name, settings) and all(map(fits, arrays)) and y.flags.c_contiguous):
        return None
    writer = Writer()
    return writer.call([(RULES[name](writer, *map(writer.input, operands), **settings), y)])
