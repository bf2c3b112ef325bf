"""A sheet of paper for matplotlib: panels, a title, and a file written whole, the same for the same picture."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.base.files import write_atomically
from chainrule.core import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Path = str | os.PathLike[str]

FORMATS = (".png", ".svg")

BLUE, ORANGE, GREY = "#1f77b4", "#d9480f", "#777777"
"""Told apart by people who do not see red and green apart."""

CLASSES = ("#1f77b4", "#d9480f", "#2a9d6f", "#8a5cc2", "#c79a00", "#5b6770", "#d16ba5", "#17a2b8")
"""Colours of classes and of runs; the ninth has the first again."""


class Sheet:
    """A figure with rows and columns of panels, each of a width and height in inches; `done` saves and gives it.

    The path is looked at first, so that nothing is computed for a picture that cannot be saved.

    Raises:
        OptionError: the path ends in neither .png nor .svg.
    """

    def __init__(self, path: Path | None, rows: int, columns: int, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        if path is not None and (ending := _ending(path)) not in FORMATS:
            raise OptionError(
                f"A figure is saved as PNG or SVG, not as {ending or 'a file without ending'}.",
                path=os.fspath(path),
                fix=os.path.splitext(os.fspath(path))[0] + ".png",
            )
        self.path = path
        self.figure = Figure(figsize=(width * columns, height * rows), layout="constrained", dpi=120)
        self.panels = self.figure.subplots(rows, columns, squeeze=False)

    @property
    def axis(self) -> Any:
        """The first panel, of a sheet with one the only one."""
        return self.panels[0, 0]

    def done(self, title: str = "") -> Figure:
        """The figure, written to its path where it has one."""
        if title:
            self.figure.suptitle(title, fontsize=11, parse_math=False)
        if self.path is not None:
            write_atomically(self.path, self._bytes(_ending(self.path)[1:]))
        return self.figure

    def svg(self, title: str = "") -> str:
        """The figure as the text of an SVG."""
        if title:
            self.figure.suptitle(title, fontsize=11, parse_math=False)
        return self._bytes("svg").decode()

    def _bytes(self, kind: str) -> bytes:
        from matplotlib import rc_context

        picture = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {}  # equal pictures are equal files
        with warnings.catch_warnings(), rc_context({"svg.hashsalt": "chainrule"}):
            warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
            self.figure.savefig(picture, format=kind, metadata=metadata)
        return picture.getvalue()


def _ending(path: Path) -> str:
    return os.path.splitext(os.fspath(path))[1].lower()


def plain(x: Any) -> np.ndarray:
    """A tensor, a list or an array of any backend as a NumPy array."""
    return x.numpy() if isinstance(x, Tensor) else np.asarray(x)


def finite(what: str, x: Any) -> np.ndarray:
    """The numbers as an array.

    Raises:
        DataError: there are none, or NaN or infinity is among them.
    """
    array = plain(x)
    if not array.size:
        raise DataError(f"{what} has no numbers to draw.", shape=array.shape)
    if array.dtype.kind == "f" and not (good := np.isfinite(array)).all():
        first = tuple(int(i) for i in np.argwhere(~good)[0])
        raise DataError(
            f"{what} has {int((~good).sum())} of {array.size} numbers that are not finite.",
            first=f"{array[first]} at {first}",
        )
    return array


def maps(sheet: Sheet, pictures: Sequence[np.ndarray | None], names: Sequence[str], **shades: Any) -> None:
    """One picture a panel, in one scale of colours that is told at the side; of None the panel is empty."""
    drawn: Any = None
    for axis, picture, name in zip(sheet.panels.flat, pictures, names, strict=False):
        if picture is None:
            axis.set_axis_off()
            continue
        drawn = axis.imshow(picture, interpolation="nearest", **shades)
        axis.set_title(name, fontsize=8, parse_math=False)
        axis.set_xticks([])
        axis.set_yticks([])
    for axis in list(sheet.panels.flat)[len(pictures) :]:
        axis.set_axis_off()
    sheet.figure.colorbar(drawn, ax=sheet.panels, shrink=0.8)
