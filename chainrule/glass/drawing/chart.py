"""Charts as SVG made without a library: lines, points and bars over two axes, light enough to stand in a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil
from typing import Any

import numpy as np

from chainrule.glass.drawing.axis import Axis
from chainrule.glass.drawing.sheet import BLUE, GREY

WIDTH, HEIGHT = 440.0, 270.0
TOP, BOTTOM, RIGHT = 30.0, 44.0, 14.0

SIZE = 12.0
"""Letters in pixels."""

LETTER = 0.62
"""The width of a letter in units of its size, never less than it takes."""

FONT = "system-ui, 'DejaVu Sans', sans-serif"

MOST = 400
"""Points of a line; of more, so many stretches are drawn by their means."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Numbers drawn in one way: kind "line", "points", "bars" or "rule" (a line that is no data)."""

    x: np.ndarray
    y: np.ndarray
    name: str = ""
    colour: str = BLUE
    kind: str = "line"
    faint: bool = False


@dataclass(eq=False)
class Chart:
    """Layers over two axes; `str` is the SVG. Numbers that are not finite are left out.

    `log` scales the vertical axis logarithmically, where all numbers are positive. `mark` is a place told in words.
    """

    layers: Sequence[Layer]
    x_label: str = ""
    y_label: str = ""
    log: bool = False
    mark: tuple[float, float, str] | None = None
    title: str = ""
    width: float = WIDTH
    height: float = HEIGHT
    across: Axis = field(init=False)
    up: Axis = field(init=False)

    def __post_init__(self) -> None:
        pairs = [finite(layer) for layer in self.layers]
        xs, ys = (np.concatenate([pair[k] for pair in pairs] or [np.zeros(0)]) for k in (0, 1))
        bars = any(layer.kind == "bars" for layer in self.layers)
        self.up = Axis.over(
            np.append(ys, 0.0) if bars else ys, self.log and bool((ys > 0).all()), 0.0 if bars else 0.05
        )
        left = 12 + SIZE * LETTER * max(len(label) for _, label in self.up.ticks) + (18 if self.y_label else 0)
        self.up.pixels = (self.height - BOTTOM, TOP)
        self.across = Axis.over(xs, False, 0.02)
        self.across.whole = bool((xs == np.round(xs)).all())
        self.across.pixels = (left, self.width - RIGHT)

    def __str__(self) -> str:
        w, h = f"{self.width:.0f}", f"{self.height:.0f}"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
                f' font-family="{FONT}" font-size="{SIZE:.0f}" fill="#1a1a1a">',
                f"<title>{escape(self.title or self.y_label)}</title>",
                *self._grid(),
                *(line for layer in self.layers for line in self._layer(layer)),
                *self._mark(),
                *self._legend(),
                "</svg>",
            ]
        )

    def _grid(self) -> list[str]:
        (left, right), (low, high) = self.across.pixels, self.up.pixels
        lines = []
        for value, label in self.up.ticks:
            y = self.up.at(value)
            lines.append(f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="#e4e4e4"/>')
            lines.append(_text(left - 6, y + 4, label, "end"))
        room = (right - left) / max(1.0, max(SIZE * LETTER * len(t) + 10 for _, t in self.across.ticks))
        every = ceil(len(self.across.ticks) / max(1.0, room))
        for value, label in self.across.ticks[::every]:
            x = self.across.at(value)
            lines.append(f'<path d="M{x:.1f} {low:.1f}v4" stroke="#999"/>')
            lines.append(_text(x, low + 17, label, "middle"))
        lines.append(f'<path d="M{left:.1f} {high:.1f}V{low:.1f}H{right:.1f}" fill="none" stroke="#999"/>')
        lines.append(_text((left + right) / 2, low + 36, self.x_label, "middle"))
        if self.y_label:
            x, y = 13, (low + high) / 2
            turned = f'<text transform="translate({x} {y:.1f}) rotate(-90)" text-anchor="middle">'
            lines.append(f"{turned}{escape(self.y_label)}</text>")
        return lines

    def _layer(self, layer: Layer) -> list[str]:
        x, y = finite(layer)
        if layer.kind == "line":
            x, y = thinned(x, y)
        places = [(self.across.at(a), self.up.at(b)) for a, b in zip(x, y, strict=True)]
        if layer.kind == "points":
            return _dots(places, layer.colour, 0.45)
        if layer.kind == "bars":
            half = (self.across.at(x[1]) - self.across.at(x[0])) / 2 - 0.5 if len(x) > 1 else 20.0
            zero = self.up.at(0.0)
            look = f'fill="{layer.colour}" fill-opacity="0.75"'
            return [
                f'<rect x="{a - half:.1f}" y="{b:.1f}" width="{2 * half:.1f}" height="{zero - b:.1f}" {look}/>'
                for a, b in places
            ]
        d = " ".join(f"{'M' if i == 0 else 'L'}{a:.1f} {b:.1f}" for i, (a, b) in enumerate(places))
        look = 'stroke-width="1" stroke-opacity="0.55"' if layer.faint or layer.kind == "rule" else 'stroke-width="1.8"'
        few = _dots(places, layer.colour, 1.0) if layer.kind == "line" and len(places) < 3 else []
        return [*few, f'<path d="{d}" fill="none" stroke="{layer.colour}" {look}/>'] if places else []

    def _mark(self) -> list[str]:
        """The place as a ring; its words are in the legend."""
        if self.mark is None:
            return []
        x, y, _ = self.mark
        return [
            f'<circle cx="{self.across.at(x):.1f}" cy="{self.up.at(y):.1f}" r="5" fill="none" stroke="#1a1a1a"'
            ' stroke-width="1.4"/>'
        ]

    def _legend(self) -> list[str]:
        """Names in a row above, each behind a stroke of its colour."""
        place, lines = self.across.pixels[0], []
        for layer in self.layers:
            if layer.name:
                lines.append(f'<path d="M{place:.1f} 14h16" stroke="{layer.colour}" stroke-width="3"/>')
                lines.append(_text(place + 21, 18, layer.name, "start"))
                place += 21 + SIZE * LETTER * len(layer.name) + 12
        if self.mark is not None:
            lines.append(
                f'<circle cx="{place + 5:.1f}" cy="14" r="5" fill="none" stroke="#1a1a1a" stroke-width="1.4"/>'
            )
            lines.append(_text(place + 15, 18, self.mark[2], "start"))
        return lines


def finite(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of numbers that can be drawn."""
    x, y = (np.asarray(v, np.float64).ravel() for v in (layer.x, layer.y))
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A long line by the means of its stretches."""
    if len(x) <= MOST:
        return x, y
    parts = np.array_split(np.arange(len(x)), MOST)
    return np.array([x[p].mean() for p in parts]), np.array([y[p].mean() for p in parts])


def _dots(places: Sequence[tuple[float, float]], colour: str, opacity: float) -> list[str]:
    look = f'fill="{colour}" fill-opacity="{opacity:g}"'
    return [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" {look}/>' for a, b in places]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def histogram(values: np.ndarray, bins: int = 24, colour: str = BLUE, **labels: Any) -> Chart:
    """How often numbers fall into equal intervals."""
    counts, edges = np.histogram(values, bins)
    return Chart([Layer((edges[1:] + edges[:-1]) / 2, counts, colour=colour, kind="bars")], y_label="count", **labels)


def against(truth: np.ndarray, found: np.ndarray, line: Callable[[np.ndarray], np.ndarray], **labels: Any) -> Chart:
    """Points, and the line that they would lie on."""
    ends = np.array([truth.min(), truth.max()])
    return Chart([Layer(ends, line(ends), colour=GREY, kind="rule"), Layer(truth, found, kind="points")], **labels)
