"""JAX, on the CPU, GPUs and TPUs. Arrays never change: kernels give new ones, whatever `out=` they are given.

Inside `jax.jit` the arrays are tracers; they run through the same kernels, so that a whole step is compiled.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from chainrule.backends.interface import Backend, backend_of, is_array
from chainrule.backends.jax_kernels import KERNELS
from chainrule.backends.jax_names import Names, available
from chainrule.backends.jax_updates import UPDATES
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
    updates=UPDATES,
    jit=jax.jit,
)
