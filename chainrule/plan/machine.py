"""What this machine can do, measured once a process: products, memory, and the price of a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

SIZE = 512
"""Rows and columns of the matrices: large enough for full speed, small enough for some milliseconds."""
STREAM = 4_000_000
"""Entries of the arrays: beyond the caches of most processors."""


@dataclass(frozen=True)
class Machine:
    """Floating-point operations a second in products, bytes a second of memory, seconds a call."""

    flops: float
    bandwidth: float
    call: float


@cache
def machine() -> Machine:
    """This machine, measured in about a tenth of a second."""
    a, b = np.ones((SIZE, SIZE), np.float32), np.empty((SIZE, SIZE), np.float32)
    x, y = np.ones(STREAM, np.float32), np.empty(STREAM, np.float32)
    small = np.zeros(8, np.float32)
    product = _fastest(lambda: np.matmul(a, a, out=b))
    stream = _fastest(lambda: np.add(x, 1, out=y))
    call = _fastest(lambda: [np.add(small, small, out=small) for _ in range(100)]) / 100
    return Machine(2 * SIZE**3 / product, 2 * x.nbytes / stream, call)


def _fastest(action: Callable[[], object], times: int = 6) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - began)
    return best
