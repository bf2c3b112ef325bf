"""Numbers as they are shown: as many digits as asked for, one format a matrix, large matrices elided."""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np

SHOWN = 8
"""Rows and columns shown in full; of a larger matrix the first ones and the last."""

SHOWN_WIDE = 6
"""Columns shown in full where a number takes ten letters or more: eight would not fit a terminal."""

GAP = "…"
MINUS = "−"
"""U+2212, as in formulas; a hyphen is shorter than a plus."""


class Figures:
    """A style for numbers: `digits` significant ones for the largest entry of a matrix, no needless zeros.

    >>> Figures(5).cells(np.array([[0.1, 0.25], [0.4, 10.0]]))
    [['0.10', '0.25'], ['0.40', '10.00']]
    >>> Figures(5).number(1 / 3), Figures(3).number(2e-9), Figures(5).number(4.0)
    ('0.33333', '2.00e−09', '4')
    """

    def __init__(self, digits: int = 5) -> None:
        self.digits = digits

    def number(self, value: Any) -> str:
        """One number."""
        return self._formatter(np.asarray(value))(np.asarray(value).item())

    def cells(self, matrix: np.ndarray) -> list[list[str]]:
        """The entries of a matrix (two axes), elided beyond eight rows or columns."""
        rows, columns = _shown(len(matrix), SHOWN), _shown(matrix.shape[1], _columns(matrix))
        write = self._formatter(matrix)
        return [[GAP if i is None or j is None else write(matrix[i, j].item()) for j in columns] for i in rows]

    def _formatter(self, values: np.ndarray) -> Any:
        if values.dtype.kind in "iub":
            return lambda v: signed(str(v))
        finite = values[np.isfinite(values)]
        largest = float(np.abs(finite).max(initial=0.0))
        if largest and not 1e-4 <= largest < 1e7:
            return lambda v: "0" if v == 0 else signed(f"{v:.{self.digits - 1}e}")
        most = max(0, self.digits - 1 - floor(log10(largest))) if largest else 0
        decimals = _needed(finite, most)
        return lambda v: signed(_signless_zero(f"{v:.{decimals}f}"))


def signed(number: str) -> str:
    """A number with the minus sign of formulas.

    >>> signed("-1.5e-09")
    '−1.5e−09'
    """
    return number.replace("-", MINUS)


def is_elided(array: np.ndarray) -> bool:
    """Whether not all entries are shown."""
    return array.ndim > 2 or any(n > SHOWN for n in array.shape) or array.shape[-1:] > (_columns(array),)


def _columns(array: np.ndarray) -> int:
    """How many columns are shown in full: fewer where small or large numbers need many letters."""
    if array.dtype.kind in "iub":
        return SHOWN
    largest = float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
    return SHOWN if largest == 0 or 1e-2 <= largest < 1e7 else SHOWN_WIDE


def statistics(array: np.ndarray, figures: Figures) -> str:
    """What an elided array leaves unsaid: smallest, mean and largest entry."""
    parts = (("min", array.min()), ("mean", array.mean()), ("max", array.max()))
    return ", ".join(f"{name} {figures.number(value)}" for name, value in parts)


def as_matrix(array: np.ndarray) -> np.ndarray:
    """A vector as one row; more than two axes as (first, all the others)."""
    return array.reshape(1, -1) if array.ndim < 2 else array.reshape(len(array), -1)


def _shown(n: int, most: int) -> list[int | None]:
    return list(range(n)) if n <= most else [*range(most - 2), None, n - 1]


def _needed(values: np.ndarray, most: int) -> int:
    """The fewest decimals, of at most `most`, that lose nothing of the digits shown."""
    rounded = np.round(values, most)
    return next((d for d in range(most) if np.allclose(np.round(values, d), rounded, rtol=0, atol=1e-12)), most)


def _signless_zero(text: str) -> str:
    return text.lstrip("-") if float(text) == 0 else text
