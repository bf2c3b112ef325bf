"""What a recurrent layer remembers: its hidden state over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.glass.drawing.sheet import Path, Sheet, finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = 40
"""Moments that are named; of more, some."""


def hidden_states(states: Any, inputs: Sequence[str] | None = None, path: Path | None = None) -> Figure:
    """The states hₜ of one sequence: a column a moment, a row a unit; red is positive, blue negative, white 0.

    Args:
        states: (time, units), as the first result of `nn.LSTM` for one sequence.
        inputs: what came in at each moment, such as letters.
        path: where the picture is saved, .png or .svg.

    Raises:
        ShapeError: the states have other axes.
        DataError: a state is not finite.
        OptionError: there are not as many inputs as moments, or the path ends otherwise.
    """
    from matplotlib.ticker import MaxNLocator

    h = finite("states", states)
    if h.ndim != 2:
        raise ShapeError(
            f"draw.hidden_states shows one sequence (time, units), got shape {h.shape}.",
            fix="states[0] with batch_first=True, states[:, 0] without",
        )
    time, units = h.shape
    if inputs is not None and len(inputs) != time:
        raise OptionError(f"There are {time} moments, but {len(inputs)} inputs.")
    sheet = Sheet(path, 1, 1, min(max(4.0, 0.22 * time + 1.6), 14.0), min(max(2.6, 0.16 * units + 1.2), 9.0))
    largest = float(np.abs(h).max()) or 1.0
    axis = sheet.axis
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(integer=True))
    shades = axis.imshow(h.T, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    sheet.figure.colorbar(shades, ax=axis, label="h")
    if inputs is not None:
        every = -(-time // NAMED)
        names = [str(name) for name in inputs][::every]
        axis.set_xticks(range(0, time, every), names, fontsize=8, parse_math=False)
    axis.set_xlabel("time")
    axis.set_ylabel("unit")
    return sheet.done()
