"""What an array library must offer to be a backend, and which backend an array belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.base.errors import DtypeError

Array = Any
"""An array of some library; Chainrule owns no array type."""


@dataclass(frozen=True)
class Backend:
    """One array library: its function namespace, its conversions, and the kernels it does better.

    A kernel is written once, as a function of arrays in terms of `xp(x).name(...)`. `kernels` maps the name of
    a primitive to a kernel of this backend that replaces the generic one.
    """

    name: str
    array_types: tuple[type, ...]
    xp: Any
    asarray: Callable[..., Array]
    to_numpy: Callable[[Array], Any]
    kernels: Mapping[str, Callable[..., Array]] = field(default_factory=dict)


_backends: list[Backend] = []
_by_type: dict[type, Backend] = {}


def register(backend: Backend) -> None:
    """Make a backend known, so that its arrays are recognised."""
    _backends.append(backend)


def backend_of(array: Array) -> Backend:
    """The backend that an array belongs to.

    Raises:
        DtypeError: the object is no array of a known library.
    """
    kind = type(array)
    if kind not in _by_type:
        _by_type[kind] = _find(kind)
    return _by_type[kind]


def is_array(value: object) -> bool:
    """Whether a value is an array of a known library."""
    return type(value) in _by_type or any(issubclass(type(value), b.array_types) for b in _backends)


def xp(array: Array) -> Any:
    """The function namespace for an array: `xp(x).tanh(x)` works on arrays of every backend."""
    return backend_of(array).xp


def into(out: Array | None, result: Array) -> Array:
    """The result as it is, or copied into `out` where a kernel was given one."""
    if out is None:
        return result
    out[...] = result
    return out


def _find(kind: type) -> Backend:
    for backend in _backends:
        if issubclass(kind, backend.array_types):
            return backend
    known = ", ".join(backend.name for backend in _backends)
    raise DtypeError(
        f"{kind.__name__} is not an array that a backend knows.",
        known=known,
        fix="cr.tensor(value), or numpy.asarray(value)",
    )
