"""Pictures of a run: learning curves, the confusion matrix, predictions against targets, as PNG files."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.base.files import write_atomically

TRAIN, VALIDATION = "#1f77b4", "#d9480f"
"""Blue and orange: told apart by people who do not see red and green apart."""

LOGARITHMIC = 20.0
"""A loss that falls by more than this factor is drawn on a logarithmic scale, or its end would be flat."""

MOST_NUMBERS = 25
"""Classes beyond which a confusion matrix shows shades only: numbers would not be readable."""

LONGEST_NAME = 16
"""Letters of a class name that are shown."""

Row = Mapping[str, Any]
Path = str | os.PathLike[str]


def learning_curve(rows: Sequence[Row], path: Path, title: str = "") -> None:
    """Loss (and accuracy, where there is one) against the epoch, of the training and the validation part.

    The best epoch of the validation part is marked; figures that are not finite are left out.
    """
    panels = [name for name in ("loss", "accuracy") if f"train_{name}" in rows[-1]]
    figure, axes = _figure(panels=len(panels), width=5.0, height=3.8)
    for axis, name in zip(axes, panels, strict=True):
        _curves(axis, rows, name)
    figure.suptitle(title, fontsize=11, parse_math=False)
    _save(figure, path)


def _curves(axis: Any, rows: Sequence[Row], name: str) -> None:
    curves = [("training", _column(rows, f"train_{name}"), TRAIN)]
    if f"validation_{name}" in rows[-1]:
        curves.append(("validation", _column(rows, f"validation_{name}"), VALIDATION))
    epochs = _column(rows, "epoch")
    for label, values, colour in curves:
        few = "o" if np.isfinite(values).sum() < 3 else None
        axis.plot(epochs, values, color=colour, label=label, marker=few, linewidth=1.5)
    label, values, colour = curves[-1]
    if len(curves) == 2 and np.isfinite(values).any():
        best = int(np.nanargmin(values) if name == "loss" else np.nanargmax(values))
        mark = f"best: {values[best]:.4g} in epoch {epochs[best]:.0f}"
        axis.plot(epochs[best], values[best], "o", color=colour, fillstyle="none", markersize=8, label=mark)
    _dress(axis, name, np.concatenate([values for _, values, _ in curves]))


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    values = np.array([row[name] for row in rows], dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _dress(axis: Any, name: str, values: np.ndarray) -> None:
    from matplotlib.ticker import MaxNLocator

    found = values[np.isfinite(values)]
    if not len(found):
        axis.text(0.5, 0.5, "no finite figures", ha="center", transform=axis.transAxes)
    if name == "loss" and len(found) and found.min() > 0 and found.max() > LOGARITHMIC * found.min():
        axis.set_yscale("log")
        name = "loss (logarithmic)"
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")
    axis.set_ylabel(name)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)


def confusion_matrix(matrix: np.ndarray, names: Sequence[str], path: Path, title: str = "") -> None:
    """Counts of true classes (rows) against predicted ones (columns), shaded by their share of the row.

    Mistakes are in orange.
    """
    n = len(names)
    side = min(max(3.2, 0.45 * n), 12.0)
    figure, (axis,) = _figure(panels=1, width=side + 1.6, height=side + 0.9)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shades = axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shades, ax=axis, label="share of the true class", shrink=0.85)
    if n <= MOST_NUMBERS:
        _numbers(axis, matrix, share)
    _names(axis, names)
    right = f"{int(np.trace(matrix)):,} of {int(matrix.sum()):,} right"
    axis.set_title(f"{title}\n{right}" if title else right, fontsize=11, parse_math=False)
    _save(figure, path)


def _numbers(axis: Any, matrix: np.ndarray, share: np.ndarray) -> None:
    for i, j in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if share[i, j] > 0.5 else "black" if i == j else VALIDATION
        weight = "normal" if i == j else "bold"
        size = 9 if matrix.max() < 1000 else 7
        font = {"color": colour, "fontsize": size, "weight": weight}
        axis.text(j, i, str(matrix[i, j]), ha="center", va="center", **font)


def _names(axis: Any, names: Sequence[str]) -> None:
    every = -(-len(names) // 40)  # of a thousand classes, forty are named
    ticks = range(0, len(names), every)
    shown = [n if len(n) <= LONGEST_NAME else n[: LONGEST_NAME - 1] + "…" for n in names[::every]]
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, shown)) > 3 else {}
    axis.set_xticks(ticks, shown, fontsize=9, parse_math=False, **slanted)
    axis.set_yticks(ticks, shown, fontsize=9, parse_math=False)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")


def predictions(targets: np.ndarray, predicted: np.ndarray, path: Path, title: str = "") -> None:
    """Predicted values against true ones; a perfect prediction lies on the line."""
    figure, (axis,) = _figure(panels=1, width=4.6, height=4.4)
    axis.plot(targets, predicted, "o", color=TRAIN, alpha=0.5, markersize=4, markeredgewidth=0)
    axis.axline((float(np.mean(targets)), float(np.mean(targets))), slope=1, color="black", linewidth=0.8)
    axis.set_xlabel("true")
    axis.set_ylabel("predicted")
    axis.grid(alpha=0.3)
    axis.set_title(title, fontsize=11, parse_math=False)
    _save(figure, path)


def _figure(panels: int, width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * panels, height), layout="constrained", dpi=120)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def _save(figure: Any, path: Path) -> None:
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
        figure.savefig(picture, format="png")
    write_atomically(path, picture.getvalue())
