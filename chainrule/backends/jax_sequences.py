"""What JAX's recurrences share: each is a `lax.scan` over time, compiled once for its shapes and settings.

A step is (…, n, features), all steps are (T, …, n, features). Weights may have axes in front, which then everything
has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


def compiled(*settings: str) -> Callable[..., Any]:
    """Compile a recurrence as a whole, once for each choice of its settings, also outside of the user's `jax.jit`."""
    return partial(jax.jit, static_argnames=settings)


def by_time(x: Any) -> Any:
    """(T, …, n, k) of (…, n, T, k)."""
    return jnp.moveaxis(x, -2, 0)


def by_example(v: Any) -> Any:
    """(…, n, T, k) of (T, …, n, k)."""
    return jnp.moveaxis(v, 0, -2)


def mapped(v: Any, w: Any) -> Any:
    """v wᵀ: v (…, n, m), w (…, k, m)."""
    return v @ jnp.swapaxes(w, -1, -2)


def project(x: Any, w: Any, b: Any) -> Any:
    """x wᵀ + b of all steps in one product."""
    return mapped(by_time(x), w) + b[..., None, :]


def parts(v: Any, n: int) -> list[Any]:
    """(…, n·h) as n parts of (…, h), side by side."""
    return jnp.split(v, n, -1)


def shown_steps(mask: Any) -> Any:
    """Where a step belongs to the sequence: (T, …, n, 1) of a mask (…, n, T), or None."""
    return None if mask is None else by_time(mask[..., None])


def kept(shown: Any, new: Any, old: Any) -> Any:
    """The new value where a step is shown, else the old one."""
    return new if shown is None else jnp.where(shown, new, old)


def run(step: Callable[..., Any], first: Any, steps: Any, reverse: bool) -> tuple[Any, Any]:
    """What a recurrence ends with, and what it gives at every step."""
    return jax.lax.scan(step, first, steps, reverse=reverse)


def before(first: Any, later: Any, reverse: bool) -> Any:
    """The states that the steps started from, of those that they ended with and the first."""
    return jnp.concatenate([later[1:], first[None]] if reverse else [first[None], later[:-1]])


def weight_bar(delta: Any, v: Any) -> Any:
    """Σₜₙ δᵀ v: δ (T, …, n, k), v (T, …, n, m), result (…, k, m)."""
    return jnp.einsum("t...nk,t...nm->...km", delta, v)


def bias_bar(delta: Any) -> Any:
    """Σₜₙ δ."""
    return delta.sum((0, -2))
