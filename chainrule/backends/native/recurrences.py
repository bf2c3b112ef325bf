"""Rules for the recurrences; see `kernels.py`. Weights that differ from example to example are left to NumPy."""

from __future__ import annotations

from typing import Any

from chainrule.backends.native.arrays import LINE, SINGLE, Array, by_rows, is_nothing, room
from chainrule.backends.native.calls import NativeCall

UNITS = 16
"""Units of a block, as recurrence.c has it."""
ROWS = 96
"""Rows of inputs that are mapped at once: from there on a product is as fast as it gets."""
SUMMED = 256
"""Rows of steps that are added to the gradients of weights at once."""


def lstm(
    x: Array, h0: Array, c0: Array, w: Array, u: Array, b: Array, *rest: Array, reverse: bool
) -> NativeCall | None:
    """Long short-term memory."""
    *mask, h, c, gates = rest
    s = _sequence(x, h0, mask, reverse, w, u, b)
    if s is None or not by_rows(h, c, gates) or c0.dtype != SINGLE:
        return None
    (n, _, features), units, wide = x.shape, h0.shape[1], _blocks(h0.shape[1])
    chunk, ld = max(1, min(x.shape[1], ROWS // n)), wide + LINE
    scratch = (4 * wide * units, 4 * wide, 4 * wide * n * chunk, wide * n, n * ld, n * ld)
    packed, *rooms = (room(size) for size in (4 * wide * features, *scratch))
    return _call("lstm", *s, packed, *_matrix(c0), h, c, gates, chunk, ld, *rooms, scratch=[packed, *rooms])


def lstm_back(
    h_bar: Array, c_bar: Array, gates_bar: Array, h: Array, c: Array, gates: Array, x: Array, h0: Array, c0: Array,
    u: Array, *rest: Array, reverse: bool,
) -> NativeCall | None:  # fmt: skip
    """Its derivative."""
    *mask, delta, h0_bar, c0_bar, w_bar, u_bar, b_bar = rest
    s = _sequence(x, h0, mask, reverse, 0, u, 0)
    results = (h, c, gates, delta, h0_bar, c0_bar, w_bar, u_bar, b_bar)
    if s is None or not by_rows(*results) or not _singles(c0, h_bar, c_bar, gates_bar):
        return None
    (n, length, features), units, wide = x.shape, h0.shape[1], _blocks(h0.shape[1])
    ld, slots = 4 * units + LINE, min(length, max(2, SUMMED // n))
    panels = slots * n * (wide + _blocks(features))
    packed, *rooms = (room(size) for size in (4 * units * wide, n * wide, n * wide, slots * n * ld, panels))
    bars = [word for bar in (h_bar, c_bar, gates_bar) for word in _bars(bar)]
    arguments = (*bars, h, c, gates, *_matrix(c0), *results[3:], ld, slots)
    return _call("lstm_back", *s, packed, *arguments, *rooms, scratch=[packed, *rooms])


def _sequence(x: Array, h0: Array, mask: list[Array], reverse: bool, w: Any, u: Array, b: Any) -> list[Any] | None:
    """The first arguments of all recurrences but the last; None where the arrays do not suit."""
    weights = [a for a in (w, u, b) if isinstance(a, Array)]
    if x.ndim != 3 or not x.size or x.dtype != SINGLE or (x.strides[2] != x.itemsize and x.shape[2] > 1):
        return None
    if not by_rows(*weights) or h0.dtype != SINGLE:
        return None
    seen = [mask[0], *mask[0].strides] if mask else [0, 0, 0]
    numbers = [*x.shape, h0.shape[1], int(reverse)]
    return [*numbers, x, *_steps(x)[:2], h0, *_steps(h0), w, u, b, *seen]


def _call(name: str, *arguments: Any, scratch: list[Array]) -> NativeCall:
    return NativeCall(name, *arguments, scratch=sum(a.nbytes for a in scratch))


def _blocks(units: int) -> int:
    """Units in whole blocks."""
    return -(-units // UNITS) * UNITS


def _steps(x: Array) -> list[int]:
    return [s // x.itemsize for s in x.strides]


def _matrix(x: Array) -> list[Any]:
    return [x, *_steps(x)]


def _bars(x: Array) -> list[Any]:
    """A cotangent with its distances; no address where it is nothing."""
    return [0, 0, 0, 0] if is_nothing(x) else [x, *_steps(x)]


def _singles(*arrays: Array) -> bool:
    return all(a.dtype == SINGLE for a in arrays)


RULES = {"lstm": lstm, "lstm_back": lstm_back}
