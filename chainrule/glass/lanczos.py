"""Lanczos: a large symmetric matrix, known only by its products, seen through a small tridiagonal one.

Lanczos (1950); Golub & Van Loan, Matrix Computations (4th ed.), §10.1-10.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.base.keys import Key
from chainrule.glass.outside import outside, remainder

TOLERANCE = 1e-8
"""Residual, as a share of the largest eigenvalue, at which one counts as found; its error is at most as large."""

Product = Callable[[np.ndarray], np.ndarray]


def tridiagonal(times: Product, start: np.ndarray, steps: int) -> np.ndarray:
    """T = Vᵀ A V for the orthonormal V that grows from a start: its space is that of v, A v, A² v, …

    T has `steps` rows, or fewer where the space is closed under A before that. With full reorthogonalisation:
    every new vector is made orthogonal to all before it, without which found eigenvalues come again.
    """
    V = (start / np.linalg.norm(start))[:, None]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        z = times(V[:, -1])
        diagonal.append(float(V[:, -1] @ z))
        scale = max(map(abs, [*diagonal, *beside]))
        v = outside(V, z, scale)
        if v is None or len(diagonal) == steps:
            return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        beside.append(float(v @ z))
        V = np.column_stack([V, v])


def largest_eigenvalues(times: Product, n: int, k: int, key: Key) -> np.ndarray:
    """The k algebraically largest eigenvalues of a symmetric A (n, n), descending, from v ↦ A v.

    The eigenvalues of T = Vᵀ A V approach those of A, the outermost first; one with vector y has the residual
    ‖(1 − V Vᵀ) A V y‖, and an eigenvalue of A lies no further away than that. A value that is there several times is
    found once from one start: when all k are found, a random direction is added and followed as long as the
    first one was, until that changes none of them.
    """
    draw = (key / "lanczos").generator()
    V, AV = np.empty((n, 0)), np.empty((n, 0))
    waiting: list[tuple[int, np.ndarray]] = []  # what A vᵢ has outside V, with i
    following, found, goal, first, scale = _random(draw, n), None, k, 0, 0.0
    while V.shape[1] < n:
        v = following if following is not None else outside(V, waiting.pop()[1], scale)
        following = None
        if v is not None:
            z = times(v)
            scale = max(scale, float(np.linalg.norm(z)))
            V, AV = np.column_stack([V, v]), np.column_stack([AV, z])
            if np.linalg.norm(remainder(V, z)) > 0:
                waiting.append((V.shape[1] - 1, z))
        j = V.shape[1]
        if j < k and not waiting:
            following = outside(V, _random(draw, n), 1.0)
            continue
        if waiting and j < goal:
            continue
        values, Y = _projected(V, AV)
        top = values[:k]
        if waiting and _residual(waiting, Y[:, :k], V) > TOLERANCE * np.abs(values).max():
            continue
        closed = j >= goal or not waiting
        if found is not None and closed and np.abs(top - found).max() <= TOLERANCE * np.abs(values).max():
            return top
        first = first or j
        found, goal = top, j + first
        following = outside(V, _random(draw, n), 1.0)
    return _projected(V, AV)[0][:k]


def _projected(V: np.ndarray, AV: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, descending, and vectors of Vᵀ A V."""
    T = V.T @ AV
    values, Y = np.linalg.eigh((T + T.T) / 2)
    return values[::-1], Y[:, ::-1]


def _random(draw: np.random.Generator, n: int) -> np.ndarray:
    v = draw.standard_normal(n)
    return v / np.linalg.norm(v)


def _residual(waiting: list[tuple[int, np.ndarray]], Y: np.ndarray, V: np.ndarray) -> float:
    """The largest ‖(1 − V Vᵀ) A V y‖ of the columns y: only what still waits lies outside V."""
    rows = [i for i, _ in waiting]
    W = np.column_stack([remainder(V, w) for _, w in waiting])
    return float(np.linalg.norm(W @ Y[rows], axis=0).max())
