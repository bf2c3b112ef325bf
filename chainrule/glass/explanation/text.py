"""An explanation in a terminal: Unicode, matrices side by side, at most 100 columns."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import Figures, as_matrix, is_elided, statistics
from chainrule.glass.explanation.notation import prose, unicode_text, width
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part

WIDTH = 100
INDENT = "    "
LINES = {1: "═", 2: "─", 3: "·"}
OPERATORS = ("=", "←", "+", "−", "·", "⊙", "⊘", "→", ") ⊙")

Block = list[str]
"""Lines of one width; put beside others, their middles are on one line."""


def text(told: Any) -> str:
    """The whole explanation."""
    view = _View(Figures(told.digits))
    words = [told.headline, *(prose(paragraph, unicode_text) for paragraph in told.introduction())]
    lines = [line for paragraph in words for line in textwrap.wrap(paragraph, WIDTH, subsequent_indent="  ")]
    for part in told.parts():
        lines += ["", *view.part(part)]
    return "\n".join(line.rstrip() for line in lines)


class _View:
    """The lines of steps, in one style of numbers."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures

    def part(self, part: Part) -> list[str]:
        """A headline, what is given, the steps."""
        line = LINES[part.level]
        lines = [f"{line * 2} {part.title} ".ljust(WIDTH - 20, line)]
        for paragraph in part.words:
            lines += ["", *textwrap.wrap(prose(paragraph, unicode_text), WIDTH)]
        if part.given:
            pieces: list[Any] = []
            for sign, numbers in part.given:
                pieces += [f"{'    ' if pieces else ''}{unicode_text(sign)} = ", numbers]
            lines += ["", *self._laid_out(pieces)]
        for step, notes in part.steps:
            lines += ["", *self.step(step, notes)]
        if part.losses is not None:
            lines += ["", "loss  " + " → ".join(map(self.figures.number, part.losses))]
        return lines

    def step(self, step: Step, notes: list[str]) -> list[str]:
        """One step: a line that names it, the rule, the numbers put in, the result, remarks."""
        shape = f"shape {step.shape}" if step.value.size > 1 else ""
        check = "" if step.check is None else f"derivative {step.check}"
        facts = "   ".join(filter(None, (step.name, prose(step.caption, unicode_text), shape, check)))
        lines = textwrap.wrap(facts, WIDTH, subsequent_indent=INDENT)
        head, sign, _ = map(unicode_text, step.sides)
        for i, formula in enumerate(step.lines):
            lead = f"{head} {sign} " if i == 0 else " " * width(head) + " = "
            lines += self._laid_out([INDENT + lead, *self._pieces(formula)], len(INDENT) + width(head) + 3)
        if is_elided(step.value):
            lines.append(INDENT + " " * (width(head) + 3) + statistics(step.value, self.figures))
        for entry in step.entries:
            lines += self._laid_out([INDENT, *self._pieces(entry)], len(INDENT) + width(head) + 1)
        return lines + [line for note in notes for line in _wrapped(prose(note, unicode_text))]

    def _pieces(self, formula: Formula) -> list[Any]:
        return [_spaced(part) if isinstance(part, str) else part for part in formula]

    def _laid_out(self, pieces: list[Any], indent: int = 8) -> list[str]:
        """Pieces side by side; where they are too wide, the line breaks before an operator."""
        rows: list[list[Block]] = [[]]
        for block in ([p] if isinstance(p, str) else self.block(p) for p in pieces):
            rows[-1].append(block)
            if sum(width(b[0]) for b in rows[-1]) > WIDTH and (cut := _cut(rows[-1])):
                rows.append([[" " * (indent - 3)], *rows[-1][cut:]])
                rows[-2] = rows[-2][:cut]
        return [line for row in rows for line in _beside(row)]

    def block(self, array: np.ndarray) -> Block:
        """A number, a row, or a matrix in brackets."""
        if array.size == 1:
            return [self.figures.number(array.reshape(()))]
        cells = self.figures.cells(as_matrix(array))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        rows = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
        if len(rows) == 1:
            return [f"[{rows[0]}]"]
        edges = [("⎡", "⎤"), *[("⎢", "⎥")] * (len(rows) - 2), ("⎣", "⎦")]
        return [left + row + right for (left, right), row in zip(edges, rows, strict=True)]


def _spaced(latex: str) -> str:
    """LaTeX in Unicode: operators between blanks, other signs with the blanks they were written with."""
    sign = unicode_text(latex)
    if sign in OPERATORS:
        return f" {sign} " if not sign.startswith(")") else f"{sign} "
    return " " * latex.startswith(" ") + sign + " " * latex.endswith(" ")


def _cut(row: list[Block]) -> int:
    """Where a row that is too wide is cut: before its last operator or block; 0 where it cannot be."""
    places = [i for i, block in enumerate(row) if i > 1 and len(block) == 1 and _operates(block[0])]
    return places[-1] if places else len(row) - 1 if len(row) > 2 else 0


def _operates(sign: str) -> bool:
    return sign.strip() in OPERATORS or sign.endswith(" = ")


def _beside(blocks: list[Block]) -> list[str]:
    """Blocks side by side, each centred on the middle line."""
    height = max(map(len, blocks))
    padded = []
    for block in blocks:
        above = (height - 1) // 2 - (len(block) - 1) // 2
        blank = " " * width(block[0])
        padded.append([blank] * above + block + [blank] * (height - above - len(block)))
    return ["".join(parts).rstrip() for parts in zip(*padded, strict=True)]


def _wrapped(note: str) -> list[str]:
    lead = f"{INDENT}note  "
    return textwrap.wrap(note, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
