"""What is learned: the data, the loss, and how outputs are read as labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import losses
from chainrule.base.errors import OptionError
from chainrule.core import Tensor
from chainrule.data import Dataset, Loader, from_arrays

Loss = Callable[..., Any]

CATEGORICAL = (losses.cross_entropy, losses.nll, losses.kl_divergence)
"""Losses whose targets are classes also when they are rows of probabilities."""


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
        fix="cr.data.from_arrays(x, y)",
    )


def loss_named(loss: Loss | str | None, task: str) -> Loss:
    """The loss function meant: itself, by name, or the usual one for the task.

    Raises:
        OptionError: no loss has this name, or it is no function.
    """
    if loss is None:
        return log_loss if task == "classification" else losses.mse
    if isinstance(loss, str):
        return losses.named(loss)
    if not callable(loss):
        raise OptionError(f"A loss is a function or a name, got {type(loss).__name__}.", fix='loss="cross-entropy"')
    return loss


def log_loss(z: Any, y: Any) -> Any:
    """Cross-entropy of the logits; of a single logit, which tells two classes apart, the binary one."""
    if one_output(z.shape):
        return compared(losses.binary_cross_entropy_with_logits, z, y)
    return losses.cross_entropy(z, y)


def compared(loss: Loss, z: Any, y: np.ndarray) -> Any:
    """The loss of outputs z for targets y; to the losses here a column (n, 1) and a row (n,) are the same.

    The losses themselves refuse the pair, for NumPy would broadcast it to (n, n). Where the targets are known
    to be those of the outputs, there is one reading. A loss from elsewhere gets both as they are.
    """
    row_and_column = z.shape == (*y.shape, 1) or y.shape == (*z.shape, 1)
    if row_and_column and function_of(loss) in losses.LOSSES.values():
        y = y.reshape(z.shape)
    return loss(z, y)


def function_of(loss: Loss) -> Loss:
    """The loss itself, of one whose settings `functools.partial` has fixed."""
    return getattr(loss, "func", loss)


def task_for(loss: Loss, data: Dataset) -> str:
    """What the outputs are: logits of classes, also where the targets are one-hot; or quantities."""
    return "classification" if function_of(loss) in CATEGORICAL else data.task


def one_output(shape: tuple[int, ...]) -> bool:
    """Whether outputs (n,) or (n, 1) give one number for each example."""
    return len(shape) == 1 or shape[1:] == (1,)


def labels_of(z: np.ndarray) -> np.ndarray:
    """The most probable class of each row of logits; one logit means two classes, the second for z > 0."""
    if one_output(z.shape):
        return (z.reshape(len(z)) > 0).astype(np.int64)
    return z.argmax(axis=1)


def correct(z: np.ndarray, y: np.ndarray) -> int:
    """How many rows of logits give their target the greatest probability. Targets (n,), or rows (n, K)."""
    if y.ndim == 2:
        y = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0]
    return int(np.count_nonzero(labels_of(z) == y))
