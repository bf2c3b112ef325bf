"""The data of a task: embedded sets, MNIST-format files, CSV; split and scaled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule.base.errors import DataError, OptionError
from chainrule.base.keys import Key
from chainrule.cli.settings import Settings
from chainrule.data import EMBEDDED, SCALERS, Splits, mnist, read_csv, split

MNIST_VALIDATION = 10_000
"""Training images set aside for validation, as many as there are test images."""


def load(settings: Settings) -> tuple[Splits, Any]:
    """The three parts of the task's data on one scale, and the scaler (None where there is none).

    Raises:
        OptionError: the task or the scaler is not known.
        DataError: the data is missing or bad.
    """
    parts = _parts(settings)
    if settings.scale == "none":
        return parts, None
    if settings.scale not in SCALERS:
        raise OptionError(f"There is no scaler {settings.scale!r}.", known=", ".join(["none", *SCALERS]))
    scaler = SCALERS[settings.scale]().fit(parts.train.x)
    return Splits(*(replace(part, x=scaler.transform(part.x)) for part in parts)), scaler


def _parts(settings: Settings) -> Splits:
    task = settings.task.replace("-", "_")
    if task in EMBEDDED:
        return split(EMBEDDED[task](), settings.split, settings.seed)
    if task == "mnist":
        return _mnist(settings)
    path = Path(settings.task)
    if path.suffix.lower() == ".csv" or path.is_file():
        if settings.target is None:
            raise OptionError(f"Which column of {path.name} is the target?", **{"try": "--target COLUMN"})
        return split(read_csv(path, settings.target), settings.split, settings.seed)
    known = ", ".join(name.replace("_", "-") for name in [*EMBEDDED, "mnist"])
    raise OptionError(f"There is no task {settings.task!r}.", known=known, **{"or": "the path of a CSV file"})


def _mnist(settings: Settings) -> Splits:
    if settings.data is None:
        raise DataError(
            "MNIST is read from files.",
            **{"try": "--data DIR, the folder with train-images-idx3-ubyte.gz and its three companions, or --download DIR"},
        )
    train, test = mnist(settings.data)
    if len(train) <= MNIST_VALIDATION:
        raise DataError(f"MNIST has more than {MNIST_VALIDATION} training images, these files have {len(train)}.")
    rows = (Key(settings.seed) / "split").generator().permutation(len(train))
    return Splits(train.take(rows[MNIST_VALIDATION:]), train.take(rows[:MNIST_VALIDATION]), test)
