"""The machine's own rate of matrix products, as one more contender, and what Chainrule says that a step computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads import Workload

SIZE = 1024
"""Rows and columns: past the sizes at which starting threads costs."""
FLOPS = 2 * SIZE**3


class Trainer:
    """A step is one product of square float32 matrices by NumPy's BLAS."""

    def __init__(self, workload: Workload) -> None:
        self.a = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32)
        self.b = np.empty_like(self.a)

    def step(self, k: int) -> Any:
        return np.matmul(self.a, self.a, out=self.b)[0, 0]

    def value(self, loss: Any) -> float:
        return float(loss)


start = Trainer


def flops(workload: Workload) -> float:
    """Floating-point operations of a step, by `plan.cost()`; nothing is computed for it."""
    from benchmarks.contenders import chainrule_steps

    trainer = chainrule_steps.start(workload)
    return trainer.plan.cost(*trainer.batches[0]).flops
