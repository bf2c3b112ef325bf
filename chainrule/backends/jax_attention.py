"""Attention in JAX; see `chainrule.ops.blockwise_attention` and `chainrule.ops.scores`.

Lengths are filled up to whole blocks. For each block of queries a loop runs over those blocks of keys that the band
lets it see, so that no more than one block of scores is held, and none is made in vain.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Band = tuple[int | None, int | None]

compiled = partial(jax.jit, static_argnames=("scale", "band", "block"))


@compiled
def attention(q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int, out: Any = None) -> Any:
    """softmax(scale · q kᵀ) v and the logarithm ln Σ e^S of each query."""
    length, keys = q.shape[-2], k.shape[-2]
    q, k, v, mask = _filled(q, block), _filled(k, block), _filled(v, block), _filled_mask(mask, block)

    def row(i: Any) -> Any:
        rows = _at(q, i, block) * scale

        def meet(j: Any, state: Any) -> Any:
            top, total, a = state
            s = _scores(rows, k, mask, i, j, band, block, keys)
            highest = jnp.maximum(top, s.max(-1, keepdims=True))
            p, shrink = jnp.exp(s - _finite(highest)), jnp.exp(top - _finite(highest))
            return highest, total * shrink + p.sum(-1, keepdims=True), a * shrink + p @ _at(v, j, block)

        none = jnp.zeros((*rows.shape[:-1], 1), q.dtype)
        first = none - jnp.inf, none, jnp.zeros((*rows.shape[:-1], v.shape[-1]), q.dtype)
        top, total, a = lax.fori_loop(*_seen(i, band, block, keys), meet, first)
        some = jnp.where(total == 0, 1.0, total)
        return a / some, (jnp.log(some) + _finite(top))[..., 0]

    y, logarithm = lax.map(row, jnp.arange(q.shape[-2] // block))
    return _joined(y)[..., :length, :], _joined(logarithm[..., None])[..., :length, 0]


@compiled
def attention_back(
    y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
    scale: float, band: Band, block: int, out: Any = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """The cotangents of q, k and v."""
    length, keys, centre = q.shape[-2], k.shape[-2], (y_bar * y).sum(-1) - log_bar
    q, k, v, y_bar = (_filled(x, block) for x in (q, k, v, y_bar))
    mask, per_row = _filled_mask(mask, block), _filled(jnp.stack([logarithm, centre], -1), block)

    def row(bars: Any, i: Any) -> Any:
        rows, rows_bar, numbers = _at(q, i, block) * scale, _at(y_bar, i, block), _at(per_row, i, block)

        def meet(j: Any, bars: Any) -> Any:
            q_bar, k_bar, v_bar = bars
            p = jnp.exp(_scores(rows, k, mask, i, j, band, block, keys) - numbers[..., :1])
            s_bar = p * (rows_bar @ jnp.swapaxes(_at(v, j, block), -1, -2) - numbers[..., 1:])
            k_bar = _added(k_bar, jnp.swapaxes(s_bar, -1, -2) @ rows, j, block)
            v_bar = _added(v_bar, jnp.swapaxes(p, -1, -2) @ rows_bar, j, block)
            return q_bar + s_bar @ _at(k, j, block), k_bar, v_bar

        q_bar, *bars = lax.fori_loop(*_seen(i, band, block, keys), meet, (jnp.zeros_like(rows), *bars))
        return tuple(bars), q_bar * scale

    first = jnp.zeros_like(k), jnp.zeros_like(v)
    (k_bar, v_bar), q_bar = lax.scan(row, first, jnp.arange(q.shape[-2] // block))
    return _joined(q_bar)[..., :length, :], k_bar[..., :keys, :], v_bar[..., :keys, :]


def _filled(x: Any, block: int, axis: int = -2) -> Any:
    """Zeros behind the rows, up to a whole number of blocks and at least one."""
    missing = -x.shape[axis] % block if x.shape[axis] else block
    return jnp.pad(x, [(0, missing if a == x.ndim + axis else 0) for a in range(x.ndim)])


def _filled_mask(mask: Any, block: int) -> Any:
    return _filled(_filled(mask[0], block), block, -1) if mask else None


def _at(x: Any, i: Any, block: int) -> Any:
    return lax.dynamic_slice_in_dim(x, i * block, block, -2)


def _added(x: Any, share: Any, j: Any, block: int) -> Any:
    return lax.dynamic_update_slice_in_dim(x, _at(x, j, block) + share, j * block, -2)


def _joined(blocks: Any) -> Any:
    """(blocks, …, block, k) as (…, T, k)."""
    moved = jnp.moveaxis(blocks, 0, -3)
    return moved.reshape(*moved.shape[:-3], moved.shape[-3] * moved.shape[-2], moved.shape[-1])


def _seen(i: Any, band: Band, block: int, keys: int) -> tuple[Any, Any]:
    """The first block of keys that some query of block i sees, and the one behind the last."""
    low, high = band
    first = 0 if low is None else jnp.maximum((i * block + low) // block, 0)
    behind = -(-keys // block)
    return first, behind if high is None else jnp.minimum((i * block + block - 1 + high) // block + 1, behind)


def _scores(rows: Any, k: Any, mask: Any, i: Any, j: Any, band: Band, block: int, keys: int) -> Any:
    """The scores of one block, −∞ where nothing is seen."""
    s = rows @ jnp.swapaxes(_at(k, j, block), -1, -2)
    column = j * block + jnp.arange(block)
    distance = column - (i * block + jnp.arange(block))[:, None]
    visible = jnp.broadcast_to(column < keys, distance.shape)
    if band[0] is not None:
        visible &= distance >= band[0]
    if band[1] is not None:
        visible &= distance <= band[1]
    if mask is not None:
        visible = visible & lax.dynamic_slice_in_dim(_at(mask, i, block), j * block, block, -1)
    return jnp.where(visible, s, -jnp.inf)


def _finite(top: Any) -> Any:
    """A largest score, and 0 where there is none."""
    return jnp.where(jnp.isfinite(top), top, 0.0)


@partial(jax.jit, static_argnames=("scale", "band"))
def masked_softmax(s: Any, *mask: Any, scale: float, band: Band, out: Any = None) -> Any:
    """softmax(scale · s) over what each query sees; 0 where it sees nothing."""
    visible = jnp.ones(s.shape[-2:], bool)
    visible = visible if band[0] is None else jnp.triu(visible, band[0])
    visible = visible if band[1] is None else jnp.tril(visible, band[1])
    visible = jnp.broadcast_to(mask[0] & visible if mask else visible, s.shape)
    return jax.nn.softmax(s * scale, axis=-1, where=visible) if s.shape[-1] else s


KERNELS = {"masked_softmax": masked_softmax, "attention": attention, "attention_back": attention_back}
