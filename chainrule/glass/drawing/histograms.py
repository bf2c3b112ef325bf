"""How the numbers of a layer spread while it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.glass.drawing.sheet import ORANGE, Path, Sheet, finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUANTILES = (0.05, 0.5, 0.95)


def histograms(
    recorded: Mapping[int, Any] | Sequence[Any], name: str = "value", bins: int = 60, path: Path | None = None
) -> Figure:
    """The distribution of weights, activations or gradients while a network learns: a column a recorded step.

    A column is the share of that step's numbers in each of `bins` equal intervals; lines are the median and the
    quantiles of 5 % and 95 %.

    Args:
        recorded: arrays of any shape by step, {0: w₀, 100: w₁₀₀}; a sequence counts its steps from 0.
        name: what the numbers are.
        bins: number of intervals.
        path: where the picture is saved, .png or .svg.

    Raises:
        DataError: nothing is recorded, or numbers that are not finite.
        OptionError: bins is below 1, or the path ends otherwise.
    """
    if bins < 1:
        raise OptionError(f"bins must be 1 or more, got {bins}.")
    by_step = dict(recorded) if isinstance(recorded, Mapping) else dict(enumerate(recorded))
    if not by_step:
        raise DataError("Nothing is recorded, so there is no histogram to draw.", fix="{step: array, ...}")
    steps = sorted(by_step)
    columns = [finite(f"Step {s}", by_step[s]).ravel().astype(np.float64) for s in steps]
    sheet = Sheet(path, 1, 1, 6.0, 3.8)
    edges = np.histogram_bin_edges(np.concatenate([[c.min(), c.max()] for c in columns]), bins)
    shares = np.stack([np.histogram(c, edges)[0] / c.size for c in columns], axis=1)  # (bins, steps)
    axis = sheet.axis
    shades = axis.pcolormesh(_borders(steps), edges, shares, cmap="Blues", vmin=0, rasterized=True)
    sheet.figure.colorbar(shades, ax=axis, label="share of the numbers")
    few = "o" if len(steps) < 3 else None
    for q, line in zip(QUANTILES, ("--", "-", "--"), strict=True):
        label = "median" if q == 0.5 else "5 % and 95 %" if q == QUANTILES[0] else None
        values = [np.quantile(c, q) for c in columns]
        axis.plot(steps, values, line, color=ORANGE, linewidth=1.2, marker=few, markersize=4, label=label)
    axis.set_xlabel("step")
    axis.set_ylabel(name, parse_math=False)
    axis.legend(frameon=False, fontsize=8)
    return sheet.done()


def _borders(steps: Sequence[int]) -> np.ndarray:
    """Where a column ends and the next one starts: half-way between steps."""
    s = np.asarray(steps, dtype=np.float64)
    if len(s) == 1:
        return np.array([s[0] - 0.5, s[0] + 0.5])
    middle = (s[1:] + s[:-1]) / 2
    return np.concatenate([[2 * s[0] - middle[0]], middle, [2 * s[-1] - middle[-1]]])
