"""The gradient noise scale: the batch size beyond which more examples make a step hardly better.

McCandlish, Kaplan, Amodei et al. (2018), An Empirical Model of Large-Batch Training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from chainrule.base.errors import DataError
from chainrule.glass.spectra.surface import Surface
from chainrule.metrics import Interval
from chainrule.metrics.intervals import check_confidence
from chainrule.nn import Module


@dataclass(frozen=True)
class NoiseScale:
    """The simple noise scale B = tr Σ / |G|², in examples.

    Σ is the covariance of one example's gradient, G the gradient over all examples there are: a batch of B examples
    has as much noise as signal. `trace` and `squared_gradient` estimate tr Σ and |G|² without bias, so
    that the second can come out below zero where G is small; B is then infinite, as far as these examples can tell.
    """

    trace: float
    squared_gradient: float
    interval: Interval

    @property
    def value(self) -> float:
        """B, in examples."""
        return self.interval.estimate


def gradient_noise_scale(
    model: Module, data: Any, loss: Callable[..., Any] | str | None = None, confidence: float = 0.95
) -> NoiseScale:
    """B = tr Σ / |G|² of a model's loss, from the gradients gᵢ of n examples.

        |G|² ≈ 1/(n(n−1)) Σ_{i≠j} gᵢ·gⱼ        tr Σ ≈ 1/n Σ ‖gᵢ‖² − |G|²

    The interval holds all B for which tr Σ − B |G|² is no further from zero than chance (Fieller 1954), with the
    variances of the jackknife; it has no upper end where |G|² cannot be told from zero, and no lower one either where
    the estimate of |G|² is below zero. What it takes are the norms ‖gᵢ‖², and gᵢ·Σgⱼ, which is one pass forward, so
    that the gradients need not be held together. The loss is the mean over the examples; parameters that learn,
    float64, evaluation mode; `data` and `loss` as for `cr.fit`. McCandlish et al. (2018), (2.9).

    Raises:
        DataError: fewer than 3 examples.
        OptionError: confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    surface = Surface(model, data, loss)
    n = len(surface.x)
    if n < 3:
        raise DataError(f"The noise of a gradient needs 3 examples or more, got {n}.")
    norms, along = surface.squared_norms(), n * surface.slopes(surface.gradient())
    squares, products = _sums(norms.sum(), along.sum(), n)
    left_out = _sums(norms.sum() - norms, along.sum() - 2 * along + norms, n - 1)  # each example in turn
    spread = (n - 1) ** 2 / n * np.cov(np.stack(left_out))  # the jackknife's covariance of the two
    return _noise_scale(float(squares), float(products), spread, confidence)


def noise_scale_of_batches(
    small: Any, large: Any, small_size: int, large_size: int, confidence: float = 0.95
) -> NoiseScale:
    """B from squared gradient norms of small and of large batches, as data-parallel training has them at no cost.

        |G|² ≈ (b₂|g₂|² − b₁|g₁|²)/(b₂ − b₁)        tr Σ ≈ (|g₁|² − |g₂|²)/(1/b₁ − 1/b₂)

    `small` and `large` are |g₁|² and |g₂|², shape (pairs,), of batches of b₁ < b₂ examples. McCandlish et al. (2018),
    appendix A.1. The interval is Fieller's over the pairs, which count as independent.

    Raises:
        DataError: fewer than 2 pairs, unequal numbers of them, or sizes that do not grow.
        OptionError: confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    first, second = np.ravel(np.asarray(small, np.float64)), np.ravel(np.asarray(large, np.float64))
    if len(first) != len(second) or len(first) < 2:
        raise DataError(f"The noise scale needs 2 pairs or more, got {len(first)} small and {len(second)} large ones.")
    if not 1 <= small_size < large_size:
        raise DataError(f"The large batches must be larger than the small ones, got {small_size} and {large_size}.")
    products = (large_size * second - small_size * first) / (large_size - small_size)
    squares = (first - second) / (1 / small_size - 1 / large_size)
    spread = np.cov(np.stack([squares, products])) / len(first)
    return _noise_scale(float(squares.mean()), float(products.mean()), spread, confidence)


def _sums(norms: Any, products: Any, n: int) -> tuple[Any, Any]:
    """tr Σ and |G|² without bias, from Σ ‖gᵢ‖² and Σᵢⱼ gᵢ·gⱼ of n examples."""
    squared_gradient = (products - norms) / (n * (n - 1))
    return norms / n - squared_gradient, squared_gradient


def _noise_scale(trace: float, squared: float, spread: np.ndarray, confidence: float) -> NoiseScale:
    value = trace / squared if squared > 0 else float("inf")
    low, high = _fieller(trace, squared, spread, NormalDist().inv_cdf((1 + confidence) / 2))
    return NoiseScale(trace, squared, Interval(value, low, high, confidence))


def _fieller(a: float, b: float, spread: np.ndarray, z: float) -> tuple[float, float]:
    """The r ≥ 0 with (a − r b)² ≤ z² Var(a − r b): between the roots of a quadratic, or above the lower one."""
    quadratic, constant = b * b - z * z * spread[1, 1], a * a - z * z * spread[0, 0]
    roots = np.roots([quadratic, -2 * (a * b - z * z * spread[0, 1]), constant]).real
    if quadratic > 0 and b > 0:
        return max(0.0, float(roots.min())), float(roots.max())
    above = quadratic <= 0 < constant  # |G|² cannot be told from zero, but tr Σ can
    return (max(0.0, float(roots.max())) if above else 0.0), float("inf")
