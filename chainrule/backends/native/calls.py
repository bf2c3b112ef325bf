"""Calls of compiled kernels: arguments packed into words, several calls run by one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.backends.native.library import address, loaded
from chainrule.backends.numpy_backend import CACHE_LINE, flat_like

NUMBER, BITS = struct.Struct("<d"), struct.Struct("<q")


class Room:
    """Memory that a kernel works in while it runs: so many entries of float32, from a cache line on."""

    def __init__(self, entries: int) -> None:
        self.nbytes = -(-4 * entries // CACHE_LINE) * CACHE_LINE


class NativeCall:
    """One kernel with its arguments, ready to run; it keeps the arrays alive that it points into.

    Arguments are arrays (their address), whole numbers, floats (their bits as a double), and rooms to work in, which
    are memory only once it is settled. `places` says where addresses stand: a table, a place in it, and the array.
    """

    __slots__ = ("function", "kept", "memory", "places", "rooms", "words")

    def __init__(self, name: str, *arguments: Any) -> None:
        self.function = address(name)
        self.words = np.array([_word(a) for a in arguments], np.int64)
        self.places = [(self.words, i, a) for i, a in enumerate(arguments) if isinstance(a, np.ndarray)]
        self.kept: list[np.ndarray] = [a for _, _, a in self.places]
        self.memory: np.ndarray | None = None
        self.rooms = [(i, a) for i, a in enumerate(arguments) if isinstance(a, Room)]

    @property
    def scratch(self) -> int:
        """Bytes that it works in, beside its arguments."""
        return sum(room.nbytes for _, room in self.rooms)

    def settle(self, memory: np.ndarray | None = None) -> None:
        """Let it work in some memory, or in memory of its own if it has none."""
        if self.rooms and (memory is not None or self.memory is None):
            self.memory = flat_like(np.uint8(0), self.scratch) if memory is None else memory
            at = self.memory.ctypes.data
            for i, room in self.rooms:
                self.words[i], at = at, at + room.nbytes

    def set(self, place: int, value: float) -> None:
        """Change a number among the arguments."""
        self.words[place] = _word(value)

    def run(self) -> None:
        """Run it once, by itself."""
        self.settle()
        loaded().run_one(self.function, self.words.ctypes.data)  # type: ignore[union-attr]


def share_scratch(calls: Sequence[NativeCall]) -> int:
    """Let calls that never run at once work in the same memory; its bytes."""
    memory = flat_like(np.uint8(0), max([call.scratch for call in calls], default=0))
    for call in calls:
        call.settle(memory)
    return memory.nbytes


def runner(calls: Sequence[NativeCall]) -> Callable[[], Any]:
    """One function that runs the calls in order."""
    table = _table(calls)
    run, place, n = loaded().run, table.ctypes.data, len(calls)  # type: ignore[union-attr]

    def run_all(_kept: Any = (table, list(calls))) -> None:
        run(place, n)

    return run_all


class Series:
    """Calls that are run several times by one call, some words of their arguments other ones each time.

    `words` says where these stand: a table, and a place in it. `values` has a row of them for each time. A call may set
    `stop`, and then they do not run again. `done` tells how often they ran.
    """

    def __init__(
        self,
        calls: Sequence[NativeCall],
        words: Sequence[tuple[np.ndarray, int]],
        times: int,
        stop: np.ndarray | None = None,
    ) -> None:
        places = np.array([table.ctypes.data + place * table.itemsize for table, place in words], np.int64)
        self.values = np.zeros((times, len(words)), np.int64)
        self.stop, self.done = np.zeros(1, np.int64) if stop is None else stop, np.zeros(1, np.int64)
        arguments = _table(calls), len(calls), places, len(words), self.values, self.stop, self.done
        self.arguments = np.array([_word(a) for a in arguments], np.int64)
        self.kept = list(calls), list(words), arguments
        self.library, self.at = loaded(), self.arguments.ctypes.data

    def run(self, first: int, times: int) -> int:
        """Run with the values of so many rows from one on, or up to where `stop` is set; how many those were."""
        self.stop[0] = 0
        self.library.run_series(self.at, first, times)  # type: ignore[union-attr]
        return self.done.item(0)


def _table(calls: Sequence[NativeCall]) -> np.ndarray:
    for call in calls:
        call.settle()
    return np.array([word for call in calls for word in (call.function, call.words.ctypes.data)], np.int64)


def _word(a: Any) -> int:
    kind = type(a)
    if kind is int:
        return a
    if kind is Room:
        return 0
    if isinstance(a, np.ndarray):
        return a.ctypes.data
    return BITS.unpack(NUMBER.pack(a))[0] if isinstance(a, float) else int(a)
