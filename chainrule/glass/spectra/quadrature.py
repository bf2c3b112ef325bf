"""The density of all eigenvalues of a matrix that is known only by its products: stochastic Lanczos quadrature.

Golub & Welsch (1969); Ubaru, Chen & Saad (2017); on Hessians of networks Ghorbani, Krishnan & Xiao (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.keys import Key
from chainrule.glass.spectra.lanczos import tridiagonal
from chainrule.glass.spectra.trace import sign_vector
from chainrule.metrics import Interval, mean_interval

SHARE = 0.01
"""The usual width of the smoothing, as a share of the spectrum's length."""


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """φ(λ) ≈ Σ wᵢ δ(λ − λᵢ), the share of eigenvalues at λ: nodes λ and weights w, one row a probe.

    The weights of a row sum to one. The quadrature of a probe v with s nodes gives vᵀ Aᵖ v / n exactly for powers
    p ≤ 2s − 1, so that the moments are those of Hutchinson's estimate with the same probes. `size` is n, the number of
    eigenvalues. Where a probe's space closes early the last nodes are 0 and weigh nothing.
    """

    nodes: np.ndarray
    weights: np.ndarray
    size: int

    def density(self, grid: Any, width: float | None = None) -> np.ndarray:
        """φ smoothed by a normal distribution of standard deviation `width`, at the points of a grid.

        Its integral over all λ is one. Left out, the width is a hundredth of the spectrum's length.
        """
        grid = np.asarray(grid, dtype=np.float64)
        weighty = self.nodes[self.weights > 0]
        width = width or SHARE * float(np.ptp(weighty)) or SHARE
        heights = np.exp(-0.5 * ((grid[..., None] - self.nodes.ravel()) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        return heights @ self.weights.ravel() / len(self.weights)

    def moment(self, power: int, confidence: float = 0.95) -> Interval:
        """The mean of the eigenvalues' p-th powers, tr Aᵖ / n, with Student's interval over the probes."""
        return mean_interval((self.weights * self.nodes**power).sum(axis=1), confidence)


def spectral_quadrature(
    times: Callable[[np.ndarray], np.ndarray], n: int, probes: int, steps: int, key: Key
) -> SpectralDensity:
    """The spectral density of a symmetric A (n, n) from v ↦ A v, by `steps` products for each of the probes.

    From a random unit vector Lanczos gives T = Q diag(λ) Qᵀ; the λ are the nodes of a Gaussian quadrature, the squares
    of Q's first row its weights. Probes are random signs, those of `hutchinson` with the same key.
    """
    steps = min(steps, n)
    rows = [_nodes_and_weights(times, sign_vector(key, i, n), steps) for i in range(probes)]
    nodes, weights = (np.stack(columns) for columns in zip(*rows, strict=True))
    return SpectralDensity(nodes, weights, n)


def _nodes_and_weights(times: Callable[..., Any], start: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(tridiagonal(times, start, steps))
    rest = np.zeros(steps - len(values))
    return np.r_[values, rest], np.r_[vectors[0] ** 2, rest]
