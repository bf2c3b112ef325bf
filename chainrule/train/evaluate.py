"""Evaluation and prediction: batches in evaluation mode, nothing recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule import metrics, ops
from chainrule.base.errors import OptionError
from chainrule.core import Tensor, no_grad
from chainrule.data import Dataset, Loader, from_arrays
from chainrule.losses import named
from chainrule.nn import Module

Loss = Callable[..., Any]
BATCH = 1024
"""Rows at a time: large enough for the matrix product, small enough for the cache of hidden layers."""


def as_dataset(data: Any) -> Dataset:
    """A data set from what users have: a Dataset, a Loader's arrays, or a pair (x, y).

    Raises:
        OptionError: something else.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Loader):
        return from_arrays(data.x, data.y)
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return from_arrays(*(d.numpy() if isinstance(d, Tensor) else d for d in data))
    raise OptionError(
        f"Data is a Dataset, a Loader or a pair (x, y), got {type(data).__name__}.",
        **{"try": "cr.data.from_arrays(x, y)"},
    )


def loss_named(loss: Loss | str | None, task: str) -> Loss:
    """The loss function meant: itself, by name, or the usual one for the task.

    Raises:
        OptionError: no loss has this name.
    """
    if loss is None:
        loss = "cross-entropy" if task == "classification" else "mse"
    return named(loss) if isinstance(loss, str) else loss


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Evaluation mode without recording inside the block; every module's own mode is restored after it."""
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def outputs(model: Module, x: Any, batch_size: int = BATCH) -> np.ndarray:
    """What the model computes for every row of x, in evaluation mode. Shapes: x (n, …), result (n, …)."""
    x = np.asarray(x.data if isinstance(x, Tensor) else x)
    with evaluating(model):
        return np.concatenate([model(x[i : i + batch_size]).numpy() for i in range(0, max(len(x), 1), batch_size)])


def scores(y: np.ndarray, z: np.ndarray, task: str) -> dict[str, float]:
    """Accuracy of logits for a classification, nothing for a regression: what every epoch shows."""
    if task != "classification":
        return {}
    return {"accuracy": metrics.accuracy(y, labels_of(z))}


def labels_of(z: np.ndarray) -> np.ndarray:
    """The most probable class of each row of logits; one logit means two classes, the second for z > 0."""
    if z.ndim == 1 or z.shape[1] == 1:
        return (z.reshape(len(z)) > 0).astype(np.int64)
    return z.argmax(axis=1)


def evaluate(
    model: Module, data: Any, loss: Loss | str | None = None, batch_size: int = BATCH
) -> dict[str, float]:
    """Loss and scores on data, in evaluation mode: {"loss": …, "accuracy": …}, or r2 and mae for a regression.

    The loss is the mean over all examples, whatever the batches.

    >>> import chainrule as cr
    >>> data = cr.data.iris()
    >>> sorted(cr.train.evaluate(cr.models.MLP(4, 8, 3), data))
    ['accuracy', 'loss']
    """
    data = as_dataset(data)
    function = loss_named(loss, data.task)
    z = outputs(model, data.x, batch_size)
    with no_grad():
        figures = {"loss": float(function(Tensor(z), data.y)), **scores(data.y, z, data.task)}
    if data.task == "regression":
        targets = data.y.reshape(z.shape)
        figures |= {"r2": metrics.r2(targets, z), "mae": metrics.mae(targets, z)}
    return figures


def predict(model: Module, x: Any, task: str | None = None, batch_size: int = BATCH) -> np.ndarray:
    """Labels (n,) for a classification, values (n,) or (n, k) for a regression.

    The task is the one the model was fitted for, unless said otherwise.

    Raises:
        OptionError: the model was not fitted and no task was given.
    """
    task = task or getattr(model, "task", None)
    if task not in ("classification", "regression"):
        raise OptionError(
            "What this model predicts is not known: it was not trained by fit.",
            **{"try": 'predict(model, x, task="classification") or task="regression"'},
        )
    z = outputs(model, x, batch_size)
    if task == "classification":
        return labels_of(z)
    return z[:, 0] if z.ndim == 2 and z.shape[1] == 1 else z


def predict_proba(model: Module, x: Any, batch_size: int = BATCH) -> np.ndarray:
    """Class probabilities (n, K): softmax of the logits; (n, 2) from one logit by the sigmoid."""
    z = outputs(model, x, batch_size)
    if z.ndim == 1 or z.shape[1] == 1:
        p = ops.sigmoid(z.reshape(-1, 1))
        return np.concatenate([1 - p, p], axis=1)
    return ops.softmax(z)
