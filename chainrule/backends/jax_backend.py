"""JAX, on the CPU, GPUs and TPUs. Arrays never change: kernels give new ones, whatever `out=` they are given.

Inside `jax.jit` the arrays are tracers; they run through the same kernels, so that a whole step is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from chainrule.backends.interface import Backend, backend_of, is_array
from chainrule.backends.jax_kernels import KERNELS
from chainrule.backends.jax_names import Names, available
from chainrule.backends.neutral import LIKE_NUMPY
from chainrule.base.errors import OptionError


def asarray(values: Any, dtype: Any = None, device: str | None = None) -> jax.Array:
    """Values of any library as an array of JAX."""
    if isinstance(values, jax.Array):
        array = values if dtype is None else values.astype(available(dtype))
    else:
        host = backend_of(values).to_numpy(values) if is_array(values) else np.asarray(values)
        array = jnp.array(host, available(host.dtype if dtype is None else dtype))
    if device is None or isinstance(array, Tracer) or device_of(array) == device:
        return array
    return jax.device_put(array, _device(device))


def device_of(x: Any) -> str:
    """Platform and number, as "gpu:0"; what is traced has no device yet and goes where the others are."""
    if isinstance(x, Tracer):
        return _full(jax.devices()[0])
    return _full(min(x.devices(), key=lambda device: device.id))


def device_named(name: str | None) -> str:
    """A device of this machine under its full name.

    Raises:
        OptionError: JAX finds no such device here.
    """
    return _full(jax.devices()[0] if name is None else _device(name))


def _device(name: str) -> Any:
    platform, _, number = name.partition(":")
    try:
        return jax.devices(platform)[int(number or 0)]
    except (RuntimeError, ValueError, IndexError):
        here = ", ".join(_full(d) for d in jax.devices())
        raise OptionError(f"JAX finds no device {name!r} on this machine.", known=here) from None


def _full(device: Any) -> str:
    return f"{device.platform}:{device.id}"


def is_known(x: Any) -> bool:
    """Whether an array has numbers already, which a traced one has not."""
    return not isinstance(x, Tracer)


def on_host(primitive: Any) -> Callable[..., Any]:
    """The kernel of a primitive for NumPy, called back from where JAX computes, also inside `jax.jit`."""

    def by_numpy(*args: Any, out: Any = None, **params: Any) -> Any:
        kernel = primitive._kernels.get(np.ndarray) or primitive.kernel_for(np.ndarray, np.empty(0))
        spec = primitive.spec(*args, **params)

        def called(*arrays: Any) -> Any:
            y = kernel(*map(np.asarray, arrays), **params)
            return tuple(map(_narrowed, y)) if type(y) is tuple else _narrowed(y)

        if all(map(is_known, args)):
            return jax.tree.map(jnp.asarray, called(*args))
        shapes = jax.tree.map(lambda s: jax.ShapeDtypeStruct(s.shape, available(s.dtype)), spec)
        return jax.pure_callback(called, shapes, *args)

    return by_numpy


def _narrowed(y: Any) -> Any:
    return np.asarray(y, available(y.dtype))


JAX = Backend(
    name="jax",
    array_types=(jax.Array, Tracer),
    xp=Names(),
    asarray=asarray,
    to_numpy=np.asarray,
    kernels=KERNELS,
    device_of=device_of,
    device_named=device_named,
    is_known=is_known,
    in_place=False,
    generic=LIKE_NUMPY,
    on_host=on_host,
)
