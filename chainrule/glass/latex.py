"""An explanation in LaTeX: for the body of a document with amsmath and amssymb, or as a whole document."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from chainrule.glass.figures import GAP, Figures, as_matrix
from chainrule.glass.notation import prose
from chainrule.glass.steps import Formula, Step
from chainrule.glass.story import Part, given, introduction, story

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath, amssymb}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
%s
\end{document}
"""
ESCAPES = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "{": r"\{",
    "}": r"\}", "^": r"\^{}",
    "~": r"\~{}", "→": r"$\to$", "←": r"$\leftarrow$", "✓": r"$\checkmark$", "✗": r"$\times$",
    "§": r"\S", "−": "$-$",
    "…": r"\dots{}", "α": r"$\alpha$", "σ": r"$\sigma$", "ŷ": r"$\hat y$", "½": r"$\tfrac12$",
}  # fmt: skip


def latex(explanation: Any, document: bool) -> str:
    """The whole explanation."""
    figures = Figures(explanation.digits)
    title = explanation.title or f"Explained: {explanation.heading}"
    lines = [rf"\section*{{{words(title)}}}", *(words(line) + r"\par" for line in introduction(explanation))]
    for part in story(explanation):
        lines += ["", *_part(part, figures)]
    body = "\n".join(lines)
    return DOCUMENT % body if document else body


def words(text: str) -> str:
    """Text as LaTeX: what would be a command is escaped, signs become formulas."""
    return "".join(ESCAPES.get(c, c) for c in text)


def _part(part: Part, figures: Figures) -> list[str]:
    lines = [rf"\{'subsection' if part.level == 1 else 'subsubsection'}*{{{words(part.title)}}}"]
    if part.given is not None:
        x, y = (f"{sign} = {_number(value, figures)}" for sign, value in given(part.given))
        lines.append(rf"\[ {x} \qquad {y} \]")
    for step, notes in part.steps:
        lines += _step(step, notes, figures)
    if part.losses is not None:
        path = r" \to ".join(_number(np.asarray(value), figures) for value in part.losses)
        lines.append(rf"\[ L: {path} \]")
    return lines


def _step(step: Step, notes: list[str], figures: Figures) -> list[str]:
    check = "" if step.check is None else words(f"derivative {step.check}")
    facts = [
        rf"\texttt{{{words(step.name)}}}",
        prose(step.caption, _inline, words),
        f"shape {step.shape}",
        check,
    ]
    head, sign, _ = step.sides
    rows = [f"{_written(formula, figures)}" for formula in step.lines]
    rows = [f"{head} &{sign.strip()} {rows[0]}", *(f"&= {row}" for row in rows[1:])]
    rows += [re.sub(r"=", "&=", _written(entry, figures), count=1) for entry in step.expanded]
    lines = [r"\quad ".join(filter(None, facts)), r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]
    return lines + [rf"\textit{{{prose(note, _inline, words)}}}\par" for note in notes]


def _written(formula: Formula, figures: Figures) -> str:
    return " ".join(part.strip() if isinstance(part, str) else _number(part, figures) for part in formula)


def _number(array: np.ndarray, figures: Figures) -> str:
    if array.size == 1:
        return _power(figures.number(array.reshape(())))
    rows = (" & ".join(map(_power, row)) for row in figures.cells(as_matrix(array)))
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def _power(number: str) -> str:
    """2.0e-09 as 2.0 · 10⁻⁹."""
    mantissa, _, exponent = number.partition("e")
    if number == GAP:
        return r"\cdots"
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else number


def _inline(formula: str) -> str:
    return f"${formula}$"
