"""What is checked before the first step, for it would fail or mislead only later."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.data import Dataset, Loader
from chainrule.data.checks import check_several_classes
from chainrule.nn import BatchNorm1d, Module


def check_target(data: Dataset) -> None:
    """A classification has several classes to learn.

    Raises:
        DataError: all labels are the same.
    """
    if data.task == "classification":
        check_several_classes(data.y, data.class_names)


def check_batches(model: Module, loader: Loader) -> None:
    """No batch has a single example, where its variance is needed.

    Raises:
        OptionError: one has, and the model normalises by batches.
    """
    n, size = len(loader.x), loader.batch_size
    last = n % size or size
    single = size == 1 or (last == 1 and not loader.drop_last)
    if not single or loader.x.ndim != 2 or not normalises(model):
        return
    shown = "1 example" if n == 1 else f"{n} examples"
    raise OptionError(
        f"BatchNorm1d cannot train on a batch of one: {shown} in batches of {size} end with one.",
        batch_size=size,
        fix=remedy(n, size),
    )


def normalises(model: Module) -> bool:
    """Whether some batch normalisation will train; in a model that trains, parts frozen by eval() stay so."""
    return any(isinstance(m, BatchNorm1d) and (m.training or not model.training) for m in model.modules())


def remedy(examples: int, size: int) -> str:
    """The next larger batch size that leaves no single example."""
    if examples == 1:
        return "more examples, or a model without batch_norm"
    larger = next(b for b in range(max(size, 2), examples + 1) if examples % b != 1)
    return f"batch_size={larger}, or cr.data.Loader(x, y, {max(size, 2)}, drop_last=True)"


def check_owner(optimizer: Any, model: Module) -> None:
    """An optimiser holds parameters of the model, all or some.

    Raises:
        OptionError: it holds none, or, in the place of some, those of a layer that the model had before.
    """
    groups = getattr(optimizer, "groups", None)
    if not groups or not all(hasattr(group, "flat") for group in groups):
        return  # of one's own make
    held = {id(p) for group in groups for p in group.flat.parameters}
    own = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    fix = f"optimizer=cr.optim.{type(optimizer).__name__}(model, lr={optimizer.lr:g})"
    if held.isdisjoint(id(p) for p in model.parameters()):
        raise OptionError("The optimiser holds no parameter of this model: it was made for another one.", fix=fix)
    left_out = [name for key, name in own.items() if key not in held]
    if left_out and not held <= {id(p) for p in model.parameters()}:
        raise OptionError(
            "The optimiser holds parameters that this model has no longer, and not those in their place.",
            model=f"{left_out[0]} would not learn" + (f", nor {len(left_out) - 1} more" if left_out[1:] else ""),
            fix=f"{fix}, after the layers were replaced",
        )


def deals_plainly(loader: Loader) -> bool:
    """Whether a loader's batches depend on nothing that happens between them, so that they may be dealt ahead."""
    return getattr(loader.rows, "__func__", None) is Loader.rows


def row_numbers(rows: Any, n: int) -> np.ndarray:
    """The numbers of a batch's rows, from 0 on, in an array of their own.

    Raises:
        DataError: they are no row numbers, or not of rows that there are.
    """
    numbers = np.array(rows)
    if numbers.size == 0:
        return numbers.astype(np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise DataError(
            f"A batch of a Loader is a list of row numbers, got {numbers.dtype} of shape {numbers.shape}.",
            fix="np.flatnonzero(mask), if it is a mask",
        )
    outside = (numbers < -n) | (numbers >= n)
    if outside.any():
        raise DataError(f"A batch of the Loader names row {numbers[outside][0]}, but there are {n}.")
    return np.where(numbers < 0, numbers + n, numbers).astype(np.int64)
