"""The trace of a matrix that is known only by its products, with how far to trust it: Hutchinson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.base.keys import Key
from chainrule.metrics import Interval, mean_interval


@dataclass(frozen=True, eq=False)
class TraceEstimate:
    """The mean of vᵀ A v over random signs v, whose expectation is tr A; `samples` are those numbers."""

    samples: np.ndarray

    @property
    def value(self) -> float:
        """The estimate of the trace."""
        return float(self.samples.mean())

    @property
    def standard_error(self) -> float:
        """s/√m for m samples of standard deviation s; NaN of one sample."""
        m = len(self.samples)
        return float(self.samples.std(ddof=1) / np.sqrt(m)) if m > 1 else float("nan")

    def interval(self, confidence: float = 0.95) -> Interval:
        """Student's interval for the trace."""
        return mean_interval(self.samples, confidence)

    def __repr__(self) -> str:
        return f"TraceEstimate({self.value:.6g} ± {self.standard_error:.2g}, {len(self.samples)} samples)"


def hutchinson(times: Callable[[np.ndarray], np.ndarray], n: int, probes: int, key: Key) -> TraceEstimate:
    """tr A of a symmetric A (n, n) from v ↦ A v: with signs vᵢ = ±1, independent and equally likely,

        E vᵀ A v = tr A,        Var vᵀ A v = 2 Σ_{i≠j} Aᵢⱼ²

    so that a diagonal matrix is exact after one probe. Probe k is drawn from key / "probe" / k. Hutchinson (1989).
    """
    signs = [sign_vector(key, i, n) for i in range(probes)]
    return TraceEstimate(np.array([v @ times(v) for v in signs]))


def sign_vector(key: Key, i: int, n: int) -> np.ndarray:
    """Probe number i: n random signs, ±1."""
    return (key / "probe" / i).generator().integers(0, 2, n) * 2.0 - 1.0
