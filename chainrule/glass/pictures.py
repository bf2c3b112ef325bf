"""Pictures of a run: learning curves and the confusion matrix, as PNG files."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.base.files import write_atomically

TRAIN, VALIDATION = "#1f77b4", "#d9480f"
"""Blue and orange: told apart by people who do not see red and green apart."""


def learning_curve(rows: Sequence[dict[str, Any]], path: str | os.PathLike[str], title: str = "") -> None:
    """Loss (and accuracy, where there is one) against the epoch, of the training and the validation part.

    The epoch with the smallest validation loss is marked.
    """
    panels = [name for name in ("loss", "accuracy") if f"train_{name}" in rows[-1]]
    figure, axes = _figure(len(panels))
    for axis, name in zip(axes, panels, strict=True):
        _curves(axis, rows, name)
    if title:
        figure.suptitle(title, fontsize=11)
    _save(figure, path)


def _curves(axis: Any, rows: Sequence[dict[str, Any]], name: str) -> None:
    epochs = [row["epoch"] for row in rows]
    few = "o" if len(rows) < 3 else None
    axis.plot(epochs, [row[f"train_{name}"] for row in rows], color=TRAIN, label="training", marker=few)
    if f"validation_{name}" in rows[-1]:
        values = [row[f"validation_{name}"] for row in rows]
        axis.plot(epochs, values, color=VALIDATION, label="validation", marker=few)
        best = int(np.argmin(values) if name == "loss" else np.argmax(values))
        axis.plot(epochs[best], values[best], "o", color=VALIDATION, fillstyle="none", label=f"best: {values[best]:.3g}")
    axis.set_xlabel("epoch")
    axis.set_ylabel(name)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)


def confusion_matrix(
    matrix: np.ndarray, names: Sequence[str], path: str | os.PathLike[str], title: str = ""
) -> None:
    """Counts of true classes (rows) against predicted ones (columns); mistakes are shaded by their share of the row."""
    n = len(names)
    figure, (axis,) = _figure(1, side=max(4.0, 0.5 * n + 2.0))
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if n <= 30:
        for i, j in np.ndindex(n, n):
            if matrix[i, j]:
                colour = "white" if share[i, j] > 0.5 else "black" if i == j else VALIDATION
                axis.text(j, i, str(matrix[i, j]), ha="center", va="center", color=colour, fontsize=9)
    axis.set_xticks(range(n), names, rotation=90 if max(map(len, names)) > 3 else 0)
    axis.set_yticks(range(n), names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.set_title(title, fontsize=11)
    _save(figure, path)


def _figure(panels: int, side: float = 4.0) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(side * 1.25 * panels, side), layout="constrained", dpi=120)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_atomically(path, picture.getvalue())
