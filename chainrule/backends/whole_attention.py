"""Attention with its weights held whole, for libraries that are quick at large arrays: kernels of torch and JAX.

See `chainrule.ops.scores` and `chainrule.ops.blockwise_attention`; nothing here changes an array in place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.backends.interface import backend_of, into

Band = tuple[int | None, int | None]


@lru_cache(maxsize=64)
def _band(rows: int, columns: int, band: Band) -> np.ndarray:
    """True where low ≤ j − i ≤ high."""
    distance = np.arange(columns) - np.arange(rows)[:, None]
    low, high = (-rows if band[0] is None else band[0]), (columns if band[1] is None else band[1])
    return (distance >= low) & (distance <= high)


def _visible(s: Any, mask: tuple[Any, ...], band: Band) -> Any:
    """Scores with −∞ where a query does not look."""
    backend = backend_of(s)
    for m in mask:
        s = backend.xp.where(m, s, -np.inf)
    if band == (None, None):
        return s
    inside = backend.asarray(_band(*s.shape[-2:], band), device=backend.device_of(s))
    return backend.xp.where(inside, s, -np.inf)


def _exponentials(s: Any) -> tuple[Any, Any, Any]:
    """e^(s − top), its sum (1 where it is 0) and top, the largest score of each query (0 where there is none)."""
    np_ = backend_of(s).xp
    if not s.shape[-1]:
        nothing = np_.sum(s, axis=-1, keepdims=True)
        return s, nothing + 1, nothing
    top = np_.max(s, axis=-1, keepdims=True)
    top = np_.where(np_.isneginf(top), 0.0, top)
    e = np_.exp(s - top)
    total = np_.sum(e, axis=-1, keepdims=True)
    return e, np_.where(total == 0, 1.0, total), top


def masked_softmax(s: Any, *mask: Any, scale: float, band: Band, out: Any = None) -> Any:
    """softmax(scale · s) over what each query sees; 0 where it sees nothing."""
    e, total, _ = _exponentials(_visible(s * scale, mask, band))
    return into(out, e / total)


def attention(
    q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int, out: Any = None
) -> tuple[Any, Any]:
    """softmax(scale · q kᵀ) v and the logarithm ln Σ e^S of each query."""
    np_ = backend_of(q).xp
    e, total, top = _exponentials(_visible(np_.matmul(q, np_.swapaxes(k, -1, -2)) * scale, mask, band))
    y, logarithm = np_.matmul(e / total, v), (np_.log(total) + top)[..., 0]
    return (y, logarithm) if out is None else (into(out[0], y), into(out[1], logarithm))


def attention_back(
    y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
    scale: float, band: Band, block: int, out: Any = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """The cotangents of q, k and v."""
    np_ = backend_of(q).xp
    s = _visible(np_.matmul(q, np_.swapaxes(k, -1, -2)) * scale, mask, band)
    p = np_.exp(s - logarithm[..., None])
    centre = np_.sum(y_bar * y, axis=-1, keepdims=True) - log_bar[..., None]
    s_bar = p * (np_.matmul(y_bar, np_.swapaxes(v, -1, -2)) - centre)
    bars = (
        np_.matmul(s_bar, k) * scale,
        np_.matmul(np_.swapaxes(s_bar, -1, -2), q) * scale,
        np_.matmul(np_.swapaxes(p, -1, -2), y_bar),
    )
    return bars if out is None else (into(out[0], bars[0]), into(out[1], bars[1]), into(out[2], bars[2]))


KERNELS = {"masked_softmax": masked_softmax, "attention": attention, "attention_back": attention_back}
