"""The machine's own rate of matrix products, as one more contender, and what Chainrule says that a step computes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.workloads import Workload

SIZES = {"cpu": 1024, "cuda": 8192}
"""Rows and columns: past the sizes at which starting threads, or filling a GPU, costs."""


class Trainer:
    """A step is one product of square float32 matrices, by NumPy's BLAS or by PyTorch on a GPU."""

    def __init__(self, workload: Workload, device: str = "cpu") -> None:
        self.library: Any = np if device == "cpu" else import_module("torch")
        a = np.random.default_rng(0).standard_normal((SIZES[device], SIZES[device]), np.float32)
        self.a = a if device == "cpu" else self.library.from_numpy(a).to(device)
        self.b = self.library.empty_like(self.a)

    def step(self, k: int) -> Any:
        return self.library.matmul(self.a, self.a, out=self.b)[0, 0]

    def value(self, loss: Any) -> float:
        return float(loss)


start = Trainer


def work(device: str) -> int:
    """Floating-point operations of one product."""
    return 2 * SIZES[device] ** 3


def flops(workload: Workload) -> float:
    """Floating-point operations of a step, by `plan.cost()`; nothing is computed for it."""
    from benchmarks.contenders import chainrule_steps

    trainer = chainrule_steps.start(workload)
    return trainer.plan.cost(*trainer.batches[0]).flops
