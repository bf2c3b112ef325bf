"""The words that the grammar uses and the floor above defines: `words.add(x, y)`.

A tensor knows that `x + y` is an addition; what an addition is stands in `chainrule.ops`. Each operation puts
itself here under its name, once, when its file is imported; a word that no file has defined so far is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Word = TypeVar("Word")


class Vocabulary:
    """Functions by name, as attributes."""

    _import_file_of: Callable[[str], object] | None = None

    def __getattr__(self, name: str) -> Any:
        if self._import_file_of:
            self._import_file_of(name)
        if name not in vars(self):
            raise AttributeError(f"no operation is called {name!r}")
        return vars(self)[name]

    def define(self, word: Word) -> Word:
        """Add an operation under its `__name__`; usable as a decorator."""
        name: str = word.__name__  # type: ignore[attr-defined]
        if name in vars(self):
            raise ValueError(f"an operation called {name!r} exists already")
        setattr(self, name, word)
        return word

    def found_by(self, import_file_of: Callable[[str], object]) -> None:
        """Say who imports the file that defines a word, given its name, when the word is first used."""
        self._import_file_of = import_file_of


words = Vocabulary()
