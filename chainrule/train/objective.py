"""What is learned: the data, the loss, and how outputs are read as labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule import losses
from chainrule.base.errors import OptionError
from chainrule.core import Tensor
from chainrule.data import Dataset, Loader, from_arrays
from chainrule.nn import Module

Loss = Callable[..., Any]


def as_dataset(data: Any, loss: Loss | None = None) -> Dataset:
    """A data set from what users have: a Dataset, a Loader's arrays, or a pair (x, y).

    Targets are read as the loss takes them: whole numbers are quantities to the squared error, and the two
    classes of a data set are −1 and +1 to the hinge loss.

    Raises:
        OptionError: something else.
    """
    kind = targets_of(loss)
    if isinstance(data, Loader):
        data = read(data.x, data.y, kind)
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        x, y = (d.numpy() if isinstance(d, Tensor) else d for d in data)
        data = read(x, y, kind)
    if not isinstance(data, Dataset):
        frame = hasattr(data, "columns")
        raise OptionError(
            f"Data is a Dataset, a Loader or a pair (x, y), got {type(data).__name__}.",
            fix="cr.data.from_frame(frame, target)" if frame else "cr.data.from_arrays(x, y)",
        )
    return signed(data) if kind == "signs" else data


def read(x: Any, y: Any, kind: str) -> Dataset:
    """Arrays as the data set that a loss with targets of this kind learns from."""
    targets = np.asarray(y)
    numbers = targets.dtype.kind in "iuf" and targets.size > 0
    rows = numbers and targets.ndim == 2 and targets.shape[1] > 1  # one-hot, or a number for each output
    signs = numbers and kind == "signs" and targets.min() < 0
    quantities = kind == "values" or (kind and rows) or signs
    return from_arrays(x, y, task="regression" if quantities else None)


def signed(data: Dataset) -> Dataset:
    """The two classes of a data set as −1 and +1."""
    if data.task == "regression" or data.n_classes != 2:
        return data
    return replace(data, y=(2 * data.y - 1).astype(data.x.dtype), task="regression", class_names=())


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


def targets_of(loss: Loss | None) -> str:
    """What kind of targets a loss takes, as `cr.losses` says it; empty for a loss from elsewhere."""
    return getattr(function_of(loss), "target", "") if loss else ""


def task_for(loss: Loss, data: Dataset) -> str:
    """What the outputs are: scores of classes, also where the targets are one-hot or signs; or quantities."""
    known = {"labels": "classification", "signs": "classification", "values": "regression"}
    return known.get(targets_of(loss), data.task)


def learned(data: Any, loss: Loss | str | None) -> tuple[Dataset, Loss]:
    """The data and the loss function, each read by what the other says."""
    if loss is None:
        dataset = as_dataset(data)
        return dataset, loss_named(None, dataset.task)
    function = loss_named(loss, "")
    return as_dataset(data, function), function


def dtype_of(model: Module) -> np.dtype:
    """The dtype that a model computes in: that of its first parameter, or float32."""
    return next((np.dtype(p.dtype) for p in model.parameters()), np.dtype(np.float32))


def one_output(shape: tuple[int, ...]) -> bool:
    """Whether outputs (n,) or (n, 1) give one number for each example."""
    return len(shape) == 1 or shape[1:] == (1,)


def labels_of(z: np.ndarray) -> np.ndarray:
    """The most probable class of each row of logits; one logit means two classes, the second for z > 0."""
    if one_output(z.shape):
        return (z.reshape(len(z)) > 0).astype(np.int64)
    return z.argmax(axis=1)


def correct(z: np.ndarray, y: np.ndarray) -> int:
    """How many rows of logits give their target the greatest probability. Targets (n,), or rows (n, K).

    One output tells two classes apart, called 0 and 1, or −1 and +1.
    """
    if y.ndim == 2:
        y = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0]
    if one_output(z.shape):
        y = y > 0
    return int(np.count_nonzero(labels_of(z) == y))
