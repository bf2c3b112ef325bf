"""Told: what is shown in parts, headline by headline, and printed in a terminal, on paper, on a page."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.latex import latex
from chainrule.glass.explanation.page import body, page
from chainrule.glass.explanation.story import Part
from chainrule.glass.explanation.text import text


class Told:
    """A derivation with a title and parts in order; `digits` is how many digits of a number are shown."""

    title: str
    digits: int

    @property
    def headline(self) -> str:
        """What stands above all."""
        return self.title

    def introduction(self) -> list[str]:
        """What is told, a line each."""
        raise NotImplementedError

    def parts(self) -> Iterator[Part]:
        """The parts in order."""
        raise NotImplementedError

    @property
    def checks(self) -> list[Check]:
        """Every derivative's check."""
        raise NotImplementedError

    @property
    def checked(self) -> bool:
        """Whether every derivative agreed with central differences."""
        return all(self.checks)

    def __str__(self) -> str:
        return text(self)

    def latex(self, document: bool = False) -> str:
        """The steps as LaTeX for the body of a document (amsmath, amssymb), or a whole document."""
        return latex(self, document)

    def html(self) -> str:
        """A page that needs nothing else: no scripts, no fonts, no network."""
        return page(self)

    def _repr_html_(self) -> str:
        return body(self)
