"""NumPy: the default backend, always there."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends.interface import Backend


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


NUMPY = Backend(
    name="numpy",
    array_types=(np.ndarray, np.generic),
    xp=np,
    asarray=np.asarray,
    to_numpy=np.asarray,
    kernels={"broadcast_to": broadcast_to, "erf": erf, "erfc": erfc},
)
