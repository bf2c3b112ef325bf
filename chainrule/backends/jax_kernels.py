"""Kernels that JAX writes otherwise than NumPy, for its arrays never change. Each equals the generic one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.backends import jax_attention, jax_convolution, jax_recurrence, jax_skip_recurrence
from chainrule.backends.jax_names import available


def astype(x: Any, *, dtype: Any, out: Any = None) -> Any:
    """The same numbers in another dtype; integers as wide as JAX has them."""
    return x.astype(available(dtype))


def sigmoid(x: Any, *, out: Any = None) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return jax.nn.sigmoid(x)


def raise_to(x: Any, *, exponent: float, out: Any = None) -> Any:
    """xⁿ for a number n."""
    return x**exponent


def step(x: Any, *, out: Any = None) -> Any:
    """1 where x ≥ 0, else 0."""
    return (x >= 0).astype(x.dtype)


def step_strict(x: Any, *, out: Any = None) -> Any:
    """1 where x > 0, else 0."""
    return (x > 0).astype(x.dtype)


def pick(x: Any, labels: Any, *, out: Any = None) -> Any:
    """The entry of each row at its label."""
    return jnp.take_along_axis(x, labels[..., None], -1)[..., 0]


def place(y: Any, labels: Any, *, n: int, out: Any = None) -> Any:
    """Rows of zeros with y at the label."""
    return jnp.where(labels[..., None] == jnp.arange(n), y[..., None], jnp.zeros((), y.dtype))


def softmax_cross_entropy_back(y_bar: Any, z: Any, labels: Any, *, out: Any = None) -> Any:
    """(softmax z − 1 at the label) ȳ."""
    hot = jax.nn.one_hot(labels, z.shape[-1], dtype=z.dtype)
    return (jax.nn.softmax(z, axis=-1) - hot) * y_bar[..., None]


def softmax_cross_entropy(z: Any, labels: Any, *, out: Any = None) -> Any:
    """ln Σ eᶻ − z at the label, a row."""
    return jax.nn.logsumexp(z, axis=-1) - pick(z, labels)


def clamped_log(x: Any, *, out: Any = None) -> Any:
    """max(ln x, −100)."""
    return jnp.maximum(jnp.log(x), -100.0)


def place_at(y: Any, *, key: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at `key`."""
    return jnp.zeros(shape, y.dtype).at[key].set(y)


def add_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y added at the indices."""
    return jnp.zeros(shape, y.dtype).at[indices].add(y)


def _is_last(indices: Any, shape: tuple[int, ...]) -> Any:
    """Whether each place is named for the last time."""
    order = jnp.arange(indices[0].size).reshape(indices[0].shape)
    last = jnp.full(shape[: len(indices)], -1).at[indices].max(order)
    return last[indices] == order


def take_last(x: Any, *indices: Any, out: Any = None) -> Any:
    """The entries of x at the indices, and 0 for an entry that a later index names again."""
    wins = _is_last(indices, x.shape)
    return x[indices] * wins.reshape((*wins.shape, *[1] * (x.ndim - len(indices)))).astype(x.dtype)


def put_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at the indices; of entries named twice the last one counts."""
    wins = _is_last(indices, shape)
    given = y * wins.reshape((*wins.shape, *[1] * (y.ndim - wins.ndim))).astype(y.dtype)
    return add_at(given, *indices, shape=shape)


def logcumsumexp(x: Any, *, axis: int, out: Any = None) -> Any:
    """ln Σ eˣ of the entries so far."""
    return jax.lax.cumlogsumexp(x, axis % x.ndim)


def top_positions(x: Any, *, k: int, axis: int, out: Any = None) -> Any:
    """Positions of the k largest entries, the largest first."""
    return jnp.moveaxis(jax.lax.top_k(jnp.moveaxis(x, axis, -1), k)[1], -1, axis).astype(available(np.int64))


def turn(x: Any, w: Any, *, interleaved: bool, back: bool = False, out: Any = None) -> Any:
    """Pairs of entries multiplied as complex numbers, by the conjugate with `back`."""
    half = x.shape[-1] // 2
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    c, d = (w[..., ::2], w[..., 1::2]) if interleaved else (w[..., :half], w[..., half:])
    d = -d if back else d
    real, imaginary = a * c - b * d, a * d + b * c
    return jnp.stack([real, imaginary], -1).reshape(x.shape) if interleaved else jnp.concatenate([real, imaginary], -1)


KERNELS = {
    "astype": astype,
    "discretise": astype,
    "sigmoid": sigmoid,
    "raise_to": raise_to,
    "step": step,
    "step_strict": step_strict,
    "pick": pick,
    "place": place,
    "softmax_cross_entropy": softmax_cross_entropy,
    "softmax_cross_entropy_back": softmax_cross_entropy_back,
    "clamped_log": clamped_log,
    "place_at": place_at,
    "add_at": add_at,
    "take_last": take_last,
    "put_at": put_at,
    "turn": turn,
    "logcumsumexp": logcumsumexp,
    "top_positions": top_positions,
    **jax_convolution.KERNELS,
    **jax_recurrence.KERNELS,
    **jax_skip_recurrence.KERNELS,
    **jax_attention.KERNELS,
}
