"""An explanation in LaTeX: for the body of a document with amsmath and amssymb, or as a whole document."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import GAP, MINUS, Figures, as_matrix
from chainrule.glass.explanation.notation import SIGNS, prose
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part

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
HEADLINES = {1: "subsection", 2: "subsubsection", 3: "paragraph"}
WIDTH = 84
"""Letters that a line of figures has room for beside its left side."""

BREAKS = ("+", "-", "=", r"\cdot", r"\odot", r"\oslash")
"""Signs before which a line may be broken."""

BROKEN = r"\quad "
"""What a broken line goes on with."""

ESCAPES = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "{": r"\{",
    "}": r"\}", "^": r"\^{}",
    "~": r"\~{}", "→": r"$\to$", "←": r"$\leftarrow$", "✓": r"$\checkmark$", "✗": r"$\times$",
    "§": r"\S", "−": "$-$",
    "…": r"\dots{}", "α": r"$\alpha$", "σ": r"$\sigma$", "ŷ": r"$\hat y$", "½": r"$\tfrac12$",
}  # fmt: skip


COMMANDS = {sign.strip(): command for command, sign in SIGNS.items() if sign.strip() and not sign.isascii()}
"""Signs in a text by the command that makes them in a formula."""

LATIN = 0x180
"""Letters below this are in the fonts of every TeX (T1)."""

QUOTES = "“”„‘’‚–—«»"


def latex(told: Any, document: bool) -> str:
    """The whole explanation."""
    figures = Figures(told.digits)
    title = told.headline
    lines = [rf"\section*{{{words(title)}}}", *(prose(line, _inline, words) + r"\par" for line in told.introduction())]
    for part in told.parts():
        lines += ["", *_part(part, figures)]
    body = "\n".join(lines)
    return DOCUMENT % body if document else body


def words(text: str) -> str:
    """Text as LaTeX: what would be a command is escaped, signs become formulas, what no font has its code."""
    return "".join(map(_letter, text))


def _letter(c: str) -> str:
    if c in ESCAPES or c.isascii():
        return ESCAPES.get(c, c)
    if c in COMMANDS:
        return f"$\\{COMMANDS[c]}$"
    return c if ord(c) < LATIN or c in QUOTES else rf"\texttt{{U+{ord(c):04X}}}"


def _part(part: Part, figures: Figures) -> list[str]:
    below = r"\mbox{}\par" if HEADLINES[part.level] == "paragraph" else ""  # else the text would go on beside it
    lines = [rf"\{HEADLINES[part.level]}*{{{words(part.title)}}}{below}"]
    lines += [prose(paragraph, _inline, words) + r"\par" for paragraph in part.words]
    if part.given:
        formulas = r" \qquad ".join(f"{sign} = {_number(value, figures)}" for sign, value in part.given)
        lines.append(rf"\[ {formulas} \]")
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
        f"shape {step.shape}" if step.value.size > 1 else "",
        check,
    ]
    head, sign, _ = step.sides
    rows = [row for formula in step.lines for row in _lines(formula, figures)]
    rows = [
        f"{head} &{sign.strip()} {rows[0]}",
        *(f"&{row}" if row.startswith(BROKEN) else f"&= {row}" for row in rows[1:]),
    ]
    for first, *broken in (_lines(entry, figures) for entry in step.entries):
        rows += [first.replace("=", "&=", 1), *(f"&{row}" for row in broken)]
    lines = [r"\quad ".join(filter(None, facts)), r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]
    return lines + [rf"\textit{{{prose(note, _inline, words)}}}\par" for note in notes]


def _lines(formula: Formula, figures: Figures) -> list[str]:
    """A formula as one line, or broken at the last sign that still fits where it is wider than the page."""
    wide = sum(_columns(part, figures) for part in formula) > WIDTH
    cuts = [i for i in range(1, len(formula)) if _may_break(formula, i)] if wide else []
    fit = [i for i in cuts if sum(_columns(part, figures) for part in formula[:i]) <= WIDTH] or cuts[:1]
    if not fit:
        return [_written(formula, figures)]
    return [_written(formula[: fit[-1]], figures), BROKEN + _written(formula[fit[-1] :], figures)]


def _may_break(formula: Formula, i: int) -> bool:
    """Whether a line may end before part i: at a sign outside all brackets."""
    sign, before = (part if isinstance(part, str) else "" for part in (formula[i], formula[i - 1]))
    first = i == 1 and sign == "="  # the line's own sign of equality
    return (sign in BREAKS or before.endswith(r"\odot")) and not first and _balanced(formula[:i])


def _columns(part: Any, figures: Figures) -> int:
    """About how many letters wide a part is."""
    if isinstance(part, str):
        return len(part.replace(r"\cdot", "·"))
    apart = 3 if part.size > 1 else 2
    return sum(max(map(len, column)) + apart for column in zip(*figures.cells(as_matrix(part)), strict=True))


def _written(formula: Formula, figures: Figures) -> str:
    tall = any(not isinstance(part, str) and part.size > 1 for part in formula)
    signs = _grown if tall and _balanced(formula) else str.strip
    return " ".join(signs(part) if isinstance(part, str) else _number(part, figures) for part in formula)


def _balanced(formula: Formula) -> bool:
    signs = "".join(part for part in formula if isinstance(part, str))
    return signs.count("(") == signs.count(")")


def _grown(sign: str) -> str:
    """Brackets as tall as the matrices between them."""
    return sign.strip().replace("(", r"\left(").replace(")", r"\right)")


def _number(array: np.ndarray, figures: Figures) -> str:
    if array.size == 1:
        return _power(figures.number(array.reshape(())))
    rows = (" & ".join(map(_power, row)) for row in figures.cells(as_matrix(array)))
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def _power(number: str) -> str:
    """2.0e−09 as 2.0 · 10⁻⁹."""
    mantissa, _, exponent = number.replace(MINUS, "-").partition("e")
    if number == GAP:
        return r"\cdots"
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _inline(formula: str) -> str:
    return f"${formula}$"
