"""The data of a task: embedded sets, MNIST-format files, CSV; split and scaled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.base.keys import Key
from chainrule.cli.names import LOSSES_OF
from chainrule.cli.settings import Settings
from chainrule.data import EMBEDDED, SCALERS, Dataset, Splits, Standardize, mnist, read_csv, split
from chainrule.data.checks import check_several_classes

MNIST_VALIDATION = 10_000
"""Training images set aside for validation, as many as there are test images."""


class Prepared(NamedTuple):
    """The parts of a task's data on one scale, and the scalers of features and target, if there are any."""

    parts: Splits
    scaler: Any = None
    target_scaler: Standardize | None = None

    @property
    def task(self) -> str:
        """Whether classes or values are predicted."""
        return self.parts.train.task

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """Targets or predictions (n, 1) in the units of the data."""
        return values if self.target_scaler is None else self.target_scaler.inverse(values)


def load(settings: Settings) -> Prepared:
    """The data of the settings' task, ready for training. Statistics are those of the training part.

    The targets of a regression are (n, 1), as a model gives them, and standardised unless said otherwise: a
    price of 300,000 is as many steps of Adam away from weights near 0.

    Raises:
        OptionError: the task is not known, or the model or the loss does not suit it.
        DataError: the data is missing or bad.
    """
    parts, scaler, target_scaler = parts_of(settings), None, None
    check_suited(settings, parts.train)
    if parts.train.task == "classification":
        check_several_classes(parts.train.y, parts.train.class_names)
    if settings.scale != "none":
        scaler = SCALERS[settings.scale]().fit(parts.train.x)
        parts = Splits(*(replace(part, x=scaler.transform(part.x)) for part in parts))
    if parts.train.task == "regression":
        parts = Splits(*(replace(part, y=part.y.reshape(len(part), -1)) for part in parts))
        if settings.scale_target:
            target_scaler = Standardize().fit(parts.train.y)
            parts = Splits(*(replace(part, y=target_scaler.transform(part.y)) for part in parts))
    return Prepared(parts, scaler, target_scaler)


def parts_of(settings: Settings) -> Splits:
    """Training, validation and test part as they are in the data."""
    if settings.task == "mnist":
        return mnist_parts(settings)
    embedded, kind = EMBEDDED.get(settings.task.replace("-", "_")), cast(Any, settings.kind)
    data = embedded() if embedded else read_csv(settings.task, settings.target or "", task=kind)
    return split(data, settings.split, settings.seed, settings.stratify)


def mnist_parts(settings: Settings) -> Splits:
    """MNIST: its test part is the test part, 10,000 of its training images are the validation part."""
    if settings.data is None:
        folder = "the folder with train-images-idx3-ubyte.gz and its three companions"
        raise DataError("MNIST is read from files.", fix=f"--data DIR, {folder}, or --download DIR")
    train, test = mnist(settings.data)
    if len(train) <= MNIST_VALIDATION:
        found = f"these files have {len(train)}"
        raise DataError(f"MNIST has more than {MNIST_VALIDATION} training images, {found}.")
    rows = (Key(settings.seed) / "split").generator().permutation(len(train))
    return Splits(train.take(rows[MNIST_VALIDATION:]), train.take(rows[:MNIST_VALIDATION]), test)


def check_suited(settings: Settings, data: Dataset) -> None:
    """Model and loss fit what is to be predicted.

    Raises:
        OptionError: they do not.
    """
    has = f"the targets of {settings.name} are {'classes' if data.n_classes else 'values'}"
    if settings.model in ("logistic", "lda") and not data.n_classes:
        raise OptionError(f"The model {settings.model} is for classes, {has}.", fix="--model linear")
    if settings.loss and settings.loss not in LOSSES_OF[data.task]:
        fitting = ", ".join(LOSSES_OF[data.task])
        raise OptionError(f"The loss {settings.loss} does not fit: {has}.", known=fitting)
