"""Learning curves of several runs, with the interval of their mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.glass.drawing.sheet import CLASSES, Path, Sheet
from chainrule.metrics.intervals import check_confidence, mean_interval
from chainrule.train.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Runs = Sequence[Iterable[Mapping[str, Any]]]
"""Histories, one a seed; each gives its rows by epoch."""


def curves(
    histories: Runs | Mapping[str, Runs],
    column: str = "validation_loss",
    confidence: float = 0.95,
    path: Path | None = None,
) -> Figure:
    """The mean of a figure over seeds against the epoch, with Student's interval for that mean.

    Each run is a thin line; the mean and its interval go as far as all runs do: beyond, it would be the mean of those
    that happened to last. One run has no interval. Figures that are not finite leave a gap in mean and interval.

    Args:
        histories: what `fit` returned for each seed; or several such groups by name, to be compared.
        column: the figure, as "train_loss" or "validation_accuracy".
        confidence: of the interval.
        path: where the picture is saved, .png or .svg.

    Raises:
        DataError: there is no history, or one without an epoch.
        OptionError: a history lacks the column, confidence is not between 0 and 1, or the path ends otherwise.
    """
    check_confidence(confidence)
    if isinstance(histories, History):
        raise DataError("draw.curves needs a list of histories, got one of them.", fix="draw.curves([history])")
    groups = dict(histories) if isinstance(histories, Mapping) else {"": histories}
    columns = {name: [_column(name, k, run, column) for k, run in enumerate(runs)] for name, runs in groups.items()}
    if not columns or not all(columns.values()):
        raise DataError("draw.curves needs a history or more.", fix="[cr.fit(...), cr.fit(...)], one a seed")
    sheet = Sheet(path, 1, 1, 5.6, 3.8)
    for k, (name, runs) in enumerate(columns.items()):
        _group(sheet.axis, name, runs, CLASSES[k % len(CLASSES)], confidence)
    sheet.axis.set_xlabel("epoch")
    sheet.axis.set_ylabel(column.replace("_", " "))
    sheet.axis.grid(alpha=0.3)
    sheet.axis.legend(frameon=False)
    return sheet.done()


def _group(axis: Any, name: str, runs: list[tuple[np.ndarray, np.ndarray]], colour: str, confidence: float) -> None:
    shared = min(len(values) for _, values in runs)
    epochs = runs[0][0][:shared]
    bands = [_interval([values[e] for _, values in runs], confidence) for e in range(shared)]
    mean, low, high = np.array(bands).T
    said = f"mean of {len(runs)} runs, {100 * confidence:g} % interval" if len(runs) > 1 else "one run"
    for its_epochs, values in runs if len(runs) > 1 else []:
        axis.plot(its_epochs, values, color=colour, alpha=0.3, linewidth=0.7, label="_run")
    few = "o" if shared < 3 else None
    axis.plot(epochs, mean, color=colour, linewidth=1.8, marker=few, label=f"{name}: {said}" if name else said)
    axis.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)


def _interval(values: list[float], confidence: float) -> tuple[float, float, float]:
    if not np.isfinite(values).all():
        return (np.nan, np.nan, np.nan)
    found = mean_interval(values, confidence)
    return found.estimate, found.low, found.high


def _column(name: str, k: int, run: Iterable[Mapping[str, Any]], column: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and figures of one history."""
    rows = list(run)
    place = f"{name}, number {k}" if name else f"number {k}"
    if not rows:
        raise DataError("A history has no epoch to draw.", history=place)
    if column not in rows[-1]:
        known = ", ".join(c for c in rows[-1] if c != "epoch")
        raise OptionError(f"There is no column {column!r} in a history.", history=place, known=known)
    values = np.array([row[column] for row in rows], dtype=np.float64)
    return np.array([row.get("epoch", e) for e, row in enumerate(rows, start=1)]), np.where(
        np.isfinite(values), values, np.nan
    )
