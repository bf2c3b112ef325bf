"""The loss around a point of the space of weights, over a random plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.glass.drawing.directions import Loss, filter_normalised, losses_at
from chainrule.glass.drawing.sheet import Path, Sheet
from chainrule.glass.still import module_at
from chainrule.nn import Module

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEEP = 20.0
"""A loss that varies by more than this factor is drawn in equal ratios, or its valley would be one colour."""


def landscape(
    model: Module,
    x: Any,
    y: Any,
    loss: Loss,
    span: float = 1.0,
    points: int = 25,
    seed: int = 0,
    path: Path | None = None,
) -> Figure:
    """L(θ + a d₁ + b d₂) for a and b from −span to span, d₁ and d₂ random and filter-normalised.

    The cross is θ, the model's own weights; a step of 1 is as long as the weights are, filter by filter. Equal seeds
    give equal directions. Places where the loss is not finite stay white. A plane is two of very many directions: what
    it shows as a valley may have a way out.

    Args:
        model: any model; it runs in evaluation mode and stays as it is.
        x: examples.
        y: targets.
        loss: function of prediction and target, or its name.
        span: how far to go to each side.
        points: places along each direction; the loss is computed points² times, and an odd number has θ among them.
        seed: of the directions.
        path: where the picture is saved, .png or .svg.

    Raises:
        OptionError: the model is none, there is no such loss, points is below 3, span is not positive, no weight is
            learned, or the path ends otherwise.

    Li et al. (2018), Visualizing the Loss Landscape of Neural Nets.
    """
    steps = steps_of(model, span, points)
    sheet = Sheet(path, 1, 1, 5.4, 4.4)
    directions = [filter_normalised(model, Key(seed) / "landscape" / k) for k in (1, 2)]
    places = np.stack([grid.ravel() for grid in np.meshgrid(steps, steps)], axis=1)
    values = losses_at(model, x, y, loss, directions, places).reshape(points, points)
    _surface(sheet, steps, values)
    sheet.axis.plot([0], [0], "+", color="black", markersize=10, markeredgewidth=1.8, label="θ")
    sheet.axis.set_xlabel("a, along d₁")
    sheet.axis.set_ylabel("b, along d₂")
    sheet.axis.legend(frameon=True, loc="upper right")
    sheet.axis.set_aspect("equal")
    sheet.axis.locator_params(nbins=5)
    return sheet.done("Loss L(θ + a d₁ + b d₂)")


def _surface(sheet: Sheet, steps: np.ndarray, values: np.ndarray) -> None:
    from matplotlib.colors import LogNorm

    shown = np.ma.masked_invalid(values)
    found = shown.compressed()
    steep = len(found) > 0 and found.min() > 0 and found.max() > STEEP * found.min()
    scale = LogNorm(found.min(), found.max()) if steep else None
    shades = sheet.axis.pcolormesh(steps, steps, shown, cmap="viridis", norm=scale, shading="gouraud", rasterized=True)
    sheet.figure.colorbar(shades, ax=sheet.axis, label="loss (logarithmic)" if steep else "loss")
    if len(found) and found.min() < found.max():
        spaced = np.geomspace if steep else np.linspace
        levels = spaced(found.min(), found.max(), 12)[1:-1]
        lines = sheet.axis.contour(steps, steps, shown, levels=levels, colors="white", linewidths=0.8)
        sheet.axis.clabel(lines, levels=levels[len(levels) // 2 :: 2], fontsize=7, fmt="%.3g")


def steps_of(model: Module, span: float, points: int) -> np.ndarray:
    """From −span to span."""
    if points < 3:
        raise OptionError(f"A slice of the loss needs 3 points or more along a direction, got {points}.")
    if not 0 < span < np.inf:
        raise OptionError(f"span must be a positive number, got {span}.", fix="1.0, the length of the weights")
    if not any(p.requires_grad and len(p.shape) > 1 for p in module_at(model, "").parameters()):
        raise OptionError(
            "This model has no learned weights with two axes or more, so there is no direction to go.",
            model=type(model).__name__,
        )
    return np.linspace(-span, span, points)
