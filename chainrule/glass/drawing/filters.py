"""What a convolution looks for: its filters as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.glass.drawing.sheet import Path, Sheet, finite, maps
from chainrule.nn import ConvTranspose1d, ConvTranspose2d, Module

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST, CHANNELS = 32, 8
"""Filters, and channels of each, that are shown; more are too small to be seen."""

COLUMNS = 8


def filters(layer: Module, path: Path | None = None) -> Figure:
    """The weights of a convolution (out, in, height, width), red where positive, blue where negative, white at 0.

    Filters stand side by side, 8 a row, and below each its further input channels; all panels have one scale. Of many
    filters the first 32 are shown, of many channels the first 8, and the title tells of how many.

    Raises:
        OptionError: the layer has no such weights, or the path ends otherwise than .png or .svg.
        DataError: a weight is not finite.
    """
    weight = getattr(layer, "weight", None)
    if weight is None or len(weight.shape) not in (3, 4):
        raise OptionError(
            f"draw.filters needs a convolution, got {layer!r}.",
            fix="a layer of the model, as draw.filters(model.conv1)",
        )
    w = finite("The weight", weight)
    w = w.swapaxes(0, 1) if isinstance(layer, ConvTranspose1d | ConvTranspose2d) else w  # those are (in, out, …)
    w = w[:, :, None] if w.ndim == 3 else w  # one-dimensional filters are one row high
    n, channels = min(len(w), MOST), min(w.shape[1], CHANNELS)
    columns = min(n, COLUMNS)
    places = [(i, j) for start in range(0, n, columns) for j in range(channels) for i in range(start, start + columns)]
    shown = [w[i, j] if i < n else None for i, j in places]
    names = [f"{i}" if w.shape[1] == 1 else f"{i}, {j}" for i, j in places]
    sheet = Sheet(path, len(shown) // columns, columns, 0.95, 1.05)
    largest = float(np.abs(w[:n, :channels]).max()) or 1.0
    maps(sheet, shown, names, cmap="RdBu_r", vmin=-largest, vmax=largest)
    return sheet.done(f"{_count(n, len(w), 'filter')}\n{_count(channels, w.shape[1], 'channel')}")


def _count(shown: int, there: int, what: str) -> str:
    plural = f"{there} {what}{'s' * (there != 1)}"
    return plural if shown == there else f"{shown} of {plural}"
