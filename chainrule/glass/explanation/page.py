"""An explanation as a page: plain HTML with formulas in Unicode; no scripts, no fonts, no network."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import Figures, as_matrix, is_elided, statistics
from chainrule.glass.explanation.notation import html_text, prose, unicode_text
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part, given, introduction, story

STYLE = """
.explained { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60em;
  padding: 1em }
.explained h1 { font-size: 1.5em; margin: 0 0 .3em }
.explained h2 { font-size: 1.25em; margin: 2em 0 .5em; border-bottom: 2px solid #1a1a1a }
.explained h3 { font-size: 1.05em; margin: 1.6em 0 .4em; border-bottom: 1px solid #bbb }
.explained .step { margin: .9em 0; break-inside: avoid }
.explained .name { font: 600 .95em ui-monospace, monospace; color: #0b4a8f; margin-right: .8em }
.explained .fact { color: #555; font-size: .88em; margin-right: .8em }
.explained .good { color: #17692c } .explained .bad { color: #b00020; font-weight: 700 }
.explained .math { font: 1.08em/1.5 Cambria, "STIX Two Math", "DejaVu Serif", Georgia, serif;
  overflow-x: auto }
.explained .math > table { border-collapse: collapse; margin: .1em 0 0 1.5em }
.explained .math > table > tbody > tr > td { padding: .15em .25em; vertical-align: middle;
  white-space: nowrap }
.explained .math > table > tbody > tr > td:first-child { text-align: right }
.explained table.m { display: inline-table; vertical-align: middle;
  border-collapse: separate; border-spacing: 0;
  margin: 0 .15em;
  border-left: 1.5px solid; border-right: 1.5px solid; border-radius: .5em;
  font-variant-numeric: tabular-nums }
.explained table.m td { padding: 0 .45em; text-align: right; font-size: .92em }
.explained sup, .explained sub { font-size: .72em; line-height: 0 }
.explained .note { margin-left: 1.5em; color: #6a4a00; font-size: .9em }
"""


def page(explanation: Any) -> str:
    """A whole page."""
    title = escape(_title(explanation))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n"
        f'<body style="margin: 0; background: #fff">\n{body(explanation)}\n</body>\n</html>\n'
    )


def body(explanation: Any) -> str:
    """The explanation as one element with its style, for a notebook or a page of one's own."""
    figures = Figures(explanation.digits)
    lines = [f"<h1>{escape(_title(explanation))}</h1>"]
    lines += [f'<div class="fact">{escape(line)}</div>' for line in introduction(explanation)]
    lines += [line for part in story(explanation) for line in _part(part, figures)]
    inside = "\n".join(lines)
    return f'<div class="explained">\n<style>{STYLE}</style>\n{inside}\n</div>'


def _title(explanation: Any) -> str:
    return explanation.title or f"Explained: {explanation.heading}"


def _part(part: Part, figures: Figures) -> list[str]:
    lines = [f"<h{part.level + 1}>{escape(part.title)}</h{part.level + 1}>"]
    if part.given is not None:
        for sign, value in given(part.given):
            lines.append(_math([[sign, "=", _number(value, figures)]]))
    for step, notes in part.steps:
        lines.append(_step(step, notes, figures))
    if part.losses is not None:
        path = " → ".join(figures.number(value) for value in part.losses)
        lines.append(_math([["L", ":", path]]))
    return lines


def _step(step: Step, notes: list[str], figures: Figures) -> str:
    head, sign, _ = map(html_text, step.sides)
    rows = [[head if i == 0 else "", sign if i == 0 else "=", _written(f, figures)] for i, f in enumerate(step.lines)]
    rows += [["", "", statistics(step.value, figures)]] if is_elided(step.value) else []
    rows += [[html_text(entry[0]), "=", _written(entry[2:], figures)] for entry in step.entries]
    lines = ['<div class="step">', _facts(step), _math(rows)]
    lines += [f'<div class="note">{prose(note, html_text, escape)}</div>' for note in notes]
    return "\n".join([*lines, "</div>"])


def _facts(step: Step) -> str:
    shape = f"shape {step.shape}" if step.value.size > 1 else ""
    facts = [prose(step.caption, html_text, escape), shape]
    spans = [f'<span class="fact">{fact}</span>' for fact in facts if fact]
    if step.check is not None:
        colour = "good" if step.check else "bad"
        spans.append(f'<span class="fact {colour}">derivative {escape(str(step.check))}</span>')
    return f'<div><span class="name">{escape(step.name)}</span>{"".join(spans)}</div>'


def _math(rows: list[list[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f'<div class="math"><table><tbody>{"".join(lines)}</tbody></table></div>'


def _written(formula: Formula, figures: Figures) -> str:
    return "".join(_sign(part) if isinstance(part, str) else _number(part, figures) for part in formula)


def _sign(latex: str) -> str:
    """An operator between blanks, any other sign with the blanks it was written with."""
    operator = unicode_text(latex) in ("=", "+", "−", "·", "⊙", "⊘", "→", ") ⊙")
    return (
        f" {html_text(latex)} "
        if operator
        else " " * latex.startswith(" ") + html_text(latex) + " " * latex.endswith(" ")
    )


def _number(array: np.ndarray, figures: Figures) -> str:
    if array.size == 1:
        return figures.number(array.reshape(()))
    rows = (_cells(row) for row in figures.cells(as_matrix(array)))
    return f'<table class="m"><tbody>{"".join(rows)}</tbody></table>'


def _cells(row: list[str]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
