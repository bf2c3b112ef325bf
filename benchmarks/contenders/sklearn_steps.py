"""scikit-learn's MLPClassifier, a batch at a time by `partial_fit`; it has perceptrons with Adam, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders import UnsuitedError
from benchmarks.workloads import Workload


class Trainer:
    """The classifier without its penalty, its first weights replaced by those of the workload."""

    def __init__(self, workload: Workload) -> None:
        if workload.kind != "mlp" or workload.optimizer != "adam":
            raise UnsuitedError("MLPClassifier has perceptrons of several classes alone")
        widths = workload.sizes["widths"]
        self.batches, self.classes = workload.batches, np.arange(widths[-1])
        self.model = MLPClassifier(
            widths[1:-1], alpha=0.0, batch_size=workload.batch, learning_rate_init=workload.lr, shuffle=False
        )
        x, y = self.batches[0]
        self.model.partial_fit(x, y, classes=self.classes)  # makes the arrays
        weights = workload.weights
        for i in range(len(widths) - 1):
            self.model.coefs_[i][...] = weights[f"fc{i + 1}.weight"].T
            self.model.intercepts_[i][...] = weights[f"fc{i + 1}.bias"]
        del self.model._optimizer  # so that the next call makes a new one, with moments of 0

    def step(self, k: int) -> Any:
        x, y = self.batches[k % len(self.batches)]
        self.model.partial_fit(x, y)
        return self.model.loss_

    def value(self, loss: Any) -> float:
        return float(loss)


start = Trainer
