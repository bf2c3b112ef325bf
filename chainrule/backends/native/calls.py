"""Calls of compiled kernels: arguments packed into words, several calls run by one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.backends.native.library import address, loaded

NUMBER, BITS = struct.Struct("<d"), struct.Struct("<q")


class NativeCall:
    """One kernel with its arguments, ready to run; it keeps the arrays alive that it points into.

    Arguments are arrays (their address), whole numbers, and floats (their bits as a double). `places` says where
    addresses stand: a table, a place in it, and the array.
    """

    __slots__ = ("function", "kept", "places", "scratch", "words")

    def __init__(self, name: str, *arguments: Any, scratch: int = 0) -> None:
        self.scratch = scratch  # bytes among the arguments that are neither operand nor result
        self.function = address(name)
        self.words = np.array([_word(a) for a in arguments], np.int64)
        self.places = [(self.words, i, a) for i, a in enumerate(arguments) if isinstance(a, np.ndarray)]
        self.kept: list[np.ndarray] = [a for _, _, a in self.places]

    def set(self, place: int, value: float) -> None:
        """Change a number among the arguments."""
        self.words[place] = _word(value)

    def run(self) -> None:
        """Run it once, by itself."""
        loaded().run_one(self.function, self.words.ctypes.data)  # type: ignore[union-attr]


def runner(calls: Sequence[NativeCall]) -> Callable[[], Any]:
    """One function that runs the calls in order."""
    table = np.array([word for call in calls for word in (call.function, call.words.ctypes.data)], np.int64)
    run, place, n = loaded().run, table.ctypes.data, len(calls)  # type: ignore[union-attr]

    def run_all(_kept: Any = (table, list(calls))) -> None:
        run(place, n)

    return run_all


def _word(a: Any) -> int:
    kind = type(a)
    if kind is int:
        return a
    if isinstance(a, np.ndarray):
        return a.ctypes.data
    return BITS.unpack(NUMBER.pack(a))[0] if isinstance(a, float) else int(a)
