"""What PyTorch's recurrences share. A step is (…, features, n), a buffer of all steps (T, …, features, n).

That way round a gate is one block of memory, and a small batch is the narrow side of every product. Weights may have
axes in front, which then everything has. With `reverse` the last step comes first; buffers stay in order.

The backward passes have the form δ = h̄ ⊙ s with factors s that do not depend on h̄: they are made for many steps at
once, in the buffer that becomes δ, so that a step is a product and a few passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import torch


def columns(x: Any) -> Any:
    """A view (T, …, k, n) of (…, n, T, k)."""
    return x.movedim(-2, 0).mT


def of_columns(v: Any) -> Any:
    """A view (…, n, T, k) of (T, …, k, n)."""
    return v.mT.movedim(0, -2)


def blocks(v: Any, n: int) -> Any:
    """(…, n·h, m) as n views of (…, h, m), one above the other."""
    return v.chunk(n, -2)


def project(x: Any, w: Any, b: Any) -> Any:
    """W x + b of all steps: x (…, n, T, in), W (…, k, in), b (…, k), result (T, …, k, n)."""
    return torch.matmul(w, columns(x)).add_(b[..., None])


def add_product(z: Any, u: Any, h: Any) -> Any:
    """z ← z + U h, of matrices or stacks of them."""
    return z.addmm_(u, h) if z.ndim == 2 else z.add_(torch.matmul(u, h))


def scale(v: Any, factor: Any, extra: Any) -> None:
    """v ← v ⊙ factor + extra, which may be None."""
    v.mul_(factor) if extra is None else torch.addcmul(extra, v, factor, out=v)


def held_steps(mask: Any) -> Any:
    """Where a step leaves the state as it is: (T, …, 1, n) of a mask (…, n, T), or None."""
    return None if mask is None else ~columns(mask[..., None])


def keep(held: Any, new: Any, old: Any) -> None:
    """Write the old state over the new one where it is held."""
    if held is not None:
        torch.where(held, old, new, out=new)


def in_order(reverse: bool, *buffers: Any) -> Iterator[Any]:
    """The steps of several buffers side by side, in the order of computation; None for a buffer that is None."""
    return zip(*(repeat(None) if v is None else v.unbind(0)[:: -1 if reverse else 1] for v in buffers), strict=False)


STRETCH = 16
"""Steps whose factors are made at once: as fast as all of them, and a fraction of the memory."""


def stretches(length: int, last_first: bool) -> list[slice]:
    """The steps in stretches, in the order of computation."""
    parts = [slice(first, first + STRETCH) for first in range(0, length, STRETCH)]
    return parts[::-1] if last_first else parts


def before(first: Any, later: Any, reverse: bool) -> Any:
    """The states (T, …, h, n) that the steps started from, of those that they ended with and the first (…, n, h)."""
    first = first.mT[None]
    return torch.cat([later[1:], first] if reverse else [first, later[:-1]])


def room(h_bar: Any, reverse: bool) -> tuple[Any, Any, Any]:
    """One buffer for h̄ of all states, the first included: that which a step ends with, that which it starts from.

    The third view is h̄₀ (…, n, h), full when the loop has ended. h_bar has the shape (…, n, T, h).
    """
    h_bar = columns(h_bar)
    none = h_bar.new_zeros((1, *h_bar.shape[1:]))
    bars = torch.cat([h_bar, none] if reverse else [none, h_bar])
    return (bars[:-1], bars[1:], bars[-1].mT) if reverse else (bars[1:], bars[:-1], bars[0].mT)


def side_by_side(v: Any) -> Any:
    """(T, …, k, n) as (…, k, T·n): all steps in one matrix."""
    return v.movedim(0, -2).flatten(-2)


def weight_bar(rows: Any, v: Any) -> Any:
    """Σₜₙ δ vᵀ in one product: δ (…, k, T·n), v (T, …, m, n), result (…, k, m)."""
    return torch.matmul(rows, side_by_side(v).mT)


def shown(rows: Any, length: int) -> Any:
    """A view (…, n, T, k) of (…, k, T·n)."""
    return rows.unflatten(-1, (length, -1)).transpose(-1, -3)


def is_nothing(x: Any) -> bool:
    """Whether a tensor is one 0 repeated. To look would stop a GPU: there it was noted when it was sent."""
    if x.device.type != "cpu":
        return getattr(x, "is_nothing", False)
    return x.numel() > 1 and not any(x.stride()) and not x[(0,) * x.ndim]


def given(x: Any) -> Any:
    """The steps of a cotangent, or None where it is nothing."""
    return None if is_nothing(x) else columns(x)
