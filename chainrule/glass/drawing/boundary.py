"""What a classifier of two numbers says where: its decision boundary, and the line of each hidden unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.glass.drawing.sheet import CLASSES, GREY, Path, Sheet, finite
from chainrule.nn import Linear, Module
from chainrule.train.evaluate import outputs
from chainrule.train.objective import labels_of, one_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOM = 0.12
"""Part of the data's range that is shown on each side of it."""


def boundary(
    model: Module, x: Any, y: Any, threshold: float = 0.0, resolution: int = 240, path: Path | None = None
) -> Figure:
    """The plane coloured by the class that the model says, the data over it, and the lines wᵀx + b = 0.

    Each unit of the first dense layer of two inputs has a line: on it the unit's z is 0, where a ReLU has its kink and
    a sigmoid its middle. A small arrow points to where z is positive.

    Args:
        model: a classifier, with K outputs (the largest wins) or one.
        x: examples, (n, 2).
        y: classes (n,), counted from 0; 0 and 1, or −1 and 1, for a model with one output.
        threshold: above it one output says 1; 0.5 for a model that ends in a sigmoid.
        resolution: points along each side at which the model is asked.
        path: where the picture is saved, .png or .svg.

    Raises:
        ShapeError: x is not (n, 2), or y is not n classes.
        DataError: x or y has no numbers, or some that are not finite.
        OptionError: the resolution is below 2, or the path ends otherwise.
    """
    points, classes = _checked(x, y, resolution)
    sheet = Sheet(path, 1, 1, 6.4, 4.8)
    low, high = points.min(axis=0), points.max(axis=0)
    room = ROOM * np.where(high > low, high - low, 1.0)
    low, high = low - room, high + room
    across, up = (np.linspace(low[k], high[k], resolution) for k in (0, 1))
    grid = np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1)
    z = outputs(model, grid)
    single = one_output(z.shape)
    said = labels_of(z - threshold if single else z).reshape(resolution, resolution).astype(int)
    truth = (classes > 0).astype(int) if single else classes.astype(int)
    _areas(sheet.axis, across, up, said, int(max(said.max(), truth.max())) + 1)
    for k in np.unique(truth):
        of_class = points[truth == k]
        colour = CLASSES[k % len(CLASSES)]
        sheet.axis.plot(*of_class.T, "o", color=colour, markeredgecolor="white", markeredgewidth=0.5, markersize=5,
                        label=f"class {k}")  # fmt: skip
    _lines(sheet.axis, model, low, high)
    sheet.axis.set_xlim(low[0], high[0])
    sheet.axis.set_ylim(low[1], high[1])
    sheet.axis.set_xlabel("x₁")
    sheet.axis.set_ylabel("x₂")
    sheet.figure.legend(*sheet.axis.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return sheet.done()


def _checked(x: Any, y: Any, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    points, classes = finite("x", x), finite("y", y).ravel()
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(
            f"draw.boundary shows a plane: it needs two features, got x of shape {points.shape}.",
            fix="train on two columns, x[:, :2]",
        )
    if len(classes) != len(points):
        raise ShapeError(f"There are {len(points)} examples, but {len(classes)} classes.")
    if resolution < 2:
        raise OptionError(f"resolution must be 2 or more, got {resolution}.")
    return points.astype(np.float64), classes


def _areas(axis: Any, across: np.ndarray, up: np.ndarray, said: np.ndarray, n: int) -> None:
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([CLASSES[k % len(CLASSES)] for k in range(n)])
    axis.pcolormesh(across, up, said, cmap=colours, vmin=-0.5, vmax=n - 0.5, alpha=0.25, shading="nearest",
                    linewidth=0, rasterized=True)  # fmt: skip
    for k in np.unique(said)[1:]:  # an edge between two areas is that of the higher class
        axis.contour(across, up, said == k, levels=[0.5], colors="black", linewidths=1.4)


def _lines(axis: Any, model: Module, low: np.ndarray, high: np.ndarray) -> None:
    """wᵀx + b = 0 of each unit, from edge to edge, with an arrow at its middle along w."""
    layer = next((m for m in model.modules() if isinstance(m, Linear) and m.weight.shape[1] == 2), None)
    if layer is None:
        return
    bias = np.zeros(layer.weight.shape[0]) if layer.bias is None else layer.bias.numpy()
    for k, (w, b) in enumerate(zip(layer.weight.numpy().astype(float), bias.astype(float), strict=True)):
        ends = crossing(w, b, low, high)
        if ends is None:
            continue
        name = "hidden units: z = 0" if k == 0 else f"_z{k + 1} = 0"
        axis.plot(*ends.T, color=GREY, linewidth=1.0, linestyle="--", label=name)
        middle, step = ends.mean(axis=0), 0.05 * np.min(high - low) * w / np.hypot(*w)
        axis.annotate("", middle + step, middle, arrowprops={"arrowstyle": "->", "color": GREY})


def crossing(w: np.ndarray, b: float, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Where the line wᵀx + b = 0 enters and leaves a rectangle: (2, 2), a row a point; None where it does not.

    >>> crossing(np.array([1.0, 0.0]), -0.5, np.zeros(2), np.ones(2)).tolist()
    [[0.5, 0.0], [0.5, 1.0]]
    """
    found = []
    for fixed in (0, 1):
        free = 1 - fixed
        for edge in (low[fixed], high[fixed]):
            if w[free]:
                at = -(b + w[fixed] * edge) / w[free]
                if low[free] <= at <= high[free]:
                    found.append([edge, at] if fixed == 0 else [at, edge])
    ends = np.unique(np.array(found).reshape(-1, 2), axis=0)
    return ends[[0, -1]] if len(ends) > 1 else None
