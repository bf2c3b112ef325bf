"""Chains of elementwise operations as programs for the compiled chain kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.backends.chain_rules import AXES, OPERATIONS, RULES, Register, Writer, collapsed, covers
from chainrule.backends.native.calls import NativeCall

TYPES = {np.dtype(np.float32): 0, np.dtype(bool): 1, np.dtype(np.int64): 2, np.dtype(np.int32): 3}


class NativeWriter(Writer):
    """Writes the code of one chain; numbers are inputs of one entry."""

    def written(self, value: float) -> Register:
        return self.input(np.broadcast_to(np.float32(value), (1,)))

    def can_write(self, array: np.ndarray) -> bool:
        """Whether results can be put there: the kernel writes entries one behind the other."""
        return array.flags.c_contiguous

    def given(self, array: np.ndarray, number: float | None) -> Register:
        """An operand: an array to read, or a number that is known."""
        return self.input(array) if number is None else self.number(number)

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
    axes = axes_of(x)
    if len(axes) == 1 and axes[0][1] == 1 and axes[0][0] == n:
        axes = []
    if x.size == 1:
        axes = [(n, 0)]
    sizes = [m for m, _ in axes] + [0] * (AXES - len(axes))
    strides = [s for _, s in axes] + [0] * (AXES - len(axes))
    return [x.ctypes.data, TYPES[x.dtype], len(axes), *sizes, *strides]


def axes_of(x: np.ndarray) -> list[tuple[int, int]]:
    """The axes of an array as (size, stride in entries), those that follow one another in memory joined."""
    return collapsed(x.shape, (s // x.itemsize for s in x.strides))


def fits(x: Any) -> bool:
    """Whether the kernel can read an array of this shape and dtype, however it lies."""
    return x.dtype in TYPES and len(x.shape) <= AXES and x.size > 0


def entrywise(name: str, *arrays: np.ndarray, **settings: Any) -> NativeCall | None:
    """One primitive as a chain of its own: its operands, which may be repeated, and the array for the result."""
    *operands, y = arrays
    if not (covers(name, settings) and all(map(fits, arrays)) and y.flags.c_contiguous):
        return None
    writer = NativeWriter()
    return writer.call([(RULES[name](writer, *map(writer.input, operands), **settings), y)])
