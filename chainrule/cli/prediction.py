"""Predictions for the rows of a file, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, OptionError, ShapeError
from chainrule.cli.saved import SavedModel, load_model
from chainrule.data import read_features, read_idx
from chainrule.data.csv_files import read_table
from chainrule.train import predict, predict_proba

IMAGES = (b"\0\0", b"\x1f\x8b")
"""How files in MNIST format begin: plain, and packed by gzip."""

NAMED = 5
"""Columns that a message names."""


def lines(run: Path, file: Path, proba: bool, as_json: bool) -> Iterator[str]:
    """One line a row of the file: the class or the value, and the probabilities where wanted.

    Raises:
        CheckpointError: the run holds no model.
        DataError: the file is missing or does not have the columns of the training data.
        OptionError: probabilities of values.
        ShapeError: images of another size than those of the training data.
    """
    saved = load_model(run)
    if proba and saved.task == "regression":
        raise OptionError(f"The model of {run} predicts values: there are no probabilities of classes.")
    x = saved.inputs(features(saved, file))
    predicted = saved.in_units(predict(saved.model, x))
    probabilities = predict_proba(saved.model, x) if proba else [None] * len(x)
    for value, row in zip(predicted, probabilities, strict=True):
        yield line(saved, value, row, as_json)


def features(saved: SavedModel, file: Path) -> np.ndarray:
    """The inputs in a file, as they were before scaling."""
    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    with open(file, "rb") as opened:
        start = opened.read(2)
    if start in IMAGES:
        return pixels(saved, file)
    try:
        return read_features(file, saved.feature_names, saved.settings.target)
    except DataError as error:
        if error.places.keys() & {"missing", "extra"}:
            error.places |= columns_apart(saved, read_table(file).columns)
        raise


def columns_apart(saved: SavedModel, columns: list[str]) -> dict[str, str]:
    """The columns that are missing and those that are too many, a few of them by name."""
    missing = [name for name in saved.feature_names if name not in columns]
    extra = [name for name in columns if name not in (*saved.feature_names, saved.settings.target)]
    return {what: few(names) for what, names in (("missing", missing), ("extra", extra)) if names}


def few(names: list[str]) -> str:
    """Names as a list that stays short."""
    rest = len(names) - NAMED
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:NAMED])} and {rest} more"


def pixels(saved: SavedModel, file: Path) -> np.ndarray:
    """Images in MNIST format as rows of grey values in 0 .. 1."""
    images = read_idx(file)
    x = images.reshape(len(images), -1).astype(np.float32) / 255
    wanted = saved.model.sizes[0]
    if x.shape[1] != wanted:
        raise ShapeError(f"{file.name} has {x.shape[1]} pixels an image, the model takes {wanted} numbers.")
    return x


def line(saved: SavedModel, value: Any, probabilities: np.ndarray | None, as_json: bool) -> str:
    """One prediction as text, or as JSON."""
    shown = saved.class_names[int(value)] if saved.task == "classification" else np.asarray(value).tolist()
    by_name = {}
    if probabilities is not None:
        by_name = dict(zip(saved.class_names, map(float, probabilities), strict=True))
    if as_json:
        return json.dumps({"prediction": shown} | ({"probabilities": by_name} if by_name else {}))
    digits = 6 if saved.target_scaler is None else 12  # float32 has 7; a large offset takes up the first ones
    figure = f"{shown:.{digits}g}" if isinstance(shown, float) else str(shown)
    return "\t".join([figure, *(f"{name}={p:.4f}" for name, p in by_name.items())])
