"""What an array library must offer to be a backend, and which backend an array belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.base.errors import DtypeError, OptionError

Array = Any
"""An array of some library; Chainrule owns no array type."""


@dataclass(frozen=True)
class Backend:
    """One array library: its function namespace, its conversions, and the kernels it does better.

    A kernel is written once, as a function of arrays in terms of `xp(x).name(...)` with NumPy's names and
    `out=`. `kernels` maps the name of a primitive to a kernel of this backend that replaces the generic one.
    """

    name: str
    array_types: tuple[type, ...]
    xp: Any
    asarray: Callable[..., Array]
    """`asarray(values, dtype=None, device=None)`: values of any library here, as they are where they fit."""
    to_numpy: Callable[[Array], Any]
    kernels: Mapping[str, Callable[..., Array]] = field(default_factory=dict)
    device_of: Callable[[Array], str] = lambda array: "cpu"
    device_named: Callable[[str | None], str] = lambda name: "cpu"
    """The full name of a device; raises OptionError where this machine has none."""
    prepared: Callable[[Callable[..., Array], Any], Callable[..., Array]] = lambda kernel, primitive: kernel
    """The kernel of a primitive made ready for this library's arrays."""
    is_known: Callable[[Array], bool] = lambda array: True
    """Whether an array has numbers to look at; those that a compiler traces have none."""
    in_place: bool = True
    """Whether arrays can be written to. Where they cannot, kernels ignore `out=`."""
    vendor: Mapping[str, Callable[[Callable[..., Array]], Callable[..., Array]]] = field(default_factory=dict)
    """Makers of kernels that serve some calls, and leave the others to the generic kernel that they are given."""
    repeated: Callable[[np.ndarray, str | None], Array] | None = None
    """An array of NumPy's that is one number repeated, as an array here that takes the room of one number."""
    strided: Callable[..., Array] | None = None
    """`strided(root, shape, strides, offset)`: a view of an array's memory, counted in entries from its first."""
    updates: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Steps of optimisers in one call, by kernel: `update(theta, g, moments, t, **settings)`, in place; where arrays
    cannot be written to, it takes the numbers of the step behind the moments, and gives new theta and moments."""
    jit: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    """Compiles a function of arrays, where the library has a compiler of its own."""
    flat_like: Callable[[Array, int], Array] = lambda array, size: xp(array).empty_like(array, shape=(size,))
    """A flat array of some size in memory of its own, of an array's dtype and on its device, with any numbers in it."""
    chain_writer: Callable[[str], Callable[[], Any] | None] = lambda device: None
    """By device, what makes writers of chains that run there as kernels of their own; None where nothing does."""
    has_graphs: Callable[[str], bool] = lambda device: False
    """Whether a device records kernels that are launched one after the other as a graph, to start them by one call."""
    captured: Callable[[Callable[[], Any], Array], Callable[[], Any]] = lambda run, example: run
    """A run of kernels as one graph, on the device of an array; its first call is the run itself."""
    looking: Callable[[Callable[[Any], Any]], Callable[[Array], Any]] = lambda verify: verify
    """A check of arguments by their numbers, which does not make a device wait for an array that it has seen before."""

    def kernel(self, primitive: Any) -> Callable[..., Array]:
        """The kernel of a primitive for these arrays."""
        kernel = self.kernels.get(primitive.name, primitive.kernel)
        if primitive.name in self.vendor:
            kernel = self.vendor[primitive.name](kernel)
        return self.prepared(kernel, primitive)


EXTRAS = {"torch": "torch_backend.TORCH", "jax": "jax_backend.JAX"}
"""Backends that are imported when the first of their arrays is seen or they are asked for by name."""

_backends: dict[str, Backend] = {}
_by_type: dict[type, Backend | None] = {}


def register(backend: Backend) -> None:
    """Make a backend known, so that its arrays are recognised."""
    _backends[backend.name] = backend
    _by_type.clear()


def backend_named(name: str) -> Backend:
    """The backend of a name, imported if it was not yet.

    Raises:
        OptionError: there is none of this name, or its library is not installed.
    """
    if name in _backends:
        return _backends[name]
    if name not in EXTRAS:
        hint = {"fix": f'cr.use("torch", device="{name}")'} if str(name).split(":")[0] in ("cuda", "gpu") else {}
        raise OptionError(f"There is no backend {name!r}.", known=", ".join(["numpy", *EXTRAS]), **hint)
    if find_spec(name) is None:
        raise OptionError(
            f"The backend {name!r} needs the library {name}, which is not installed.",
            fix=f'pip install "chainrule[{name}]"',
        )
    module, member = EXTRAS[name].split(".")
    register(getattr(import_module(f"chainrule.backends.{module}"), member))
    return _backends[name]


def backend_of(array: Array) -> Backend:
    """The backend that an array belongs to.

    Raises:
        DtypeError: the object is no array of a known library.
    """
    kind = type(array)
    found = _by_type[kind] if kind in _by_type else _find(kind)
    if found is None:
        raise DtypeError(
            f"{kind.__name__} is not an array that a backend knows.",
            known=", ".join(["numpy", *EXTRAS]),
            fix="cr.tensor(value), or numpy.asarray(value)",
        )
    return found


