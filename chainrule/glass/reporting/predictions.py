"""What a model says of every example of a part, and how wrong that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule import ops
from chainrule.data import Dataset
from chainrule.nn import Module
from chainrule.train.evaluate import outputs
from chainrule.train.objective import one_output


@dataclass(frozen=True, eq=False)
class Predictions:
    """Truth and prediction of every example, (n,): labels, or values in units of the data; and the loss of each.

    The loss is −ln p(truth) of classes, (prediction − truth)² of values, the sum over several. `probabilities` are
    (n, K) for classes, None for values.
    """

    data: Dataset
    truth: np.ndarray
    found: np.ndarray
    losses: np.ndarray
    probabilities: np.ndarray | None = None

    @staticmethod
    def of(
        model: Module,
        data: Dataset,
        inputs: Callable[[np.ndarray], np.ndarray],
        in_units: Callable[[np.ndarray], np.ndarray],
    ) -> Predictions:
        """By the model, in evaluation mode."""
        z = outputs(model, inputs(data.x))
        if data.task == "regression":
            found, truth = (np.asarray(v, np.float64).reshape(len(data), -1) for v in (in_units(z), data.y))
            return Predictions(data, truth, found, ((found - truth) ** 2).sum(axis=1))
        logits = np.asarray(z, np.float64)
        if one_output(z.shape):
            logits = np.concatenate([np.zeros((len(z), 1)), logits.reshape(-1, 1)], axis=1)
        log_p = np.asarray(ops.log_softmax(logits))
        losses = -log_p[np.arange(len(data)), data.y]
        return Predictions(data, data.y, logits.argmax(axis=1), losses, np.exp(log_p))

    @property
    def order(self) -> np.ndarray:
        """The numbers of the examples, the worst first."""
        return np.argsort(-np.where(np.isnan(self.losses), np.inf, self.losses), kind="stable")

    @property
    def matrix(self) -> np.ndarray:
        """Counts of true classes (rows) against predicted ones (columns), (K, K)."""
        k = self.data.n_classes
        return np.bincount(self.truth * k + self.found, minlength=k * k).reshape(k, k)
