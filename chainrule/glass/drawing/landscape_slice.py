"""The loss around a point of the space of weights, along random lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.glass.drawing.directions import Loss, filter_normalised, losses_at
from chainrule.glass.drawing.landscape import steps_of
from chainrule.glass.drawing.sheet import CLASSES, GREY, Path, Sheet
from chainrule.nn import Module

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def landscape_slice(
    model: Module,
    x: Any,
    y: Any,
    loss: Loss,
    lines: int = 3,
    span: float = 1.0,
    points: int = 51,
    seed: int = 0,
    path: Path | None = None,
) -> Figure:
    """L(θ + a dₖ) for a from −span to span along a few random filter-normalised directions d₁, d₂, …

    At a = 0 all lines meet in the loss of the model. As in `landscape`, whose directions d₁ and d₂ these are.

    Raises:
        OptionError: the model is none, there is no such loss, lines is below 1, points below 3, span is not positive,
            no weight is learned, or the path ends otherwise than .png or .svg.

    Li et al. (2018), Visualizing the Loss Landscape of Neural Nets.
    """
    if lines < 1:
        raise OptionError(f"lines must be 1 or more, got {lines}.")
    steps = steps_of(model, span, points)
    sheet = Sheet(path, 1, 1, 5.4, 3.8)
    for k in range(1, lines + 1):
        direction = filter_normalised(model, Key(seed) / "landscape" / k)
        values = losses_at(model, x, y, loss, [direction], steps[:, None])
        sheet.axis.plot(steps, values, color=CLASSES[(k - 1) % len(CLASSES)], label=f"along d{_low(k)}")
    sheet.axis.axvline(0, color=GREY, linewidth=0.8)
    sheet.axis.set_xlabel("a")
    sheet.axis.set_ylabel("loss")
    sheet.axis.grid(alpha=0.3)
    sheet.axis.legend(frameon=False)
    return sheet.done("Loss L(θ + a d)")


def _low(k: int) -> str:
    """A number as an index below the line."""
    return str(k).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
