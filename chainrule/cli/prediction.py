"""Predictions for the rows of a file, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, ShapeError
from chainrule.cli.saved import SavedModel, load_model
from chainrule.data import read_features, read_idx
from chainrule.train import predict, predict_proba


def lines(run: Path, file: Path, proba: bool, as_json: bool) -> Iterator[str]:
    """One line a row of the file: the class or the value, and the probabilities where wanted.

    Raises:
        CheckpointError: the run holds no model.
        DataError: the file is missing or does not have the columns of the training data.
    """
    saved = load_model(run)
    x = saved.inputs(_inputs(saved, file))
    predicted = predict(saved.model, x, saved.task)
    probabilities = predict_proba(saved.model, x) if proba and saved.task == "classification" else None
    for i, value in enumerate(predicted):
        yield _line(saved, value, None if probabilities is None else probabilities[i], as_json)


def _inputs(saved: SavedModel, file: Path) -> np.ndarray:
    if not file.exists():
        raise DataError(f"There is no file {file}.")
    if file.suffix.lower() == ".csv":
        return read_features(file, saved.feature_names, target=saved.settings["target"])
    images = read_idx(file)
    x = images.reshape(len(images), -1).astype(np.float32) / 255
    wanted = next(p.shape[1] for p in saved.model.parameters() if p.ndim == 2)
    if x.shape[1] != wanted:
        raise ShapeError(f"{file.name} has {x.shape[1]} pixels an image, the model takes {wanted}.")
    return x


def _line(saved: SavedModel, value: Any, probabilities: np.ndarray | None, as_json: bool) -> str:
    shown = saved.class_names[int(value)] if saved.task == "classification" else np.asarray(value).tolist()
    if not as_json:
        parts = [] if probabilities is None else [f"{n}={p:.4f}" for n, p in zip(saved.class_names, probabilities, strict=True)]
        return "\t".join([str(shown), *parts])
    facts: dict[str, Any] = {"prediction": shown}
    if probabilities is not None:
        facts["probabilities"] = dict(zip(saved.class_names, map(float, probabilities), strict=True))
    return json.dumps(facts)
