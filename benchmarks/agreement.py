"""Whether contenders compute the same: their losses, step by step, against the median of all."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

STEPS = 20
"""First steps whose losses are compared."""
TOLERANCE = 2e-3
"""Largest relative difference from the median loss. Rounding errors of float32 are 1e-7 a product and grow with every
update: Adam divides by the size of the gradient, so that an entry whose gradient is nearly 0 makes a whole step in a
direction that rounding decides. Contenders that are right came within 2e-4 after 20 steps; a wrong derivative, update
or learning rate is off by percents."""


def deviations(losses: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The largest relative difference of each contender's losses from the median of all at the same step."""
    medians = [statistics.median(column) for column in zip(*losses.values(), strict=True)]
    return {
        name: max(abs(a - m) / abs(m) if a == a else float("inf") for a, m in zip(own, medians, strict=True))
        for name, own in losses.items()
    }


def void(losses: Mapping[str, Sequence[float]], tolerances: Mapping[str, float] | None = None) -> dict[str, str]:
    """The contenders whose row is void, with the reason. Of two that disagree nobody knows which is right."""
    tolerances = tolerances or {}
    return {
        name: f"void: losses differ by {100 * worst:.2g} %"
        for name, worst in deviations(losses).items()
        if not worst <= tolerances.get(name, TOLERANCE)
    }
