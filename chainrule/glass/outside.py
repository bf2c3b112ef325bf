"""What of a vector lies outside the span of orthonormal ones: the step that all Lanczos processes share."""

from __future__ import annotations

import numpy as np

GONE = 1e-10
"""Share of the scale below which what is left of a vector is rounding, and no direction."""


def remainder(Q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(1 − Q Qᵀ) z for orthonormal columns Q, taken twice: after the second time it is orthogonal to rounding.

    "Twice is enough": Kahan, in Parlett (1980), The Symmetric Eigenvalue Problem, §6.9.
    """
    z = z - Q @ (Q.T @ z)
    return z - Q @ (Q.T @ z)


def outside(Q: np.ndarray, z: np.ndarray, scale: float) -> np.ndarray | None:
    """The unit vector along (1 − Q Qᵀ) z; None where no more is left than rounding of numbers of this scale."""
    z = remainder(Q, z)
    length = float(np.linalg.norm(z))
    return z / length if length > GONE * scale else None
