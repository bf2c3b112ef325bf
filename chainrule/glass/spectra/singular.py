"""Singular values of a function's Jacobian: from the matrix where it is small, from products where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.base.errors import NumericalError, OptionError
from chainrule.base.keys import Key
from chainrule.core import jacobian, jvp, vjp
from chainrule.glass.spectra.golub_kahan import largest_singular_values
from chainrule.glass.still import plain
from chainrule.ops import reshape

METHODS = ("exact", "lanczos")
SMALL = 256
"""Rows or columns up to which the whole matrix costs less than the products of a Lanczos process."""
LARGEST = 2**25
"""Entries of a matrix that is made unasked: 256 MB in float64."""


def singular_values(
    f: Callable[[Any], Any],
    x: Any,
    k: int | None = None,
    method: Literal["exact", "lanczos"] | None = None,
    *,
    key: Key = Key(0),  # noqa: B008 - a key is a constant
) -> np.ndarray:
    """The singular values of J = ∂f/∂x at x, descending: the k largest, or all of them.

    σ₁ is by how much f can stretch a small change of x, σ₁/σₙ its condition. "exact" makes the matrix and takes NumPy's
    SVD. "lanczos" needs only products J v (`jvp`) and Jᵀ u (`vjp`): Golub-Kahan bidiagonalisation with full
    reorthogonalisation, whose memory is a few vectors for each value. Left out, the method is "exact" for all values
    and for small matrices. x and f(x) are arrays of any shape, x in float64; J has one row for each entry of
    f(x) and one column for each of x. `key` is where the random starts of Lanczos are drawn.

    Raises:
        OptionError: there is no such method; k is out of range; or all values were asked of a matrix that is large.
        NumericalError: f(x) has entries that are NaN or infinite.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.glass.singular_values(lambda x: x * np.array([1.0, -3.0, 2.0]), np.ones(3))
    array([3., 2., 1.])
    """
    x = plain(x)
    y, pull = vjp(lambda v: reshape(f(v), (-1,)), x)
    if not np.isfinite(plain(y)).all():
        raise NumericalError("f(x) has entries that are NaN or infinite, so its Jacobian has no singular values.")
    m, n = y.size, x.size
    if _chosen(method, k, m, n) == "exact":
        J = jacobian(lambda v: reshape(f(v), (-1,)))(x)
        return np.linalg.svd(np.asarray(J).reshape(m, n), compute_uv=False)[:k]

    def times(v: np.ndarray) -> np.ndarray:
        return np.asarray(jvp(f, (x,), (v.reshape(x.shape),))[1]).ravel()

    def transposed(u: np.ndarray) -> np.ndarray:
        return np.asarray(pull(u)[0]).ravel()

    return largest_singular_values(times, transposed, m, n, k or min(m, n), key)


def _chosen(method: str | None, k: int | None, m: int, n: int) -> str:
    if method is not None and method not in METHODS:
        raise OptionError(f"There is no method {method!r}.", known=", ".join(METHODS))
    if k is not None and not (isinstance(k, (int, np.integer)) and 1 <= k <= min(m, n)):
        raise OptionError(f"A Jacobian of {m} × {n} has {min(m, n)} singular values, got k={k!r}.")
    if method is None and k is None and m * n > LARGEST:
        raise OptionError(
            f"All {min(m, n)} singular values need the whole Jacobian of {m} × {n}, {m * n * 8 / 1e9:.1f} GB.",
            fix='k=10 for the largest ones, or method="exact"',
        )
    return method or ("exact" if k is None or min(m, n) <= SMALL else "lanczos")
