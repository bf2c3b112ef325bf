"""Formulas as MathML, which browsers set by themselves: fractions, roots, sums and matrices, without scripts or fonts.

The part of LaTeX read here is that of `notation`; numbers and matrices stand between the pieces of LaTeX as arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import chain, pairwise
from typing import Any

import numpy as np

from chainrule.glass.explanation.figures import GAP, MINUS, Figures, as_matrix
from chainrule.glass.explanation.notation import ACCENTS, SIGNS

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|\d+(?:\.\d+)?|[^\\]")
CLOSING = {"(": ")", "[": "]"}
OVER = {"bar": "‾", "hat": "^", "tilde": "~", "dot": "˙"}
SPACES = {",": 0.17, ";": 0.5, "quad": 1.0, "qquad": 2.0}
TALL = ("<mtable", "<mfrac", "<munder")
"""What brackets grow with."""

QUANTITY = re.compile(r"[^\W\d_]|[∂∞∇]")
"""Signs of quantities, set in italics; any other sign is an operator."""

SETTINGS = {"textstyle", "left", "right", "-"}
"""Commands that say how to set what follows; a browser does that by itself."""

SUM = "<mo>∑</mo>"
THIN = '<mspace width="0.17em"></mspace>'
NAME = re.compile(r"<mi>[^<]{2,}</mi>")

Element = list[str]
"""Something on the line, with what stands below and above it as scripts."""


def math(*pieces: Any, figures: Figures | None = None, display: bool = False) -> str:
    r"""Pieces of LaTeX and arrays, side by side as one formula; `display` is for one that stands by itself.

    >>> print(math(r"\frac{a}{b^2}"))
    <math><mfrac><mi>a</mi><msup><mi>b</mi><mn>2</mn></msup></mfrac></math>
    """
    tokens = (t for piece in pieces for t in (TOKEN.findall(piece) if isinstance(piece, str) else [piece]))
    elements, _ = _Reader(tokens, figures or Figures()).row("")
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{_joined(elements)}</math>"


class _Reader:
    """Reads the tokens of a formula, a row at a time."""

    def __init__(self, tokens: Iterator[Any], figures: Figures) -> None:
        self.tokens, self.figures, self.inline = tokens, figures, False

    def row(self, end: str) -> tuple[list[Element], bool]:
        """The elements up to `end`, and whether it came."""
        elements: list[Element] = []
        for token in self.tokens:
            if isinstance(token, str) and token == end:
                return elements, True
            if token in ("_", "^", "'") if isinstance(token, str) else False:
                self._script(token, elements)
            else:
                elements += self._elements(token)
        return elements, False

    def _script(self, token: str, elements: list[Element]) -> None:
        if not elements:
            elements.append(["<mrow></mrow>", "", ""])
        elements[-1][1 if token == "_" else 2] += "<mo>′</mo>" if token == "'" else self._argument()

    def _elements(self, token: Any) -> list[Element]:
        if not isinstance(token, str):
            return [_plain(self._number(token))]
        if token in CLOSING:
            return self._bracketed(token)
        written = self._written(token) if token.strip() else ""
        return [_plain(written)] if written else []

    def _bracketed(self, opened: str) -> list[Element]:
        """What stands between two brackets as one element, so that they grow with it and with nothing else."""
        inside, closed = self.row(CLOSING[opened])
        if not closed:
            return [_plain(_bracket(opened, False)), *inside]
        written = _joined(inside)
        grows = any(tall in written for tall in TALL)
        return [_plain(f"<mrow>{_bracket(opened, grows)}{written}{_bracket(CLOSING[opened], grows)}</mrow>")]

    def _written(self, token: str) -> str:
        match token:
            case "{":
                return _whole(self.row("}")[0])
            case r"\frac" | r"\dfrac" | r"\tfrac":
                still = ' displaystyle="false"' if token == r"\tfrac" else ""
                return f"<mfrac{still}>{self._argument()}{self._argument()}</mfrac>"
            case r"\sqrt" | r"\surd":
                return f"<msqrt>{self._argument(unbracketed=True)}</msqrt>"
            case r"\operatorname" | r"\mathrm":
                return _upright(self._letters())
            case r"\text":
                return f"<mtext>{escape(self._letters(), quote=False)}</mtext>"
            case r"\mathbf":
                return f'<mn class="bold">{self._letters()}</mn>'
            case command if command[0] == "\\":
                return self._command(command[1:])
            case number if number[0].isdigit():
                return f"<mn>{number}</mn>"
            case sign:
                return _sign(MINUS if sign == "-" else sign)

    def _command(self, name: str) -> str:
        if name in ACCENTS:
            return f'<mover accent="true">{self._argument()}<mo stretchy="false">{OVER[name]}</mo></mover>'
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}em"></mspace>'
        if name in SETTINGS:
            self.inline |= name == "textstyle"
            return ""
        if name == "top":
            return _upright("T")
        if name == "sum":
            return '<mo largeop="false">∑</mo>' if self.inline else SUM
        return _sign(SIGNS[name].strip()) if name in SIGNS else _upright(name)

    def _argument(self, unbracketed: bool = False) -> str:
        """The next digit or token, or what stands between braces or brackets, as one element."""
        for token in self.tokens:
            if unbracketed and isinstance(token, str) and token == "(":
                return _whole(self.row(")")[0])
            if isinstance(token, str) and token.isdigit():
                self.tokens = chain([token[1:]] if token[1:] else [], self.tokens)
                return f"<mn>{token[0]}</mn>"
            if elements := self._elements(token):
                return _whole(elements)
        return "<mrow></mrow>"

    def _letters(self) -> str:
        """What stands between braces, letter by letter."""
        letters = []
        for token in self.tokens:
            if token == "}":
                break
            letters.append("" if token == "{" else token[-1] if token.startswith("\\") else token)
        return "".join(letters)

    def _number(self, array: np.ndarray) -> str:
        """A number; or a matrix, whose brackets are borders, for few fonts have brackets that grow."""
        if array.size == 1:
            return _figure(self.figures.number(array.reshape(())))
        rows = self.figures.cells(as_matrix(array))
        cells = ("".join(f"<mtd>{_figure(cell)}</mtd>" for cell in row) for row in rows)
        return '<mtable class="m">' + "".join(f"<mtr>{row}</mtr>" for row in cells) + "</mtable>"


def _plain(element: str) -> Element:
    return [element, "", ""]


def _joined(elements: list[Element]) -> str:
    """Elements side by side; the name of a function stands a little apart from what is no bracket or operator."""
    written = [_scripted(*element) for element in elements]
    for i, (before, after) in enumerate(pairwise(element[0] for element in elements)):
        named = NAME.fullmatch(before) and not after.startswith(("<mo>", "<mo ", "<mrow><mo", "<mspace"))
        if named or (NAME.fullmatch(after) and not before.startswith(("<mo>", "<mo ", "<mspace"))):
            written[i] += THIN
    return "".join(written)


def _whole(elements: list[Element]) -> str:
    """Elements as one."""
    return _joined(elements) if len(elements) == 1 else f"<mrow>{_joined(elements)}</mrow>"


def _scripted(base: str, below: str, above: str) -> str:
    """An element with its scripts; those of a sum stand below and above it where there is room."""
    sub, sup, both = ("munder", "mover", "munderover") if base == SUM else ("msub", "msup", "msubsup")
    match (below, f"<mrow>{above}</mrow>" if "′" in above else above):
        case "", "":
            return base
        case "", over:
            return f"<{sup}>{base}{over}</{sup}>"
        case under, "":
            return f"<{sub}>{base}{under}</{sub}>"
        case under, over:
            return f"<{both}>{base}{under}{over}</{both}>"
    raise AssertionError


def _sign(sign: str) -> str:
    tag = "mi" if QUANTITY.fullmatch(sign) else "mo"
    still = ' stretchy="false"' if sign in "|‖⟨⟩" else ' lspace="0" rspace="0"' if sign == "/" else ""
    return f"<{tag}{still}>{escape(sign, quote=False)}</{tag}>"


def _bracket(sign: str, grows: bool) -> str:
    return f"<mo>{sign}</mo>" if grows else f'<mo stretchy="false">{sign}</mo>'


def _upright(name: str) -> str:
    """A name of several letters is upright by itself; one letter must be told."""
    variant = ' mathvariant="normal"' if len(name) == 1 else ""
    return f"<mi{variant}>{escape(name, quote=False)}</mi>"


def _figure(number: str) -> str:
    """2.0e−09 as 2.0 · 10⁻⁹."""
    mantissa, _, exponent = number.partition("e")
    if number == GAP or not exponent:
        return f"<mn>{number}</mn>"
    power = f"{MINUS if exponent[0] == MINUS else ''}{int(exponent.lstrip(MINUS + '+'))}"
    return f"<mrow><mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>"
