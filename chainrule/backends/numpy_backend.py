"""NumPy: the default backend, always there."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import numpy_convolution as convolution
from chainrule.backends import numpy_pooling as pooling
from chainrule.backends.interface import Backend, backend_of, is_array
from chainrule.backends.numpy_compiled import compiled
from chainrule.base.errors import OptionError


def asarray(values: Any, dtype: Any = None, device: str | None = None) -> np.ndarray:
    """Values of any library as a NumPy array."""
    if not isinstance(values, (np.ndarray, np.generic)) and is_array(values):
        values = backend_of(values).to_numpy(values)
    return np.asarray(values, dtype)


CACHE_LINE = 64
"""Bytes; also the widest vector."""


def flat_like(x: Any, size: int) -> np.ndarray:
    """A flat array from the beginning of a cache line on, for vectors that lie across two of them cost double."""
    raw = np.empty(size * x.itemsize + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size * x.itemsize].view(x.dtype)


def broadcast_to(x: Any, *, shape: tuple[int, ...], out: Any = None) -> Any:
    """A read-only view with stride 0 along repeated axes; scalars skip NumPy's slow general path."""
    if out is not None:
        np.copyto(out, x)
        return out
    if x.ndim == 0:
        view = np.ndarray(shape, x.dtype, np.asarray(x), 0, (0,) * len(shape))
        view.flags.writeable = False  # it shares the memory of x
        return view
    return np.broadcast_to(x, shape)


def erf(x: Any, *, out: Any = None) -> Any:
    """SciPy's error function; SciPy is imported at first use, for it is slow to load."""
    from scipy.special import erf as scipy_erf

    return scipy_erf(x, out=out)


def erfc(x: Any, *, out: Any = None) -> Any:
    """SciPy's complementary error function."""
    from scipy.special import erfc as scipy_erfc

    return scipy_erfc(x, out=out)


def strided(root: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """A view of an array's memory: entry (i, j, …) lies offset + Σ strides · (i, j, …) entries behind the first."""
    first = np.lib.stride_tricks.as_strided(root, (offset + 1,), (root.itemsize,))[offset:]
    return np.lib.stride_tricks.as_strided(first, shape, [s * root.itemsize for s in strides])


def device_named(name: str | None) -> str:
    """The CPU, the only device there is.

    Raises:
        OptionError: another one is asked for.
    """
    if name not in (None, "cpu"):
        raise OptionError(
            f"NumPy computes on the CPU, it has no device {name!r}.", fix=f'cr.use("torch", device="{name}")'
        )
    return "cpu"


NUMPY = Backend(
    name="numpy",
    array_types=(np.ndarray, np.generic),
    xp=np,
    asarray=asarray,
    to_numpy=np.asarray,
    kernels={
        "broadcast_to": broadcast_to,
        "conv": convolution.conv,
        "conv_transpose": convolution.conv_transpose,
        "conv_weight": convolution.conv_weight,
        "erf": erf,
        "erfc": erfc,
        "fold": pooling.fold,
        "max_pool_spread": pooling.max_pool_spread,
        "pad": pooling.pad,
        "unfold": pooling.unfold,
    },
    device_named=device_named,
    strided=strided,
    flat_like=flat_like,
    prepared=compiled,
)
