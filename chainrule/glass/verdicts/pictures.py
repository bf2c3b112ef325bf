"""Pictures of evidence, as SVG: curves over steps, a figure for each layer, distributions, shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.glass.drawing.sheet import BLUE, CLASSES, GREY, ORANGE, Sheet

MOST = 400
"""Points of a curve that are drawn; longer ones are means over stretches."""


def curves(
    title: str,
    lines: Mapping[str, tuple[Any, Any]],
    x: str = "step",
    y: str = "loss",
    level: tuple[str, float] | None = None,
) -> str:
    """Lines by name, each its places and its values; where values differ by more than 20 times, logarithmic."""
    sheet = Sheet(None, 1, 1, 6.0, 3.6)
    axis, all_values = sheet.axis, []
    for (name, (places, values)), colour in zip(lines.items(), CLASSES, strict=False):
        places, values = thinned(places), thinned(values)
        axis.plot(places, values, color=colour, label=name, linewidth=1.5, marker="o" if len(values) < 4 else None)
        all_values.append(values[np.isfinite(values)])
    if level is not None:
        axis.axhline(level[1], color=GREY, linestyle="--", linewidth=1, label=level[0])
    found = np.concatenate(all_values)
    if len(found) and found.min() > 0 and found.max() > 20 * found.min():
        axis.set_yscale("log")
    return finished(sheet, title, x, y, legend=len(lines) > 1 or level is not None)


def by_layer(
    title: str,
    names: Sequence[str],
    rows: Mapping[str, Any],
    y: str,
    log: bool = False,
    mark: int | None = None,
) -> str:
    """Values for each layer from the input to the output, one line for each row; the marked layer has a dot."""
    sheet = Sheet(None, 1, 1, max(5.0, 0.55 * len(names) + 2), 3.8)
    axis, place = sheet.axis, np.arange(len(names))
    for (name, values), colour in zip(rows.items(), CLASSES, strict=False):
        shown = np.asarray(values, dtype=np.float64)
        axis.plot(place, np.where(shown > 0, shown, np.nan) if log else shown, color=colour, marker="o", label=name)
        if mark is not None:
            axis.plot(place[mark], shown[mark], "o", color=ORANGE, fillstyle="none", markersize=13)
    if log and any(np.asarray(v).max() > 0 for v in rows.values()):
        axis.set_yscale("log")
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len("".join(names)) > 30 else {}
    axis.set_xticks(place, names, fontsize=8, parse_math=False, **slanted)
    return finished(sheet, title, "layer, from input to output", y, legend=len(rows) > 1)


def distribution(title: str, values: Mapping[str, Any], x: str, zones: Sequence[tuple[float, float]] = ()) -> str:
    """Histograms of values by name, over each other; zones are shaded."""
    sheet = Sheet(None, 1, 1, 6.0, 3.6)
    every = np.concatenate([np.ravel(v) for v in values.values()]).astype(np.float64)
    edges = np.histogram_bin_edges(every[np.isfinite(every)], 60)
    for (name, numbers), colour in zip(values.items(), CLASSES, strict=False):
        numbers = np.ravel(numbers).astype(np.float64)
        weights = np.full(numbers.size, 1 / max(1, numbers.size))
        sheet.axis.hist(numbers, edges, weights=weights, color=colour, alpha=0.65, label=name)
    for low, high in zones:
        sheet.axis.axvspan(low, high, color=ORANGE, alpha=0.12, linewidth=0)
    return finished(sheet, title, x, "share", legend=len(values) > 1)


def bars(title: str, values: Mapping[str, float], y: str, marked: Sequence[str] = (), log: bool = False) -> str:
    """One bar a name; those that are marked in orange."""
    sheet = Sheet(None, 1, 1, max(4.5, 0.5 * len(values) + 2), 3.6)
    colours = [ORANGE if name in marked else BLUE for name in values]
    place = np.arange(len(values))
    sheet.axis.bar(place, list(values.values()), color=colours, width=0.7)
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len("".join(values)) > 40 else {}
    sheet.axis.set_xticks(place, list(values), fontsize=8, parse_math=False, **slanted)
    if log:
        sheet.axis.set_yscale("log")
    return finished(sheet, title, "", y)


def finished(sheet: Sheet, title: str, x: str, y: str, legend: bool = False) -> str:
    """The picture with its words, as SVG."""
    axis = sheet.axis
    axis.set_xlabel(x, parse_math=False)
    axis.set_ylabel(y, parse_math=False)
    axis.grid(alpha=0.3)
    if legend:
        axis.legend(frameon=False, fontsize=8)
    return sheet.svg(title)


def thinned(values: Any) -> np.ndarray:
    """At most so many points as can be told apart: the means of equal stretches."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) <= MOST:
        return values
    stretch = -(-len(values) // MOST)
    whole = len(values) // stretch * stretch
    return values[:whole].reshape(-1, stretch).mean(axis=1)
