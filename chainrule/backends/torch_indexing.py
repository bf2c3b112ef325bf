"""Kernels of PyTorch for reading and writing at places; see `chainrule.ops.indexing`."""

from __future__ import annotations

from math import prod
from typing import Any

import torch

from chainrule.backends.interface import into


def index(x: Any, *, key: Any, out: Any = None) -> Any:
    """x[key] for numbers and slices; PyTorch has no steps backwards, so such an axis is turned around first."""
    x, key = _forwards(x, key)
    return into(out, x[key])


def place_at(y: Any, *, key: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at `key`."""
    turned, forwards = _forwards(y.new_zeros(shape), key)
    turned[forwards] = y
    return into(out, _back(turned, key))


def _parts(ndim: int, key: Any) -> list[tuple[Any, int]]:
    """The parts of a key with the axis that each is about."""
    parts = list(key) if isinstance(key, tuple) else [key]
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    spelled = []
    for part in parts:
        spelled += [slice(None)] * (ndim - named) if part is Ellipsis else [part]
    axis, result = 0, []
    for part in spelled:
        result.append((part, axis))
        axis += part is not None
    return result


def _backward_axes(ndim: int, key: Any) -> list[int]:
    return [a for part, a in _parts(ndim, key) if isinstance(part, slice) and part.step is not None and part.step < 0]


def _forwards(x: Any, key: Any) -> tuple[Any, Any]:
    """x with the axes turned around that the key goes backwards along, and the key that goes forwards."""
    axes = _backward_axes(x.ndim, key)
    if not axes:
        return x, key
    parts = _parts(x.ndim, key)
    turned = (_mirrored(p, x.shape[a]) if a in axes and isinstance(p, slice) else p for p, a in parts)
    return torch.flip(x, axes), tuple(turned)


def _back(turned: Any, key: Any) -> Any:
    axes = _backward_axes(turned.ndim, key)
    return torch.flip(turned, axes) if axes else turned


def _mirrored(part: slice, n: int) -> slice:
    """The slice forwards over the mirrored axis that takes the same entries in the same order."""
    places = range(n)[part]
    if not places:
        return slice(0, 0)
    return slice(n - 1 - places[0], n - places[-1], -places.step)


def take_at(x: Any, *indices: Any, out: Any = None) -> Any:
    """The entries of x at index arrays for its first axes."""
    return into(out, _at(x, indices))


def _at(x: Any, indices: Any) -> Any:
    """x[indices], which PyTorch would read on the host where an index array has no axes."""
    return torch.ops.aten.index(x, list(indices))


def _places(indices: Any, shape: tuple[int, ...]) -> Any:
    """The positions in the flattened leading axes, as one vector."""
    place: Any = 0
    for i, n in zip(indices, shape, strict=False):
        place = place * n + torch.where(i < 0, i + n, i)
    return place.reshape(-1).long()


def _is_last(places: Any, n: int) -> Any:
    """Whether each place is named for the last time."""
    order = torch.arange(places.shape[0], device=places.device)
    last = order.new_full((n,), -1).scatter_reduce_(0, places, order, "amax")
    return last[places] == order


def add_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y added at the indices."""
    k = len(indices)
    rows = y.new_zeros((prod(shape[:k]), prod(shape[k:])))
    rows.index_add_(0, _places(indices, shape), y.reshape((prod(indices[0].shape), rows.shape[1])))
    return into(out, rows.reshape(shape))


def take_last(x: Any, *indices: Any, out: Any = None) -> Any:
    """The entries of x at the indices, and 0 for an entry that a later index names again."""
    k = len(indices)
    wins = _is_last(_places(indices, x.shape), prod(x.shape[:k])).reshape(indices[0].shape)
    return into(out, _at(x, indices) * wins.reshape((*wins.shape, *[1] * (x.ndim - k))).to(x.dtype))


def put_at(y: Any, *indices: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """Zeros of `shape` with y at the indices; of entries named twice the last one counts."""
    k, places = len(indices), _places(indices, shape)
    rows = y.new_zeros((prod(shape[:k]), prod(shape[k:])))
    wins = _is_last(places, len(rows))
    given = y.reshape((prod(indices[0].shape), rows.shape[1]))
    return into(out, rows.index_add_(0, places, given * wins[:, None].to(y.dtype)).reshape(shape))


KERNELS = {
    "index": index,
    "place_at": place_at,
    "take_at": take_at,
    "add_at": add_at,
    "take_last": take_last,
    "put_at": put_at,
}
