"""The whole page: headline, table of contents, sections. No scripts, no fonts, no network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.files import write_atomically
from chainrule.glass.reporting import (
    curves,
    data,
    examples,
    health,
    mistakes,
    network,
    reproduction,
    resources,
    verdicts,
)
from chainrule.glass.reporting.markup import Html, facts, joined, number, paragraph, percent, text
from chainrule.glass.reporting.style import STYLE
from chainrule.glass.reporting.subject import Subject

SECTIONS = (verdicts, curves, mistakes, examples, health, data, network, resources, reproduction)
"""What is asked first comes first."""


NAMES = {"r2": "R²", "mae": "mean absolute error"}
"""Scores as they are called in words."""


SOUND = "All that follows is of the last weights that were sound."


class Page:
    """A page about a run: `html` is the text of the file, `save` writes it, a notebook shows it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @cached_property
    def html(self) -> str:
        """One file that needs no other: no scripts, no fonts, no network."""
        return written(self.subject)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, atomically.

        Raises:
            OptionError: the path does not end in .html.
            CheckpointError: the file could not be written.
        """
        check_ending(path)
        write_atomically(path, self.html.encode())

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:40em;border:1px solid #ccc"></iframe>'

    def __repr__(self) -> str:
        return f"<Page on {self.subject.title}>"


def check_ending(path: str | os.PathLike[str]) -> None:
    """That a page is saved as one, asked before it is made."""
    stem, ending = os.path.splitext(os.fspath(path))
    if ending.lower() not in (".html", ".htm"):
        raise OptionError(
            f"A report is saved as HTML, not as {ending or 'a file without ending'}.",
            path=os.fspath(path),
            fix=f"{stem}.html",
        )


def written(subject: Subject) -> str:
    """The page as a file."""
    title = text(subject.title)
    with np.errstate(all="ignore"):  # numbers that are not finite are shown as such
        parts = [(module.TITLE, module.section(subject)) for module in SECTIONS]
    links = "".join(f'<a href="#{anchor(name)}">{text(name)}</a>' for name, _ in parts)
    body = "\n".join(
        f'<section id="{anchor(name)}">\n<h2>{text(name)}</h2>\n{part}\n</section>' for name, part in parts
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{tiles(subject)}\n{broken(subject)}<nav>{links}</nav>\n"
        f"{body}\n</body>\n</html>\n"
    )


def anchor(name: str) -> str:
    """A headline as the end of an address."""
    return name.lower().replace(" ", "-")


def tiles(subject: Subject) -> Html:
    """The figures that are asked for first."""
    shown = [*scores(subject.result)] or [*last_scores(subject.rows)]
    shown.append((f"{sum(p.size for p in subject.model.parameters()):,}", "parameters"))
    if subject.rows:
        shown.append((str(len(subject.rows)), "epochs" if len(subject.rows) > 1 else "epoch"))
    if subject.seconds is not None:
        shown.append((f"{subject.seconds:.3g} s", "of training"))
    if subject.verdicts is not None:
        n = len(subject.verdicts)
        shown.append((str(n), "verdicts" if n != 1 else "verdict"))
    inside = "".join(f'<div class="tile"><b>{text(big)}</b><span>{text(small)}</span></div>' for big, small in shown)
    return Html(f'<div class="tiles">{inside}</div>')


def scores(result: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Scores of the test part as the run measured them."""
    found = result.get("test", {})
    for name in sorted(found, key=lambda name: name == "loss"):
        value, said = found[name], f"test {NAMES.get(name, name)}"
        if value is None:
            yield "not finite", said
            continue
        shown = percent(value) if name == "accuracy" else number(value)
        interval = result.get("intervals", {}).get(name)
        trust = f" ({percent(interval['low'])} to {percent(interval['high'])})" if interval else ""
        yield shown, said + trust


def last_scores(rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Scores of the last epoch, of a run whose test part nobody has kept."""
    for name in ("validation_accuracy", "validation_r2", "validation_loss", "train_loss"):
        if rows and name in rows[-1]:
            part, _, score = name.partition("_")
            value = float(rows[-1][name])
            shown = percent(value) if score == "accuracy" else number(value)
            yield shown, f"{'training' if part == 'train' else part} {NAMES.get(score, score)}"


def broken(subject: Subject) -> Html:
    """That the run broke off, and how; the rest is told of the last weights that were sound."""
    if not subject.broken:
        return Html("")
    headline, *places = subject.broken.split("\n")
    told = [line.strip().partition(" ") for line in places]
    words = paragraph(f"The run broke off. {headline}", kind="broken")
    return joined([words, facts((name, said.strip()) for name, _, said in told), paragraph(SOUND)])
