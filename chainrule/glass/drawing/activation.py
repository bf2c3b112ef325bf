"""An activation function with its derivative, and where it saturates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import nn, ops
from chainrule.base.errors import OptionError
from chainrule.core import grad
from chainrule.glass.drawing.sheet import BLUE, GREY, ORANGE, Path, Sheet, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 801

SATURATED = 0.05
"""A slope below this part of the largest one lets a delta shrink twentyfold: there a unit hardly learns."""

ROUNDING = 1e-6
"""A slope below this part of the largest one has no sign: far out, rounding gives it one or the other."""


def activation(
    function: str | Callable[[Any], Any], low: float = -6.0, high: float = 6.0, path: Path | None = None
) -> Figure:
    """f(z) and f′(z) from `low` to `high`; zones where |f′| < 0.05 max |f′| are shaded: there f is saturated.

    Args:
        function: the name of an activation ("tanh"), a module (`nn.LeakyReLU(0.2)`) or a function of tensors.
        low: the smallest z.
        high: the largest z.
        path: where the picture is saved, .png or .svg.

    Raises:
        OptionError: no activation has this name, low is not below high, or the path ends otherwise.
    """
    if not low < high:
        raise OptionError(f"An activation is drawn from a lower to a higher number, got {low} to {high}.")
    f = nn.activation(function) if isinstance(function, str) else function
    name = function if isinstance(function, str) else getattr(f, "__name__", repr(f))
    sheet = Sheet(path, 1, 1, 5.4, 3.8)
    z = np.linspace(low, high, POINTS)
    y, slope = plain(f(z)), plain(grad(lambda v: ops.sum(f(v)))(z))
    axis = sheet.axis
    axis.axhline(0, color=GREY, linewidth=0.6)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.plot(z, y, color=BLUE, label="f(z)", linewidth=1.8)
    axis.plot(z, slope, color=ORANGE, label="f′(z)", linewidth=1.8, linestyle="--")
    for k, (start, end) in enumerate(zones(z, slope)):
        axis.axvspan(start, end, color=GREY, alpha=0.18, linewidth=0, label="saturated" if k == 0 else None)
    axis.set_xlim(low, high)
    axis.set_xlabel("z")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return sheet.done(name)


def zones(z: np.ndarray, slope: np.ndarray) -> list[tuple[float, float]]:
    """Stretches of z where |slope| is less than 0.05 of its largest; all of them where it is 0 everywhere.

    Where the slope changes its sign, as at the lowest point of GELU, f turns and does not saturate.

    >>> zones(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 0.01]))
    [(0.0, 1.0), (3.0, 3.0)]
    """
    steep = np.abs(slope)
    flat = steep < SATURATED * steep.max() if steep.max() else np.ones(len(z), bool)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(int), [0]])))
    stretches = [range(a, b) for a, b in ends.reshape(-1, 2)]
    nothing = ROUNDING * steep.max()
    return [
        (float(z[s[0]]), float(z[s[-1]])) for s in stretches if slope[s].min() >= -nothing or slope[s].max() <= nothing
    ]
