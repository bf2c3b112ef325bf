"""An explanation as a page: HTML with formulas in MathML; no scripts, no fonts, no network."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import Figures, is_elided, statistics
from chainrule.glass.explanation.mathml import math
from chainrule.glass.explanation.notation import prose
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part

EQUALS = math("=")

STYLE = """
.explained { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60em;
  padding: 1em }
.explained h1 { font-size: 1.5em; margin: 0 0 .3em }
.explained h2 { font-size: 1.25em; margin: 2em 0 .5em; border-bottom: 2px solid #1a1a1a }
.explained h3 { font-size: 1.05em; margin: 1.6em 0 .4em; border-bottom: 1px solid #bbb }
.explained h4 { font-size: .95em; margin: 1.4em 0 .3em; color: #444 }
.explained p { margin: .6em 0; max-width: 46em }
.explained .step { margin: .9em 0; break-inside: avoid }
.explained .name { font: 600 .95em ui-monospace, monospace; color: #0b4a8f; margin-right: .8em }
.explained .fact { color: #555; font-size: .88em; margin-right: .8em }
.explained .step .fact { display: inline-block }
.explained .good { color: #17692c } .explained .bad { color: #b00020; font-weight: 700 }
.explained .math { font-size: 1.04em; overflow-x: auto; overflow-y: hidden }
.explained .math > table { border-collapse: collapse; margin: .1em 0 0 1.5em }
.explained .math > table > tbody > tr > td { padding: .15em .25em; vertical-align: middle;
  white-space: nowrap }
.explained .math > table > tbody > tr > td:first-child { text-align: right }
.explained math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "DejaVu Math TeX Gyre",
  math; font-size: 1.08em; white-space: nowrap }
.explained mtable.m { border-left: 1.5px solid; border-right: 1.5px solid; margin: 0 .2em; padding: .1em 0;
  background-image: linear-gradient(currentColor, currentColor), linear-gradient(currentColor, currentColor),
  linear-gradient(currentColor, currentColor), linear-gradient(currentColor, currentColor);
  background-position: top left, top right, bottom left, bottom right;
  background-size: .3em 1.5px; background-repeat: no-repeat; font-variant-numeric: tabular-nums }
.explained mtable.m mtd { padding: .16em .45em; text-align: right; text-align: -webkit-right }
.explained .bold { font-weight: bold }
.explained .note { margin-left: 1.5em; color: #6a4a00; font-size: .9em }
"""


def page(told: Any) -> str:
    """A whole page."""
    title = escape(told.headline)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n"
        f'<body style="margin: 0; background: #fff">\n{body(told)}\n</body>\n</html>\n'
    )


def body(told: Any) -> str:
    """The derivation as one element with its style, for a notebook or a page of one's own."""
    figures = Figures(told.digits)
    lines = [f"<h1>{escape(told.headline)}</h1>"]
    lines += [f'<div class="fact">{prose(line, math, escape)}</div>' for line in told.introduction()]
    lines += [line for part in told.parts() for line in _part(part, figures)]
    inside = "\n".join(lines)
    return f'<div class="explained">\n<style>{STYLE}</style>\n{inside}\n</div>'


def _part(part: Part, figures: Figures) -> list[str]:
    lines = [f"<h{part.level + 1}>{escape(part.title)}</h{part.level + 1}>"]
    lines += [f"<p>{prose(paragraph, math, escape)}</p>" for paragraph in part.words]
    for sign, value in part.given:
        lines.append(_math([[math(sign), EQUALS, math(value, figures=figures)]]))
    for step, notes in part.steps:
        lines.append(_step(step, notes, figures))
    if part.losses is not None:
        path = [piece for value in part.losses for piece in (r"\to", np.asarray(value))][1:]
        lines.append(_math([[math("L"), ":", math(*path, figures=figures)]]))
    return lines


def _step(step: Step, notes: list[str], figures: Figures) -> str:
    head, sign, _ = step.sides
    begins = [math(head, display=True), math(sign)]
    rows = [[*(begins if i == 0 else ["", EQUALS]), _written(f, figures)] for i, f in enumerate(step.lines)]
    rows += [["", "", f'<span class="fact">{statistics(step.value, figures)}</span>']] if is_elided(step.value) else []
    rows += [[math(entry[0]), EQUALS, _written(entry[2:], figures)] for entry in step.entries]
    lines = ['<div class="step">', _facts(step), _math(rows)]
    lines += [f'<div class="note">{prose(note, math, escape)}</div>' for note in notes]
    return "\n".join([*lines, "</div>"])


def _facts(step: Step) -> str:
    shape = f"shape {step.shape}" if step.value.size > 1 else ""
    facts = [prose(step.caption, math, escape), shape]
    spans = [f'<span class="fact">{fact}</span>' for fact in facts if fact]
    if step.check is not None:
        colour = "good" if step.check else "bad"
        spans.append(f'<span class="fact {colour}">derivative {escape(str(step.check))}</span>')
    return f'<div><span class="name">{escape(step.name)}</span>{"".join(spans)}</div>'


def _math(rows: list[list[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f'<div class="math"><table><tbody>{"".join(lines)}</tbody></table></div>'


def _written(formula: Formula, figures: Figures) -> str:
    return math(*formula, figures=figures, display=True)
