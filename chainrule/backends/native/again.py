"""Calls used again: the same kernel on other arrays of the same shapes, of which only the addresses are new.

To pack a call takes some 15 µs of Python, to look it up and move it a third of that, and define-by-run makes the same
calls in every step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.library import loaded

Array = np.ndarray
Rule = Callable[..., NativeCall | None]

MOST = 512
"""Calls that a thread remembers."""

LARGEST_SCRATCH = 1 << 16
"""Bytes that a remembered call may keep for itself."""


class Movable:
    """A call whose arrays can be exchanged."""

    def __init__(self, call: NativeCall, places: list[tuple[Array, int, int]], others: list[Array]) -> None:
        self.function, self.words, self.places, self.kept = call.function, call.words, places, (others, call)
        self.run, self.at = loaded().run_one, call.words.ctypes.data  # type: ignore[union-attr]
        call.kept, call.places = [], []
        call.settle()

    def __call__(self, arrays: tuple[Array, ...]) -> None:
        """Run it on arrays that lie as the first ones did."""
        for table, place, which in self.places:
            table[place] = arrays[which].ctypes.data
        self.run(self.function, self.at)


class Remembered(threading.local):
    """The calls that a thread has made, by kernel, settings, and how their operands lie."""

    def __init__(self) -> None:
        self.calls: dict[Any, tuple[Movable | None, Results]] = {}

    def run(self, primitive: Any, rule: Rule, args: tuple[Array, ...], settings: dict[str, Any]) -> Any:
        """The results of a primitive by its compiled kernel; None where the rule says that the operands do not suit."""
        key = (primitive.name, *map(_lies, args), *settings.values())
        try:
            known, results = self.calls[key]
        except (KeyError, TypeError):  # TypeError: a setting that has no hash
            return self._first(key, primitive, rule, args, settings)
        if known is None:
            return None
        made = results.made()
        known((*args, *made))
        return results.given(made)

    def _first(self, key: Any, primitive: Any, rule: Rule, args: tuple[Array, ...], settings: dict[str, Any]) -> Any:
        results = Results(primitive.spec(*args, **settings))
        made = results.made()
        call = rule(*args, *made, **settings)
        if call is not None:
            call.run()
        if len(self.calls) >= MOST:
            self.calls.clear()
        if len({id(a) for a in args}) == len(args) and _hashes(key):
            found = None if call is None else movable(call, (*args, *made))
            if found is not None or call is None:
                self.calls[key] = found, results
        return None if call is None else results.given(made)


class Results:
    """New arrays for the results of a primitive, whose shapes and dtypes are known."""

    def __init__(self, specs: Any) -> None:
        self.several = isinstance(specs, tuple)
        self.specs = [(s.shape, s.dtype) for s in (specs if self.several else (specs,))]

    def made(self) -> list[Array]:
        return [np.empty(shape, dtype) for shape, dtype in self.specs]

    def given(self, made: list[Array]) -> Any:
        """As a kernel gives them."""
        return tuple(made) if self.several else made[0]


def movable(call: NativeCall, arrays: tuple[Array, ...]) -> Movable | None:
    """The call with its arrays to be exchanged; None where it points into parts of them, or keeps much memory."""
    which = {id(a): i for i, a in enumerate(arrays)}
    others = [a for _, _, a in call.places if id(a) not in which]
    if call.scratch > LARGEST_SCRATCH or any(np.may_share_memory(a, b) for a in others for b in arrays):
        return None
    return Movable(call, [(table, i, which[id(a)]) for table, i, a in call.places if id(a) in which], others)


def _lies(a: Array) -> Any:
    """How an array lies in memory; of one number repeated also which, for rules look at it."""
    strides = a.strides
    if any(strides) or a.size < 2:
        return a.shape, strides, a.dtype.char
    return a.shape, strides, a.dtype.char, a.item(0)


def _hashes(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True
