"""Rules for convolution, its transpose, and the gradient of its weights; see `kernels.py`.

One spatial axis is two, of which the first has one place; images of three are left to NumPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from chainrule.backends.native.arrays import Array, by_rows
from chainrule.backends.native.calls import NativeCall, Room
from chainrule.backends.native.library import threads
from chainrule.backends.numpy_convolution import out_size

CACHE = 64 << 10
"""Entries that half of a second-level cache holds."""
ROOM = 512 << 10
"""Entries that a part may take where matrix products gain more by their size than they lose by the cache (measured)."""
PLACES = 256
"""Places of a chunk from which on a matrix product is fast."""
ENOUGH = 200_000
"""Multiplications for one thread."""
POINTS = 16
"""Products for every tile of 2 x 2 places, after Winograd."""
WIDE, LINE = 8, 16
"""Entries that his kernels may write behind the last tile, and leave between the values at one point and the next."""


class Sizes(NamedTuple):
    """A convolution in numbers: the first arguments of its kernels, in their order."""

    n: int
    c: int
    h: int
    w: int
    o: int
    ph: int
    pw: int
    kh: int
    kw: int
    sh: int
    sw: int
    dh: int
    dw: int
    top: int
    left: int
    groups: int


def sizes(x: Array, kernel: Any, y: Array, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Sizes | None:
    """The sizes where images x and places y belong together; None where they do not, or have three axes."""
    axes = len(kernel)
    if axes not in (1, 2) or not by_rows(x, y) or x.ndim != axes + 2 or len(x) != len(y):
        return None
    if out_size(x.shape[2:], kernel, stride, padding, dilation) != y.shape[2:]:
        return None
    one, top_left = (1,) * (2 - axes), [low for low, _ in padding]
    pairs = [(*one, *pair) for pair in (x.shape[2:], y.shape[2:], kernel, stride, dilation)]
    (h, w), (ph, pw), (kh, kw), (sh, sw), (dh, dw) = pairs
    top, left = [0] * len(one) + top_left
    return Sizes(len(x), x.shape[1], h, w, y.shape[1], ph, pw, kh, kw, sh, sw, dh, dw, top, left, groups)


def _fitting(x: Array, w: Array, y: Array, **settings: Any) -> Sizes | None:
    s = sizes(x, w.shape[2:], y, **settings) if by_rows(w) else None
    return s if s and w.shape[:2] == (s.o, s.c / s.groups) and s.o % s.groups == 0 else None


def conv(x: Array, w: Array, y: Array, **settings: Any) -> NativeCall | None:
    """Convolution."""
    s = _fitting(x, w, y, **settings)
    if s is None or is_depthwise(s):
        return s and _by_entries("depthwise", s, x, w, y)
    return _by_tiles("winograd", s, x, w, y) if is_tiled(s) else _by_columns("conv", s, x, w, y, s.n * s.ph)


def conv_transpose(y: Array, w: Array, x: Array, *, size: Any, **settings: Any) -> NativeCall | None:
    """Its transpose; in tiles it is a convolution with the kernels turned around."""
    s = _fitting(x, w, y, **settings)
    if s is None or is_depthwise(s):
        return s and _by_entries("depthwise_transpose", s, x, w, y)
    turned = s._replace(c=s.o, h=s.ph, w=s.pw, o=s.c, ph=s.h, pw=s.w, top=2 - s.top, left=2 - s.left)
    if is_tiled(turned):
        return _by_tiles("winograd_transpose", turned, y, w, x)
    return _by_columns("conv_transpose", s, x, w, y, s.n)


def conv_weight(x: Array, y: Array, w: Array, *, kernel: Any, **settings: Any) -> NativeCall | None:
    """The gradient of its weights."""
    s = _fitting(x, w, y, **settings)
    if s is None or is_depthwise(s):
        return s and _by_entries("depthwise_weight", s, x, w, y)
    if is_tiled(s):
        return _by_tiles("winograd_weight", s, x, w, y)
    return _by_columns("conv_weight", s, x, w, y, s.n * s.ph)


def is_depthwise(s: Sizes) -> bool:
    """Whether every group has one input channel, and so few outputs that a matrix product would be none."""
    return s.groups == s.c and s.o <= 2 * s.c and s.kh * s.kw <= 64


def _by_entries(name: str, s: Sizes, x: Array, w: Array, y: Array) -> NativeCall:
    return NativeCall(name, *s, 0, 0, 0, x, w, y, 0)


def is_tiled(s: Sizes) -> bool:
    """Whether Winograd's products serve and are faster.

    They are not where too few channels, or too few tiles for so many channels, share the values that are computed, or
    where much of the tiles lies outside of small images (measured).
    """
    simple = (s.kh, s.kw, s.sh, s.sw, s.dh, s.dw, s.groups) == (3, 3, 1, 1, 1, 1, 1)
    tiles = (s.ph + 1) // 2 * ((s.pw + 1) // 2)
    shared = (s.c >= 16 or 4 <= s.c >= s.o / 2) and s.n * tiles >= max(128, (s.c + s.o) / 6)
    return simple and shared and s.ph * s.pw >= 3 * tiles


def _by_tiles(name: str, s: Sizes, x: Array, w: Array, y: Array) -> NativeCall:
    """By tiles of 2 x 2 places; the values of the weights at all points are shared, or one for each part."""
    high, wide = (s.ph + 1) // 2, (s.pw + 1) // 2
    rows = max(1, min(s.n * high, ROOM // (POINTS * (s.c + s.o) * wide)))
    own = POINTS * ((s.c + s.o) * (rows * wide + WIDE) + 2 * LINE) + 10 * (wide + 1 + WIDE)
    of_weights = POINTS * s.c * s.o
    own, shared = (own + of_weights, 0) if name == "winograd_weight" else (own, of_weights)
    return _with_scratch(name, (*s[:7], s.top, s.left, rows, _parts(s, s.n * high)), own, shared, x, w, y)


def _by_columns(name: str, s: Sizes, x: Array, w: Array, y: Array, most: int) -> NativeCall:
    """By columns of windows, in at most so many parts."""
    high, m = w.size // s.o, s.o // s.groups
    places = max(CACHE // (high + m), min(PLACES, ROOM // (high + m)))
    rows = max(1, min(s.n * s.ph, places // s.pw))
    own = (high + m) * rows * s.pw + (w.size if name == "conv_weight" else 0)
    return _with_scratch(name, (*s, rows, _parts(s, most)), own, 0, x, w, y)


def _with_scratch(name: str, numbers: tuple[int, ...], own: int, shared: int, *arrays: Array) -> NativeCall:
    """A call with scratch of its own for each part, the last of the numbers, and some for all."""
    return NativeCall(name, *numbers, own, *arrays, Room(numbers[-1] * own + shared))


def _parts(s: Sizes, most: int) -> int:
    """Into how many parts the work is cut: as many as threads, if each has some microseconds to do."""
    products = s.n * s.o * s.ph * s.pw * s.c // s.groups * s.kh * s.kw
    return max(1, min(threads(), most, products // ENOUGH))


RULES = {"conv": conv, "conv_transpose": conv_transpose, "conv_weight": conv_weight}
