"""How far to trust a score: the interval of one test accuracy, and of a mean over seeds."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chainrule.base.errors import DataError, OptionError


class Interval(NamedTuple):
    """An estimate and the confidence interval around it.

    It prints as per cent, since most of what is reported is an accuracy or an error rate; a format
    specification prints the numbers themselves. Bounds are NaN where one value gives no interval.

    >>> print(Interval(0.978, 0.966, 0.986))
    97.8 % (96.6 to 98.6)
    >>> print(f"{Interval(0.431, 0.402, 0.46):.3f}")
    0.431 (0.402 to 0.460)
    """

    estimate: float
    low: float
    high: float
    confidence: float = 0.95

    def __str__(self) -> str:
        return self.written(".1f", factor=100, unit=" %")

    def __format__(self, specification: str) -> str:
        return self.written(specification) if specification else str(self)

    def written(self, specification: str, *, factor: float = 1.0, unit: str = "") -> str:
        """`estimate unit (low to high)`, each number times `factor` and formatted."""
        estimate, low, high = (format(factor * value, specification) for value in self[:3])
        if math.isnan(self.low):
            return f"{estimate}{unit} (one value, no interval)"
        return f"{estimate}{unit} ({low} to {high})"


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The score interval of a proportion p̂ = successes / n, such as the accuracy on n test examples.

        (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n),   z = Φ⁻¹((1 + confidence)/2)

    Unlike p̂ ± z √(p̂(1 − p̂)/n) it stays inside [0, 1] and does not shrink to a point at 0 or n successes,
    where good classifiers live. It knows the luck of the test sample, not that of the training run; for that
    train with several seeds and use `mean_interval`. Wilson (1927), JASA 22, 209-212.

    Raises:
        DataError: not 0 ≤ successes ≤ n with n ≥ 1.
        OptionError: confidence not between 0 and 1.

    >>> print(wilson_interval(489, 500))
    97.8 % (96.1 to 98.8)
    """
    check_confidence(confidence)
    if n < 1 or not 0 <= successes <= n:
        raise DataError(f"wilson_interval needs 0 ≤ successes ≤ n and n ≥ 1, got {successes} of {n}.")
    p = float(successes / n)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # Rounding must not push a bound past the estimate, nor out of [0, 1].
    return Interval(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), confidence)


def mean_interval(values: ArrayLike, confidence: float = 0.95, bounds: tuple[float, float] | None = None) -> Interval:
    """The mean of n values, one per seed, with Student's interval for it.

        m ± t s/√n,   m = (1/n) Σ xᵢ,   s² = Σ (xᵢ − m)²/(n − 1)

    with t the quantile (1 + confidence)/2 of Student's distribution with n − 1 degrees of freedom.

    It supposes that the values are independent and roughly normal. One value has no spread: its bounds
    are NaN. `bounds` are what such a value can be at all, as (0, 1) for an accuracy: the interval is cut off
    there, for the normal distribution knows no end. Student (1908), Biometrika 6, 1-25.

    Raises:
        DataError: no values, or one that is not finite.
        OptionError: confidence not between 0 and 1.

    >>> print(mean_interval([0.975, 0.981, 0.978]))
    97.8 % (97.1 to 98.5)
    >>> print(mean_interval([0.9, 1.0], bounds=(0, 1)))
    95.0 % (31.5 to 100.0)
    """
    check_confidence(confidence)
    x = np.ravel(np.asarray(values, dtype=np.float64))
    if x.size == 0 or not np.isfinite(x).all():
        raise DataError("mean_interval needs one finite value or more.", values=x.tolist())
    m = float(x.mean())
    if x.size == 1:
        return Interval(m, math.nan, math.nan, confidence)
    half = student_quantile((1 + confidence) / 2, x.size - 1) * float(x.std(ddof=1)) / math.sqrt(x.size)
    least, most = bounds or (-math.inf, math.inf)
    return Interval(m, max(m - half, least), min(m + half, most), confidence)


def student_quantile(probability: float, degrees: int) -> float:
    """The value that Student's t with so many degrees of freedom stays below with this probability."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def check_confidence(confidence: float) -> None:
    """A confidence is a probability, neither 0 nor 1."""
    if not 0 < confidence < 1:
        raise OptionError(f"confidence must lie between 0 and 1, got {confidence}.", fix="0.95")
