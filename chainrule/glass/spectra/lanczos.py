"""Lanczos: a large symmetric matrix, known only by its products, seen through a small tridiagonal one.

Lanczos (1950); Golub & Van Loan, Matrix Computations (4th ed.), §10.1-10.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.base.keys import Key
from chainrule.glass.spectra.basis import Basis, largest_outside, random_direction

TOLERANCE = 1e-8
"""Residual, as a share of the largest eigenvalue, at which one counts as found; its error is at most as large."""

Product = Callable[[np.ndarray], np.ndarray]


def tridiagonal(times: Product, start: np.ndarray, steps: int) -> np.ndarray:
    """T = Vᵀ A V for the orthonormal V that grows from a start: its space is that of v, A v, A² v, …

    T has `steps` rows, or fewer where the space is closed under A before that. With full reorthogonalisation:
    every new vector is made orthogonal to all before it, without which found eigenvalues come again.
    """
    V, diagonal, beside = Basis(len(start)), [], []
    v, scale = start / np.linalg.norm(start), 0.0
    while True:
        V.add(v)
        z = times(v)
        diagonal.append(float(v @ z))
        scale = max(scale, float(np.linalg.norm(z)))
        v = V.outside(z, scale)
        if v is None or len(diagonal) == steps:
            return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        beside.append(float(v @ z))


def largest_eigenvalues(times: Product, n: int, k: int, key: Key) -> np.ndarray:
    """The k algebraically largest eigenvalues of a symmetric A (n, n), descending, from v ↦ A v.

    The eigenvalues of T = Vᵀ A V approach those of A, the outermost first; one with vector y has the residual
    ‖(1 − V Vᵀ) A V y‖, and an eigenvalue of A lies no further away than that. A value that is there several times is
    found once from one start: when all k are found, a random direction is added and followed as long as the
    first one was, until that changes none of them.
    """
    draw = (key / "lanczos").generator()
    V, T = Basis(n), np.empty((0, 0))
    waiting: list[tuple[int, np.ndarray]] = []  # A vᵢ, of which a part may lie outside V, with i
    following, found, goal, first, scale = random_direction(draw, n), None, k, 0, 0.0
    while V.count < n:
        v = following if following is not None else V.outside(waiting.pop()[1], scale)
        following = None
        if v is not None:
            V.add(v)
            z = times(v)
            scale = max(scale, float(np.linalg.norm(z)))
            T = _bordered(T, V.rows @ z)
            waiting.append((V.count - 1, z))
        if waiting and V.count < goal:
            continue
        if V.count >= k:
            values, Y = np.linalg.eigh(T)
            top, size = values[::-1][:k], TOLERANCE * np.abs(values).max()
            if waiting and largest_outside(V, waiting, Y[:, ::-1][:, :k]) > size:
                goal = V.count + 1 + V.count // 10  # looking costs a decomposition of T
                continue
            followed = V.count >= goal or not waiting
            if found is not None and followed and np.abs(top - found).max() <= size:
                return top
            first = first or V.count
            found, goal = top, V.count + first
        following = V.outside(random_direction(draw, n), 1.0)
    return np.linalg.eigvalsh(T)[::-1][:k]


def _bordered(T: np.ndarray, last: np.ndarray) -> np.ndarray:
    """A symmetric matrix with one more row and column."""
    return np.block([[T, last[:-1, None]], [last[None]]])
