"""What a run is judged by: scores on the parts of the data, and how far to trust them."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import metrics
from chainrule.cli.settings import Settings
from chainrule.cli.tasks import Prepared
from chainrule.data import Dataset
from chainrule.models import MLP
from chainrule.train import evaluate

LIMITS = {"accuracy": (0.0, 1.0)}
"""Scores that cannot be anything: no interval goes beyond."""


def measured(model: MLP, settings: Settings, data: Prepared) -> dict[str, Any]:
    """Loss and scores on the validation and the test part, with Wilson's interval of the test accuracy.

    The loss of a regression is that of the target as it was trained on, r2 and mae are in the target's units.
    """
    kept = {"validation": data.parts.validation, "test": data.parts.test}
    if settings.model == "lda":  # validation data was trained on
        del kept["validation"]
    figures: dict[str, Any] = {name: scores(model, settings, part, data) for name, part in kept.items()}
    if "accuracy" in figures["test"]:
        n = len(data.parts.test)
        right = round(figures["test"]["accuracy"] * n)
        figures["intervals"] = {"accuracy": bounds(metrics.wilson_interval(right, n), "Wilson")}
    return figures


def scores(model: MLP, settings: Settings, part: Dataset, data: Prepared) -> dict[str, float]:
    """Loss and scores on one part."""
    found = evaluate(model, part, settings.loss)
    if "mae" in found and data.target_scaler is not None:
        found["mae"] *= float(data.target_scaler.arrays()["std"][0])
    return found


def bounds(interval: metrics.Interval, method: str) -> dict[str, Any]:
    """An interval by name."""
    return {"low": interval.low, "high": interval.high, "confidence": interval.confidence, "method": method}


def together(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds with Student's interval."""
    parts = [part for part in ("validation", "test") if part in runs[0]]
    values = {part: columns([run[part] for run in runs]) for part in parts}
    means = {part: {name: mean(column) for name, column in found.items()} for part, found in values.items()}
    intervals = {
        name: bounds(metrics.mean_interval(column, bounds=LIMITS.get(name)), "Student")
        for name, column in values["test"].items()
        if None not in column
    }
    shared = ("data", "task", "model", "examples", "parameters", "loss", "target", "column", "kind")
    return {
        **{name: runs[0][name] for name in shared if name in runs[0]},
        "seeds": [run["seed"] for run in runs],
        "stopped": "finished",
        **means,
        "intervals": intervals,
        "seconds": sum(run["seconds"] for run in runs),
        "runs": runs,
    }


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Figures of several runs by name."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def mean(column: list[Any]) -> float | None:
    """The mean, if every value is a number."""
    return None if None in column else float(np.mean(column))
