"""Where a token stands: waves added to it (sinusoidal), turns of its queries and keys (rotary), a slope (ALiBi).

Attention itself knows no order: permuted tokens give permuted results (003 §17.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import xp
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.batch import host_or_batched, leading
from chainrule.core.families import multilinear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import DEFAULT_FLOAT, broadcast_to, operand

WAVELENGTH = 10000.0
"""Vaswani et al. (2017), §3.5: wavelengths grow from 2π to 10000 · 2π."""


def sinusoidal_positions(length: int, width: int, base: float = WAVELENGTH, dtype: Any = DEFAULT_FLOAT) -> np.ndarray:
    """PE(t, 2i) = sin(t/base^(2i/d)), PE(t, 2i + 1) = cos of the same. Shape (length, width).

    PE(t + k) is a fixed linear map of PE(t): a turn by k/base^(2i/d) of each pair. Vaswani et al. (2017), §3.5;
    000 (18.11)-(18.12).

    Raises:
        OptionError: the width is odd.

    >>> sinusoidal_positions(2, 4)[1].round(4)
    array([0.8415, 0.5403, 0.01  , 1.    ], dtype=float32)
    """
    angles = _angles(np.arange(length), width, base)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, width).astype(dtype)


def _angles(positions: Any, width: int, base: float) -> Any:
    """t/base^(2i/d) for each position t and each pair i, in float64. Shape (…, width/2)."""
    if width < 2 or width % 2:
        raise OptionError(
            f"Positions turn pairs of entries, so the width is even; got {width}.",
            fix=f"a width of {max(2, width + 1)}",
        )
    places = words.expand_dims(words.astype(positions, np.float64), -1)
    return words.multiply(places, base ** (-np.arange(0, width, 2) / width))


@multilinear
def turn(x: Any, w: Any, *, interleaved: bool, back: bool = False, out: Any = None) -> Any:
    """Pairs of entries multiplied as complex numbers, (a + ib)(c + id); with `back` by the conjugate c − id.

    With w = (cos φ, sin φ) each pair of x is turned by φ. Shapes: x, w and result (…, d). Pair i is entries i and
    i + d/2, or, `interleaved`, 2i and 2i + 1.
    """
    y = xp(x).empty_like(x) if out is None else out
    (a, b), (c, d), (left, right) = (_pairs(z, interleaved) for z in (x, w, y))
    if back:
        left[...], right[...] = a * c + b * d, b * c - a * d
    else:
        left[...], right[...] = a * c - b * d, a * d + b * c
    return y


def _pairs(x: Any, interleaved: bool) -> tuple[Any, Any]:
    half = x.shape[-1] // 2
    return (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])


def _turned_shape(x: Any, w: Any, **settings: Any) -> tuple[int, ...]:
    if x.shape[-1] % 2 or x.shape != w.shape:
        raise ShapeError(f"Pairs of entries are turned one by one: {x.shape} and {w.shape} do not fit.")
    return x.shape


def _wave_bar(y_bar: Any, x: Any, w: Any, *, interleaved: bool, back: bool = False) -> Any:
    first, second = (x, y_bar) if back else (y_bar, x)
    return turn(first, second, interleaved=interleaved, back=True)


turn.adjoints(
    lambda y_bar, x, w, *, interleaved, back=False: turn(y_bar, w, interleaved=interleaved, back=not back), _wave_bar
)
turn.shape(_turned_shape)
leading(turn)
turn.cost(lambda y, x, w, **settings: 3 * x.size)
turn.formula(r"y = x\,w,\; x = a + ib", r"\bar x = \bar y\,w^*", r"\bar w = \bar y\,x^*")


@words.define
def rotary(x: Any, positions: Any = None, base: float = WAVELENGTH, interleaved: bool = False) -> Any:
    """Rotary positions: pair i of the token at t is turned by the angle t/base^(2i/d). Su et al. (2021), (34).

    Applied to queries and keys, their product depends on the distance of two tokens only. Shapes: x (…, T, d),
    positions (T) or what repeats to (…, T), 0 … T − 1 where none are given. The pairs are entries i and i + d/2,
    as in GPT-NeoX and LLaMA of Hugging Face; `interleaved` takes 2i and 2i + 1, as the paper.

    Raises:
        OptionError: the width is odd.
        ShapeError: x has fewer than two axes, or positions do not repeat to (…, T).
    """
    x = operand(x)
    if len(x.shape) < 2:
        raise ShapeError(f"Rotary positions are of rows (…, T, d), got shape {tuple(x.shape)}.")
    places = np.arange(x.shape[-2]) if positions is None else host_or_batched(positions)
    angles = _angles(places, x.shape[-1], base)
    parts = [words.cos(angles), words.sin(angles)]  # (…, T, d/2)
    wave = words.reshape(words.stack(parts, -1), *places.shape, -1) if interleaved else words.concatenate(parts, -1)
    return turn(x, broadcast_to(words.astype(wave, x.dtype), shape=tuple(x.shape)), interleaved=interleaved)


def alibi_slopes(heads: int) -> np.ndarray:
    """The slopes of ALiBi: 2^(−8/n), 2^(−16/n), …, 2^−8 for n heads, n a power of 2; else also some between.

    Press et al. (2022), §3: for other n, those of the next lower power of 2, then every second one of twice it.

    >>> alibi_slopes(8)[:3]
    array([0.5  , 0.25 , 0.125])
    """
    if heads < 1:
        raise OptionError(f"ALiBi needs one head or more, got {heads}.")
    n = 1 << (heads.bit_length() - 1)
    slopes = 2.0 ** (-8 * np.arange(1, n + 1) / n)
    return np.concatenate([slopes, 2.0 ** (-8 * np.arange(1, 2 * n + 1, 2) / (2 * n))[: heads - n]])


def alibi(heads: int, queries: int, keys: int | None = None, offset: int = 0, dtype: Any = DEFAULT_FLOAT) -> np.ndarray:
    """ALiBi, a mask of floats −m |i + offset − j| with a slope m for each head. Shape (heads, queries, keys).

    Added to the scores in place of positions: far keys weigh less. Causality is the caller's (`causal=True`).
    `offset` as in `causal_mask`. Press et al. (2022).
    """
    distance = np.abs(np.arange(queries)[:, None] + offset - np.arange(queries if keys is None else keys))
    return (-alibi_slopes(heads)[:, None, None] * distance).astype(dtype)
