"""The largest singular values of a matrix that is known only by its products: Golub-Kahan-Lanczos.

Golub & Kahan (1965); Golub & Van Loan, Matrix Computations (4th ed.), §10.4.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.base.keys import Key
from chainrule.glass.spectra.basis import Basis, largest_outside, random_direction

TOLERANCE = 1e-8
"""Residual, as a share of the largest value, at which a value counts as found; its error is then smaller."""

Product = Callable[[np.ndarray], np.ndarray]


def largest_singular_values(times: Product, transposed: Product, m: int, n: int, k: int, key: Key) -> np.ndarray:
    """The k largest singular values of A (m, n), descending, from v ↦ A v and u ↦ Aᵀ u.

    Bidiagonalisation with full reorthogonalisation, A V = U B: each step multiplies the newest right vector by A,
    and the newest left one by Aᵀ, and what lies outside the vectors so far becomes the next. The singular values of B
    approach those of A, the largest first; σ of B with left vector p has the residual ‖(1 − V Vᵀ) Aᵀ U p‖.

    The space that grows from one start holds one vector of each singular value, so that a value which is there twice
    is found once. So, when all k are found, a random direction is added and followed as long as the first one was,
    until that changes none of them.
    """
    draw = (key / "golub-kahan").generator()
    V, U, B = Basis(n), Basis(m), np.empty((0, 0))
    waiting: list[tuple[int, np.ndarray]] = []  # what Aᵀ uᵢ has outside V, with i
    following, found, goal, first, scale = random_direction(draw, n), None, k, 0, 0.0
    while V.count < n:
        v = following if following is not None else V.outside(waiting.pop()[1], scale)
        following = None
        if v is not None:
            V.add(v)
            z = times(v)
            scale = max(scale, float(np.linalg.norm(z)))
            u, B = U.outside(z, scale), np.column_stack([B, U.rows @ z])
            if u is not None:
                U.add(u)
                B = np.vstack([B, np.r_[np.zeros(B.shape[1] - 1), u @ z]])
                waiting.append((len(B) - 1, transposed(u)))
        if waiting and V.count < goal:
            continue
        P, sigma, _ = np.linalg.svd(B)
        top = np.r_[sigma, np.zeros(k)][:k]
        if waiting and largest_outside(V, waiting, P[:, :k]) > TOLERANCE * top[0]:
            goal = V.count + 1 + V.count // 10  # looking costs a decomposition of B
            continue
        followed = V.count >= goal or not waiting
        if found is not None and followed and np.abs(top - found).max() <= TOLERANCE * top[0]:
            return top
        first = first or V.count
        found, goal = top, V.count + first
        following = V.outside(random_direction(draw, n), 1.0)
    return np.r_[np.linalg.svd(B, compute_uv=False), np.zeros(k)][:k]