def is_array(value: object) -> bool:
    """Whether a value is an array of a known library."""
    kind = type(value)
    return (_by_type[kind] if kind in _by_type else _find(kind)) is not None


def xp(array: Array) -> Any:
    """The function namespace for an array: `xp(x).tanh(x)` works on arrays of every backend."""
    backend = _by_type.get(type(array))
    return backend.xp if backend is not None else backend_of(array).xp


def into(out: Array | None, result: Array) -> Array:
    """The result as it is, or copied into `out` where a kernel was given one."""
    if out is None:
        return result
    out[...] = result
    return out


def into_each(outs: Sequence[Array] | None, results: tuple[Array, ...]) -> tuple[Array, ...]:
    """The results of a kernel that has several, each as `into` gives it."""
    return results if outs is None else tuple(map(into, outs, results))


def put(place: Array, values: Array) -> Array:
    """An array that held other numbers, with these: itself where arrays can be written to, else a new one."""
    backend = backend_of(place)
    if not backend.in_place:
        return backend.xp.broadcast_to(backend.asarray(values, place.dtype, backend.device_of(place)), place.shape)
    if type(values) is not type(place):
        values = backend.asarray(values, device=backend.device_of(place))
    place[...] = values
    return place


def flat_zeros(array: Array, size: int) -> Array:
    """A flat array of zeros, of an array's dtype and on its device."""
    return put(backend_of(array).flat_like(array, size), 0)


def joint(kinds: Sequence[type]) -> Backend:
    """The backend that computes with arrays of several: NumPy's yield, for they are numbers on the host.

    Raises:
        DtypeError: two other libraries meet.
    """
    found = {backend.name: backend for kind in kinds if (backend := _by_type.get(kind) or _find(kind)) is not None}
    others = [name for name in found if name != "numpy"]
    if len(others) > 1:
        raise DtypeError(
            f"An operation got arrays of two backends, {others[0]} and {others[1]}.",
            fix=f'both in one: model.to("{others[0]}"); with cr.use("{others[0]}"): x = cr.tensor(x)',
        )
    return found[others[0]] if others else found["numpy"]


def together(arrays: Sequence[Array]) -> list[Array]:
    """Arrays in the library and on the device of those that are not NumPy's.

    Raises:
        DtypeError: they belong to two other libraries.
    """
    backend = joint([type(a) for a in arrays])
    kin = [a for a in arrays if backend_of(a) is backend]
    device = backend.device_of(kin[0])
    return [a if isinstance(a, backend.array_types) else readable(a, backend, device) for a in arrays]


def readable(values: Array, backend: Backend, device: str) -> Array:
    """An array for kernels of a backend to read, not to write: one number repeated stays one number."""
    if backend.repeated and isinstance(values, np.ndarray) and values.size > 1 and not any(values.strides):
        return backend.repeated(values, device)
    return backend.asarray(values, device=device)


def on_host(array: Array) -> bool:
    """Whether an array's numbers lie where NumPy can read and write them: its own, and PyTorch's on the CPU."""
    backend = backend_of(array)
    return backend.in_place and backend.device_of(array) == "cpu"


def host_view(array: Array) -> np.ndarray:
    """An array that is `on_host` as NumPy's, in the same memory."""
    return np.asarray(backend_of(array).to_numpy(array))


def looked_at(array: Array) -> np.ndarray | None:
    """The numbers of an array on the host, to check or to decide by; None while a compiler traces it."""
    backend = backend_of(array)
    return np.asarray(backend.to_numpy(array)) if backend.is_known(array) else None


def refuse_mixed_devices(arrays: Sequence[Array]) -> None:
    """One operation takes place on one device.

    Raises:
        DtypeError: the arrays are on several.
    """
    devices = list(dict.fromkeys(backend_of(a).device_of(a) for a in arrays if is_array(a)))
    if len(devices) > 1:
        name = next(backend_of(a).name for a in arrays if is_array(a) and backend_of(a).name != "numpy")
        place = f'"{name}", device="{devices[0]}"'
        raise DtypeError(
            f"An operation got arrays on two devices, {devices[0]} and {devices[1]}.",
            fix=f"both on one: model.to({place}); with cr.use({place}): x = cr.tensor(x)",
        )


def _find(kind: type) -> Backend | None:
    """The backend of a type of arrays; None where it is no array."""
    libraries = {base.__module__.partition(".")[0].replace("jaxlib", "jax") for base in kind.__mro__}
    for name in EXTRAS:
        if name in libraries and name not in _backends:
            backend_named(name)
    found = next((b for b in _backends.values() if issubclass(kind, b.array_types)), None)
    _by_type[kind] = found
    return found


NATIVE = frozenset({np.ndarray, *(kind for kind in np.sctypeDict.values() if isinstance(kind, type))})
"""The types of arrays whose operators and attributes are those that rules are written with: NumPy's own."""
