"""scikit-learn: `MLPClassifier.fit`."""

from __future__ import annotations

import time
import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.training import BATCH, LR, WIDTHS


def train(data: Any, images: Any, epochs: int, seed: int) -> tuple[float, Any]:
    model = MLPClassifier(
        WIDTHS[1:-1], alpha=0.0, batch_size=BATCH, learning_rate_init=LR, max_iter=epochs, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it means to go on until the loss stands still
        began = time.perf_counter()
        model.fit(*data)
        seconds = time.perf_counter() - began
    return seconds, model.predict(images)
