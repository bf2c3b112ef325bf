"""NumPy's functions of linear algebra as JAX has them, with NumPy's error where a matrix does not allow it.

JAX gives numbers that are not finite there. Inside `jax.jit` that is all that can be done, for nothing is known yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


@jax.jit
def _is_broken(y: Any, *matrices: Any) -> Any:
    """Whether finite numbers gave others."""
    finite = [jnp.isfinite(m).all() for m in matrices]
    return jnp.stack(finite).all() & ~jnp.isfinite(y).all()


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def named(*matrices: Any) -> Any:
        y = function(*matrices)
        if not isinstance(y, Tracer) and _is_broken(y, *matrices):
            raise np.linalg.LinAlgError(f"{function.__name__} of finite numbers is not finite")
        return y

    return named


class Linalg:
    """The namespace; every member is NumPy's function of that name."""

    cholesky = staticmethod(_refusing(jnp.linalg.cholesky))
    det = staticmethod(jnp.linalg.det)
    eigh = staticmethod(jnp.linalg.eigh)
    inv = staticmethod(_refusing(jnp.linalg.inv))
    pinv = staticmethod(jnp.linalg.pinv)
    qr = staticmethod(jnp.linalg.qr)
    slogdet = staticmethod(jnp.linalg.slogdet)
    solve = staticmethod(_refusing(jnp.linalg.solve))
    svd = staticmethod(jnp.linalg.svd)
