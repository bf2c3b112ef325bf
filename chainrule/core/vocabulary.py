"""The words that the grammar uses and the floor above defines: `words.add(x, y)`.

A tensor knows that `x + y` is an addition; what an addition is stands in `chainrule.ops`. Each operation puts
itself here under its name, once.
"""

from __future__ import annotations

from typing import Any, TypeVar

Word = TypeVar("Word")


class Vocabulary:
    """Functions by name, as attributes."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no operation is called {name!r}")

    def define(self, word: Word) -> Word:
        """Add an operation under its `__name__`; usable as a decorator."""
        name: str = word.__name__  # type: ignore[attr-defined]
        if name in vars(self):
            raise ValueError(f"an operation called {name!r} exists already")
        setattr(self, name, word)
        return word


words = Vocabulary()
