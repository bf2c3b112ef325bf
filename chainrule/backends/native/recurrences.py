"""Rules for the recurrences; see `kernels.py`. Weights that differ from example to example are left to NumPy."""

from __future__ import annotations

from typing import Any

from chainrule.backends.native.arrays import LINE, SINGLE, Array, by_rows, is_nothing
from chainrule.backends.native.calls import NativeCall, Room
from chainrule.backends.native.library import loaded

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
    if s is None or not by_rows(h, c, gates) or not _singles(c0):
        return None
    cells = Room(len(x) * _blocks(h.shape[2]))
    return NativeCall("lstm", *_forward(s, x, h, 4), *_matrix(c0), c, gates, cells)


def lstm_back(
    h_bar: Array, c_bar: Array, gates_bar: Array, h: Array, c: Array, gates: Array, x: Array, h0: Array, c0: Array,
    u: Array, *rest: Array, reverse: bool,
) -> NativeCall | None:  # fmt: skip
    """Its derivative."""
    *mask, delta, h0_bar, c0_bar, w_bar, u_bar, b_bar = rest
    s = _sequence(x, h0, mask, reverse, 0, u, 0)
    by_rows_ = by_rows(h, c, gates, delta, h0_bar, c0_bar, w_bar, u_bar, b_bar)
    if s is None or not by_rows_ or not _singles(c0, h_bar, c_bar, gates_bar):
        return None
    dc = Room(len(x) * _blocks(h.shape[2]))
    words = [*_bars(c_bar), *_bars(gates_bar), c, gates, *_matrix(c0), delta, c0_bar, b_bar]
    return NativeCall("lstm_back", *_backward(s, x, h, 4, 4, h_bar, [h0_bar, w_bar, u_bar]), *words, dc)


def gru(
    x: Array, h0: Array, w: Array, u: Array, b: Array, b_hh: Array, *rest: Array, reverse: bool
) -> NativeCall | None:
    """The gated recurrent unit as PyTorch has it."""
    *mask, h, a = rest
    s = _sequence(x, h0, mask, reverse, w, u, b)
    if s is None or not by_rows(b_hh, h, a):
        return None
    return NativeCall("gru", *_forward(s, x, h, 3), b_hh, a, Room(_blocks(h.shape[2])))


def gru_back(
    h_bar: Array, a_bar: Array, h: Array, a: Array, x: Array, h0: Array, u: Array, *rest: Array, reverse: bool
) -> NativeCall | None:
    """Its derivative."""
    *mask, delta, h0_bar, w_bar, u_bar, b_bar, b_hh_bar = rest
    s = _sequence(x, h0, mask, reverse, 0, u, 0)
    if s is None or not by_rows(h, a, delta, h0_bar, w_bar, u_bar, b_bar, b_hh_bar) or not _singles(h_bar, a_bar):
        return None
    words = [*_bars(a_bar), a, delta, b_bar, b_hh_bar]
    return NativeCall("gru_back", *_backward(s, x, h, 3, 4, h_bar, [h0_bar, w_bar, u_bar]), *words)


def rnn(
    x: Array, h0: Array, w: Array, u: Array, b: Array, *rest: Array, nonlinearity: str, reverse: bool
) -> NativeCall | None:
    """The plain recurrent network."""
    *mask, h = rest
    s = _sequence(x, h0, mask, reverse, w, u, b)
    if s is None or not by_rows(h):
        return None
    return NativeCall("rnn", *_forward(s, x, h, 1), int(nonlinearity == "relu"))


def rnn_back(
    h_bar: Array, h: Array, x: Array, h0: Array, u: Array, *rest: Array, nonlinearity: str, reverse: bool
) -> NativeCall | None:
    """Its derivative."""
    *mask, delta, h0_bar, w_bar, u_bar, b_bar = rest
    s = _sequence(x, h0, mask, reverse, 0, u, 0)
    if s is None or not by_rows(h, delta, h0_bar, w_bar, u_bar, b_bar) or not _singles(h_bar):
        return None
    words = [int(nonlinearity == "relu"), delta, b_bar]
    return NativeCall("rnn_back", *_backward(s, x, h, 1, 1, h_bar, [h0_bar, w_bar, u_bar]), *words)


# Arguments that all of them have, memory to work in among them.


def _sequence(x: Array, h0: Array, mask: list[Array], reverse: bool, w: Any, u: Array, b: Any) -> list[Any] | None:
    """The first arguments of all recurrences but the last; None where the arrays do not suit."""
    weights = [a for a in (w, u, b) if isinstance(a, Array)]
    if x.ndim != 3 or not x.size or not h0.size or not _singles(x, h0) or not by_rows(*weights):
        return None
    if x.shape[2] > 1 and x.strides[2] != x.itemsize:
        return None
    seen = [mask[0], *mask[0].strides] if mask else [0, 0, 0]
    return [*x.shape, h0.shape[1], int(reverse), x, *_steps(x)[:2], *_matrix(h0), w, u, b, *seen]


def _forward(s: list[Any], x: Array, h: Array, gates: int) -> list[Any]:
    """The first arguments forwards, for so many rows of the weights to a unit."""
    (n, length, features), units, wide = x.shape, h.shape[2], gates * _blocks(h.shape[2])
    chunk, ld = max(1, min(length, ROWS // n)), _blocks(units) + LINE
    packed, *rooms = map(Room, (wide * features, wide * units, wide, wide * n * chunk, n * ld, n * ld))
    return [*s, packed, h, chunk, ld, *rooms]


def _backward(s: list[Any], x: Array, h: Array, gates: int, kept: int, h_bar: Array, results: list[Array]) -> list[Any]:
    """The first arguments backwards; of delta so many times the width of the state are kept."""
    (n, length, features), units, wide = x.shape, h.shape[2], _blocks(h.shape[2])
    ld, slots = kept * units + LINE, min(length, max(2, SUMMED // n))
    sizes = (gates * units * wide, n * wide, slots * n * ld, slots * n * (_blocks(features) + wide))
    packed, *rooms = map(Room, sizes)
    return [*s, packed, *_bars(h_bar), h, *results, ld, slots, *rooms]


def _blocks(units: int) -> int:
    """Units in whole blocks, which are as wide as the library's vectors want them."""
    block = loaded().recurrence_units()  # pyright: ignore[reportOptionalMemberAccess]
    return -(-units // block) * block


def _steps(x: Array) -> list[int]:
    return [s // x.itemsize for s in x.strides]


def _matrix(x: Array) -> list[Any]:
    return [x, *_steps(x)]


def _bars(x: Array) -> list[Any]:
    """A cotangent with its distances; no address where it is nothing."""
    return [0, 0, 0, 0] if is_nothing(x) else [x, *_steps(x)]


def _singles(*arrays: Array) -> bool:
    return all(a.dtype == SINGLE for a in arrays)


RULES = {"gru": gru, "gru_back": gru_back, "lstm": lstm, "lstm_back": lstm_back, "rnn": rnn, "rnn_back": rnn_back}
