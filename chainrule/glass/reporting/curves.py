"""The section on the curves: losses and scores by epoch, and the loss of every update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.glass.drawing.chart import Chart, Layer
from chainrule.glass.drawing.sheet import BLUE, GREY, ORANGE
from chainrule.glass.pictures import LOGARITHMIC
from chainrule.glass.reporting.markup import Html, figures, joined, number, paragraph, percent
from chainrule.glass.reporting.subject import Subject

TITLE = "Learning curves"

SCORES = {"loss": "loss", "accuracy": "accuracy", "r2": "R²", "mae": "mean absolute error"}

SMOOTH = 0.02
"""Of all updates: over so many the running mean goes."""


def section(subject: Subject) -> Html:
    """A chart for each figure of the history."""
    if not subject.rows:
        words = paragraph("The run has no history: it was solved at once, or ended before its first epoch.")
        return joined([words, figures(*by_update(subject))])
    drawn = [*by_epoch(subject.rows), *by_update(subject)]
    return joined([said(subject.rows, subject.stopped), figures(*drawn)])


def said(rows: Sequence[Any], stopped: str) -> Html:
    """The end of the curves in words."""
    last, first = rows[-1], rows[0]
    words = [f"{len(rows)} epochs"] if len(rows) > 1 else ["1 epoch"]
    ended = f" ({stopped})" if stopped else ""
    words.append(f"training loss from {number(first['train_loss'])} to {number(last['train_loss'])}")
    if "validation_loss" in last:
        values = column(rows, "validation_loss")
        best = int(np.nanargmin(values)) if np.isfinite(values).any() else len(rows) - 1
        words.append(f"validation loss least in epoch {rows[best]['epoch']}: {number(float(values[best]))}")
    return paragraph(f"{words[0]}{ended}; ", "; ".join(words[1:]), ".")


def by_epoch(rows: Sequence[Any]) -> Iterator[tuple[Chart, str]]:
    """Training beside validation, one chart a score; and the learning rate where it changes."""
    epochs = column(rows, "epoch")
    for name, called in SCORES.items():
        layers = [
            Layer(epochs, column(rows, f"{part}_{name}"), part if part == "validation" else "training", colour)
            for part, colour in (("train", BLUE), ("validation", ORANGE))
            if f"{part}_{name}" in rows[-1]
        ]
        if layers:
            log = name == "loss" and is_wide(np.concatenate([layer.y for layer in layers]))
            label = f"{called}, logarithmic" if log else called
            yield Chart(layers, "epoch", label, log, best(layers[-1], name, len(layers) > 1), name), caption(name)
    if "lr" in rows[-1] and len(set(column(rows, "lr"))) > 1:
        yield (
            Chart([Layer(epochs, column(rows, "lr"))], "epoch", "learning rate"),
            "The learning rate at the end of each epoch.",
        )


def by_update(subject: Subject) -> Iterator[tuple[Chart, str]]:
    """The loss of each batch, and a running mean."""
    evidence = subject.evidence
    if evidence is None or len(evidence.losses) < 10:
        return
    losses = evidence.losses
    n = max(1, round(SMOOTH * len(losses)))
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    mean = (sums[n:] - sums[:-n]) / n
    steps = np.arange(len(losses))
    layers = [
        Layer(steps, losses, "batch", GREY, faint=True),
        Layer(steps[n - 1 :], mean, f"mean of {n}" if n > 1 else "", BLUE),
    ]
    log = is_wide(losses)
    label = "loss, logarithmic" if log else "loss"
    yield Chart(layers, "update", label, log), "The training loss of each batch before its update."


def best(layer: Layer, name: str, validated: bool) -> tuple[float, float, str] | None:
    """The best epoch of the validation part."""
    if not validated or not np.isfinite(layer.y).any():
        return None
    i = int(np.nanargmin(layer.y) if name in ("loss", "mae") else np.nanargmax(layer.y))
    shown = percent(layer.y[i]) if name == "accuracy" else number(float(layer.y[i]))
    return float(layer.x[i]), float(layer.y[i]), f"best: {shown}"


def caption(name: str) -> str:
    """What a chart shows."""
    return {
        "loss": "Loss by epoch; in training it is measured while it goes on, dropout and all.",
        "accuracy": "Share of right answers by epoch.",
        "r2": "Coefficient of determination by epoch: 1 is perfect, 0 no better than the mean.",
        "mae": "Mean absolute error by epoch, of the target as it was trained on.",
    }[name]


def is_wide(values: np.ndarray) -> bool:
    """Whether values span so much that their end would be flat."""
    good = values[np.isfinite(values)]
    return bool(good.size and good.min() > 0 and good.max() > LOGARITHMIC * good.min())


def column(rows: Sequence[Any], name: str) -> np.ndarray:
    """A column of the history; NaN where a row lacks it."""
    return np.array([np.nan if row.get(name) in (None, "") else float(row[name]) for row in rows])
