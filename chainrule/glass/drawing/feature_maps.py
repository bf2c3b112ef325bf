"""What a convolution finds: its feature maps for one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.base.errors import ShapeError
from chainrule.glass.drawing.sheet import Path, Sheet, finite, maps
from chainrule.nn import Module
from chainrule.train.evaluate import outputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 32
"""Maps that are shown; more are too small to be seen."""

COLUMNS = 8


def feature_maps(layer: Module, image: Any, path: Path | None = None) -> Figure:
    """The channels that a layer, or the first layers of a model, gives for one image, in one scale of grey.

    Args:
        layer: a module with maps (1, channels, height, width) as its result; it runs in evaluation mode.
        image: (channels, height, width), or (1, channels, height, width).
        path: where the picture is saved, .png or .svg.

    Raises:
        ShapeError: there is more than one image, or the result is no set of maps.
        DataError: the image or a map is not finite.
        OptionError: the path ends otherwise.
    """
    x = finite("The image", image)
    x = x[None] if x.ndim == 3 else x
    if x.ndim != 4 or len(x) != 1:
        raise ShapeError(
            f"draw.feature_maps shows one image (channels, height, width), got shape {x.shape}.", fix="images[0]"
        )
    found = finite("The result", outputs(layer, x))
    if found.ndim != 4:
        raise ShapeError(
            f"The result has shape {found.shape}, and maps have (1, channels, height, width).",
            fix="a convolution, an activation or a pooling, before the layer that flattens",
        )
    there = found.shape[1]
    shown = list(found[0, :MOST])
    columns = min(len(shown), COLUMNS)
    sheet = Sheet(path, -(-len(shown) // columns), columns, 1.15, 1.3)
    low, high = min(m.min() for m in shown), max(m.max() for m in shown)
    maps(sheet, shown, [str(k) for k in range(len(shown))], cmap="gray", vmin=low, vmax=high)
    few = f"{there} feature map{'s' * (there != 1)}"
    return sheet.done(few if there <= MOST else f"{MOST} of {few}")
