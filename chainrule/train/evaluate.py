"""Evaluation and prediction: batches in evaluation mode, nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import chainrule.train.objective as objective
from chainrule import metrics, ops
from chainrule.base.errors import OptionError
from chainrule.core import Tensor, no_grad
from chainrule.data.precision import kept_dtype, narrow
from chainrule.nn import Module
from chainrule.train.objective import Loss, dtype_of, labels_of, one_output

BATCH = 1024
"""Rows at a time: large enough for the matrix product, small enough for the cache of hidden layers."""


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Evaluation mode without recording inside the block; every module's own mode is restored after it."""
    with modes_restored(model), no_grad():
        model.eval()
        yield


@contextmanager
def modes_restored(model: Module) -> Iterator[None]:
    """After the block every module is in the mode it was in before."""
    modes = [(m, m.training) for m in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def outputs(model: Module, x: Any, batch_size: int = BATCH) -> np.ndarray:
    """What the model computes for every row of x, in evaluation mode. Shapes: x (n, …), result (n, …)."""
    x = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
    x = narrow("x", x, kept_dtype(dtype_of(model)))
    with evaluating(model):
        starts = range(0, max(len(x), 1), batch_size)
        return np.concatenate([model(x[i : i + batch_size]).numpy() for i in starts])


def evaluate(model: Module, data: Any, loss: Loss | str | None = None, batch_size: int = BATCH) -> dict[str, float]:
    """Loss and scores on data, in evaluation mode: {"loss": …, "accuracy": …}, or r2 and mae.

    r2 and mae are those of a regression; r2 is NaN where the targets do not vary. The loss is the mean over
    all examples, whatever the batches.

    >>> import chainrule as cr
    >>> data = cr.data.iris()
    >>> sorted(cr.train.evaluate(cr.models.MLP(4, 8, 3), data))
    ['accuracy', 'loss']
    """
    data, function = objective.learned(data, loss)
    z = outputs(model, data.x, batch_size)
    with no_grad():
        figures = {"loss": float(objective.compared(function, Tensor(z), data.y))}
    if objective.task_for(function, data) == "classification":
        figures["accuracy"] = objective.correct(z, data.y) / len(z)
    elif z.size == data.y.size:  # a model may also give a mean and a variance for each target
        targets = data.y.reshape(z.shape)
        varied = (np.ptp(targets, axis=0) > 0).all()
        figures["r2"] = metrics.r2(targets, z) if varied else float("nan")
        figures["mae"] = metrics.mae(targets, z)
    return figures


def predict(model: Module, x: Any, task: str | None = None, batch_size: int = BATCH) -> np.ndarray:
    """Labels (n,) for a classification, values (n,) or (n, k) for a regression.

    Labels count from 0; one output says 1 where it is positive, also after training with −1 and +1. The task
    is the one the model was fitted for, unless said otherwise.

    Raises:
        OptionError: the model was not fitted and no task was given.
    """
    task = task or getattr(model, "task", None)
    if task not in ("classification", "regression"):
        raise OptionError(
            "What this model predicts is not known: it was not trained by fit.",
            fix='predict(model, x, task="classification") or task="regression"',
        )
    z = outputs(model, x, batch_size)
    if task == "classification":
        return labels_of(z)
    return z[:, 0] if z.ndim == 2 and z.shape[1] == 1 else z


def predict_proba(model: Module, x: Any, batch_size: int = BATCH) -> np.ndarray:
    """Class probabilities (n, K): softmax of the logits; (n, 2) from one logit by the sigmoid."""
    z = outputs(model, x, batch_size)
    if one_output(z.shape):
        p = ops.sigmoid(z.reshape(-1, 1))
        return np.concatenate([1 - p, p], axis=1)
    return ops.softmax(z)
