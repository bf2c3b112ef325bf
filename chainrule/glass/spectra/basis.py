"""Orthonormal vectors that grow in number: what all Lanczos processes share."""

from __future__ import annotations

import numpy as np

GONE = 1e-10
"""Share of the scale below which what is left of a vector is rounding, and no direction."""


class Basis:
    """Orthonormal vectors of n numbers, the rows of Q; there is room for twice as many each time it runs out."""

    def __init__(self, n: int) -> None:
        self._room = np.empty((8, n))
        self.count = 0

    @property
    def rows(self) -> np.ndarray:
        """Q, shape (count, n)."""
        return self._room[: self.count]

    def add(self, v: np.ndarray) -> None:
        """One more unit vector, orthogonal to all others."""
        if self.count == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[self.count] = v
        self.count += 1

    def remainder(self, z: np.ndarray) -> np.ndarray:
        """(1 − Qᵀ Q) z, taken twice: after the second time it is orthogonal to rounding.

        "Twice is enough": Kahan, in Parlett (1980), The Symmetric Eigenvalue Problem, §6.9.
        """
        z = z - (self.rows @ z) @ self.rows
        return z - (self.rows @ z) @ self.rows

    def outside(self, z: np.ndarray, scale: float) -> np.ndarray | None:
        """The unit vector along (1 − Qᵀ Q) z; None where no more is left than rounding of numbers of this scale."""
        z = self.remainder(z)
        length = float(np.linalg.norm(z))
        return z / length if length > GONE * scale else None


def random_direction(draw: np.random.Generator, n: int) -> np.ndarray:
    """A unit vector, all directions equally likely."""
    v = draw.standard_normal(n)
    return v / np.linalg.norm(v)


def largest_outside(basis: Basis, waiting: list[tuple[int, np.ndarray]], vectors: np.ndarray) -> float:
    """The largest residual of the columns y of `vectors`: ‖(1 − Qᵀ Q) Σ yᵢ wᵢ‖ over what waits, pairs of i and wᵢ."""
    which = [i for i, _ in waiting]
    W = np.stack([basis.remainder(w) for _, w in waiting])
    return float(np.linalg.norm(vectors[which].T @ W, axis=1).max())
