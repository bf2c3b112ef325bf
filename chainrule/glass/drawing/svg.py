"""Boxes with lines of text and edges between them, as SVG: a file that any browser shows, made without a library."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from chainrule.base.errors import OptionError
from chainrule.base.files import write_atomically
from chainrule.glass.drawing.layering import Edge, Layout, layout

FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
"""Letters of one width, so that a text is as wide as it is long, whichever of the fonts is there."""

SIZE = 13.0
LINE = 17.0
MARGIN = 16.0
PADDING = 9.0

NARROW, WIDE = 0.62, 1.25
"""Widths of letters in units of the font's size: the widest of the fonts above has 0.602, a sign that is taken from
another font may be as wide as high, and East Asian letters are."""

COLOURS = {"name": "#1a1a1a", "fact": "#555555", "value": "#0b4a8f", "adjoint": "#b3400a"}
"""What a line of a box tells."""

FILLS = {"layer": "#eaf2fb", "operation": "#ffffff", "leaf": "#e8f4ea", "given": "#f4f4f4", "result": "#fdf1e3"}
"""What a box stands for."""


@dataclass(frozen=True)
class Line:
    """A line of text and what it tells: a key of `COLOURS`."""

    text: str
    tells: str = "fact"


@dataclass(frozen=True)
class Box:
    """Lines of text in a frame; `stands_for` is a key of `FILLS`."""

    lines: Sequence[Line]
    stands_for: str = "operation"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in pixels, never less than the text needs."""
        widest = max((text_width(line.text) for line in self.lines), default=0.0)
        return widest + 2 * PADDING, len(self.lines) * LINE + PADDING


def text_width(text: str, size: float = SIZE) -> float:
    """How wide a text can be in pixels; bold letters of a font of one width are no wider.

    >>> text_width("ab") < text_width("a→")
    True
    """
    return size * sum(map(_letter_width, text))


def shape_text(shape: object) -> str:
    """A shape as it is written in a box: no axes are a scalar."""
    return "scalar" if shape == () else str(shape)


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    return NARROW if ord(letter) < 0x250 or letter in "…−" else WIDE


class Drawing:
    """Boxes and edges with their places; `str` is the SVG, a notebook shows it, `save` writes it."""

    def __init__(self, title: str, boxes: Sequence[Box], edges: Sequence[Edge]) -> None:
        self.title, self.boxes, self.edges = title, list(boxes), list(edges)
        self.layout: Layout = layout([box.size for box in self.boxes], self.edges)

    @property
    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """Left, top, width and height of each box in pixels."""
        sizes = [box.size for box in self.boxes]
        spots = zip(self.layout.centres, self.layout.tops, sizes, strict=True)
        return [(self._left + x - w / 2, MARGIN + LINE + 8 + top, w, h) for x, top, (w, h) in spots]

    @property
    def texts(self) -> list[str]:
        """All lines of all boxes."""
        return [line.text for box in self.boxes for line in box.lines]

    @property
    def width(self) -> float:
        return max(self.layout.width, text_width(self.title)) + 2 * MARGIN

    @property
    def height(self) -> float:
        return self.layout.height + LINE + 8 + 2 * MARGIN

    @property
    def _left(self) -> float:
        return (self.width - self.layout.width) / 2

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the SVG, atomically.

        Raises:
            OptionError: the path does not end in .svg.
            CheckpointError: the file could not be written.
        """
        ending = os.path.splitext(os.fspath(path))[1]
        if ending.lower() != ".svg":
            raise OptionError(
                f"This drawing is saved as SVG, not as {ending or 'a file without ending'}.",
                path=os.fspath(path),
                fix=os.path.splitext(os.fspath(path))[0] + ".svg",
            )
        write_atomically(path, str(self).encode())

    def _repr_svg_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Drawing {self.title!r}: {len(self.boxes)} boxes, {len(self.edges)} edges>"

    def __str__(self) -> str:
        w, h = f"{self.width:.0f}", f"{self.height:.0f}"
        title = f'<text x="{MARGIN:.1f}" y="{MARGIN + SIZE:.1f}" font-weight="bold">{escape(self.title)}</text>'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
                f' font-family="{FONT}" font-size="{SIZE:.0f}">',
                f"<title>{escape(self.title)}</title>",
                '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
                ' orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#777777"/></marker></defs>',
                '<rect width="100%" height="100%" fill="#ffffff"/>',
                title,
                *(self._edge(route) for route in self.layout.routes),
                *(_box(box, place) for box, place in zip(self.boxes, self.rectangles, strict=True)),
                "</svg>\n",
            ]
        )

    def _edge(self, route: list[tuple[tuple[float, float], tuple[float, float]]]) -> str:
        """A line down: straight past boxes, bent between two layers."""
        dx, dy = self._left, MARGIN + LINE + 8
        (x, y), (_, bottom) = route[0]
        d = [f"M{x + dx:.1f} {y + dy:.1f} V{bottom + dy:.1f}"]
        x, y = x, bottom
        for (x2, top), (_, bottom) in route[1:]:
            bend = (y + top) / 2 + dy
            d.append(f"C{x + dx:.1f} {bend:.1f} {x2 + dx:.1f} {bend:.1f} {x2 + dx:.1f} {top + dy:.1f}")
            if bottom != top:
                d.append(f"V{bottom + dy:.1f}")
            x, y = x2, bottom
        return f'<path d="{" ".join(d)}" fill="none" stroke="#777777" stroke-width="1.3" marker-end="url(#tip)"/>'


def _box(box: Box, place: tuple[float, float, float, float]) -> str:
    x, y, w, h = place
    dashes = ' stroke-dasharray="4 3"' if box.stands_for == "given" else ""
    parts = [f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="5"'
             f' fill="{FILLS[box.stands_for]}" stroke="#555555"{dashes}/>']  # fmt: skip
    for k, line in enumerate(box.lines):
        base = y + PADDING / 2 + k * LINE + SIZE
        weight = ' font-weight="bold"' if line.tells == "name" else ""
        parts.append(f'<text x="{x + w / 2:.1f}" y="{base:.1f}" text-anchor="middle" xml:space="preserve"'
                     f' fill="{COLOURS[line.tells]}"{weight}>{escape(line.text)}</text>')  # fmt: skip
    return "<g>" + "".join(parts) + "</g>"
