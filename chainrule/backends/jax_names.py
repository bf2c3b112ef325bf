"""NumPy's functions and dtypes as JAX has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from chainrule.backends.dtypes import as_dtype
from chainrule.backends.jax_linalg import Linalg
from chainrule.base.errors import DtypeError

WIDE = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}
"""What JAX has for the wide dtypes unless they are switched on."""


class Names:
    """NumPy's functions as JAX has them, which take no `out`."""

    erf = staticmethod(lambda x, out=None: special.erf(x))
    erfc = staticmethod(lambda x, out=None: special.erfc(x))
    broadcast_to = staticmethod(jnp.broadcast_to)
    fft = jnp.fft
    linalg = Linalg

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(jnp, name)

        def without_out(*args: Any, out: Any = None, **settings: Any) -> Any:
            return function(*args, **settings)

        setattr(self, name, without_out)
        return without_out


def available(dtype: Any) -> np.dtype:
    """The dtype meant, or the narrow one of its kind for integers where wide dtypes are switched off.

    Raises:
        DtypeError: float64 is asked for and switched off.
    """
    wanted = as_dtype(dtype)
    if wanted.name not in WIDE or jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        return wanted
    if wanted.kind in "fc":
        raise DtypeError(
            f"JAX has {wanted} switched off.",
            fix='jax.config.update("jax_enable_x64", True) at the start, or dtype="float32"',
        )
    return np.dtype(WIDE[wanted.name])
