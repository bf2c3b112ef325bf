"""The default backend and device: where new tensors and parameters are made.

With the interpreter stack the only state that all of the library shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from chainrule.backends.interface import Array, Backend, backend_named, backend_of, is_array
from chainrule.backends.numpy_backend import NUMPY


@dataclass(frozen=True)
class Place:
    """A backend and one of its devices."""

    backend: Backend
    device: str

    def array(self, values: Any, dtype: Any = None) -> Array:
        """The values as an array here; the same one where it is here already."""
        return self.backend.asarray(values, dtype, self.device)

    def __str__(self) -> str:
        return f"{self.backend.name} on {self.device}"


class Default:
    """The place where tensors are made; `chosen` until the user has called `use`."""

    place = Place(NUMPY, "cpu")
    chosen = False


class use:  # noqa: N801 - called as a function, and the result used as a context
    """Make new tensors and parameters with a backend, on a device; from now on, or inside a `with` block.

    `backend` is "numpy", "torch" or "jax". Devices of torch are "cpu", "cuda", "cuda:1"; of JAX "cpu", "gpu",
    "tpu", with a number where there are several. Draws are made by NumPy and then moved, so that equal seeds
    give equal weights and equal data order on every backend.

    JAX has no float64 and int64 unless it is told to: `jax.config.update("jax_enable_x64", True)`, or the
    environment variable JAX_ENABLE_X64=1. Without, integers are int32 and asking for float64 is an error.

    Raises:
        OptionError: there is no such backend or device here, or its library is not installed.

    >>> import chainrule as cr
    >>> with cr.use("numpy"):
    ...     type(cr.zeros(2).data).__name__
    'ndarray'
    """

    def __init__(self, backend: str, device: str | None = None) -> None:
        place = place_named(backend, device)
        self.before = Default.place, Default.chosen
        Default.place, Default.chosen = place, True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        Default.place, Default.chosen = self.before


def placed(values: Any, dtype: Any = None) -> Array:
    """Values in the default place; an array of another library stays where it is until `use` is called."""
    if not Default.chosen and is_array(values):
        return values if dtype is None else place_of(values).array(values, dtype)
    return Default.place.array(values, dtype)


def place_named(backend: str, device: str | None = None) -> Place:
    """The device of a backend, its first one where none is named.

    Raises:
        OptionError: there is no such backend or device here, or its library is not installed.
    """
    found = backend_named(backend)
    return Place(found, found.device_named(device))


def place_of(array: Array) -> Place:
    """The backend and device of an array."""
    backend = backend_of(array)
    return Place(backend, backend.device_of(array))


def is_host(array: Array) -> bool:
    """Whether an array is NumPy's."""
    return isinstance(array, (np.ndarray, np.generic))


def copied(array: Array) -> Array:
    """The numbers of an array in memory of their own, where arrays can be written to."""
    backend = backend_of(array)
    return backend.xp.array(array) if backend.in_place else array
