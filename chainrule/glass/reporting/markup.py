"""Pieces of HTML. Every text is escaped, unless it is HTML already: a piece that was made here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from chainrule.glass.drawing.png import data_address

LONGEST = 60
"""Letters of a text of the data that are shown."""


class Html(str):
    """A text that is HTML."""


def text(value: Any) -> str:
    """A value as HTML: numbers with the minus sign of formulas, everything else escaped."""
    if isinstance(value, Html):
        return value
    if isinstance(value, float | np.floating):
        return number(float(value))
    return escape(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits.

    >>> number(-0.00012345), number(12345.6), number(float("nan")), number(0.5)
    ('−1.234e−04', '12,346', 'NaN', '0.5')
    >>> number(60018.0, 5), number(1951.0)
    ('60,018', '1951')
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "−∞" if value < 0 else "∞"
    if value and not 1e-3 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    grouped = "," if abs(value) >= 1e4 else ""  # years and the like are read without
    written = f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:{grouped}.{digits}g}"
    return written.replace("-", "−")


def percent(share: float | None) -> str:
    """A share of all."""
    return "not finite" if share is None or not np.isfinite(share) else f"{100 * share:.1f}\u00a0%"


def shortened(value: Any, longest: int = LONGEST) -> str:
    """A text of the data in one line, cut off where it is long."""
    line = " ".join(str(value).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def joined(pieces: Iterable[str]) -> Html:
    """Pieces of HTML one after the other."""
    return Html("\n".join(pieces))


def paragraph(*parts: Any, kind: str = "") -> Html:
    """A paragraph of texts and pieces."""
    return Html(f"<p{_class(kind)}>{''.join(map(text, parts))}</p>")


def heading(title: str) -> Html:
    """A headline inside of a section."""
    return Html(f"<h3>{text(title)}</h3>")


def code(value: str) -> Html:
    """A text as it is typed, in a line."""
    return Html(f"<code>{text(value)}</code>")


def listing(lines: str) -> Html:
    """Lines as they are typed."""
    return Html(f"<pre>{text(lines)}</pre>")


def table(head: Sequence[Any], rows: Iterable[Sequence[Any]], kind: str = "") -> Html:
    """A table in a box that scrolls by itself; numbers stand right."""
    cells = [list(map(_cell, row)) for row in rows]
    right = [bool(cells) and '<td class="n"' in cells[0][k] for k in range(len(head))]
    top = "".join(f"<th{_class('n' * r)}>{text(cell)}</th>" for cell, r in zip(head, right, strict=True))
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    top = f"<thead><tr>{top}</tr></thead>" if head else ""
    return Html(f'<div class="wide"><table{_class(kind)}>{top}<tbody>\n{body}\n</tbody></table></div>')


def facts(pairs: Iterable[tuple[str, Any]]) -> Html:
    """Names and what is said of them, without those of which nothing is."""
    rows = [f"<tr><th>{text(name)}</th><td>{text(said)}</td></tr>" for name, said in pairs if said not in ("", None)]
    return Html('<div class="wide"><table class="facts"><tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>")


def figures(*drawings: tuple[Any, str]) -> Html:
    """Drawings beside each other, each with what it shows."""
    parts = [f"<figure>{drawing}<figcaption>{text(caption)}</figcaption></figure>" for drawing, caption in drawings]
    return Html(f'<div class="figures">{"".join(parts)}</div>')


def beside(*pieces: str) -> Html:
    """Pieces beside each other, where there is room."""
    return Html(f'<div class="beside">{"".join(pieces)}</div>')


def picture(pixels: np.ndarray, said: str) -> Html:
    """An image of bytes, its pixels seen."""
    return Html(f'<img class="pixels" alt="{escape(said)}" src="{data_address(pixels)}">')


def shaded(value: Any, share: float, colour: str = "31,119,180") -> Html:
    """A cell on a ground of some strength, its letters white where that is dark."""
    share = min(max(float(share), 0.0), 1.0) if np.isfinite(share) else 0.0
    ink = ";color:#fff" if share > 0.75 else ""
    return Html(f'<td class="n" style="background:rgba({colour},{share:.2f}){ink}">{text(value)}</td>')


def breakable(name: str) -> Html:
    """A name of a column, which may be broken where its words end."""
    return Html(re.sub(r"([_/.-])", r"\1<wbr>", escape(name)))


def figure_cell(value: Any) -> Html:
    """A cell that stands right, as numbers do."""
    return Html(f'<td class="n">{text(value)}</td>')


def bar(share: float) -> Html:
    """A share as a bar."""
    return Html(f'<span class="bar"><span style="width:{100 * min(max(share, 0.0), 1.0):.1f}%"></span></span>')


def _cell(value: Any) -> str:
    if isinstance(value, Html) and value.startswith("<td"):
        return value
    numeric = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return f'<td class="n">{text(value)}</td>' if numeric else f"<td>{text(value)}</td>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
