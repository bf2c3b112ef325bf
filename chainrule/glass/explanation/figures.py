"""Numbers as they are shown: as many digits as asked for, one format a matrix, large matrices elided."""

from __future__ import annotations

from math import floor, log10, prod
from typing import Any

import numpy as np

SHOWN = 8
"""Rows and columns shown in full; of a larger matrix the first ones and the last."""

SHOWN_WIDE = 6
"""Columns shown in full where a number takes ten letters or more: eight would not fit a terminal."""

SLICES = 4
"""Matrices shown of an array of more than two axes."""

ABREAST = 72
"""Letters that the matrices of an image may take side by side on paper."""

GAP = "…"
MINUS = "−"
"""U+2212, as in formulas; a hyphen is shorter than a plus."""

Slice = tuple[str, np.ndarray]
"""A matrix out of an array, with its indices from 1 as a head: (1,2,·,·)."""


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

    def cells(self, matrix: np.ndarray, among: np.ndarray | None = None) -> list[list[str]]:
        """The entries of a matrix (two axes), elided beyond eight rows or columns; `among` others of one format."""
        among = matrix if among is None else among
        rows, columns = _shown(len(matrix), SHOWN), _shown(matrix.shape[1], _columns(among))
        write = self._formatter(among)
        return [[GAP if i is None or j is None else write(matrix[i, j].item()) for j in columns] for i in rows]

    def rows(self, array: np.ndarray, wide: int = ABREAST) -> list[list[Slice | None]]:
        """The matrices of an image in rows of so many letters."""
        rows: list[list[Slice | None]] = [[]]
        for one in slices(array):
            if rows[-1] and sum(self.letters(s, array) for s in (*rows[-1], one)) > wide:
                rows.append([])
            rows[-1].append(one)
        return rows

    def letters(self, one: Slice | None, among: np.ndarray) -> int:
        """About how many letters wide a matrix is on paper."""
        if one is None:
            return 3
        apart = 3 if one[1].size > 1 else 2
        return sum(max(map(len, column)) + apart for column in zip(*self.cells(one[1], among), strict=True))

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
    if array.ndim == 0:
        return False
    too_many = any(n > most for n, most in zip(array.shape[-2:][::-1], (_columns(array), SHOWN), strict=False))
    return too_many or prod(array.shape[:-2]) > SLICES


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


def left_out(array: np.ndarray, figures: Figures) -> str:
    """The same for a line below the array, with the place, from 1, of the entry of largest size."""
    place = ",".join(str(i + 1) for i in np.unravel_index(int(np.argmax(np.abs(array))), array.shape))
    return f"{statistics(array, figures)}; the largest in size at ({place})"


def as_matrix(array: np.ndarray) -> np.ndarray:
    """A vector as one row."""
    return array.reshape(1, -1) if array.ndim < 2 else array


def slices(array: np.ndarray) -> list[Slice | None]:
    """The matrices that an array is shown as; None stands where some are left out.

    An image (n, c, height, width) falls apart into a matrix for each sample and channel. Of more than four, the
    first two are shown, the last, and between them the one whose entry is the largest in size; where not even a
    matrix is shown whole, the first and that one.

    >>> [s and s[0] for s in slices(np.arange(60.0).reshape(2, 5, 2, 3))]
    ['(1,1,·,·)', '(1,2,·,·)', None, '(2,4,·,·)', '(2,5,·,·)']
    """
    if array.ndim <= 2:
        return [("", as_matrix(array))]
    leading = array.shape[:-2]
    all_of_them = array.reshape(-1, *array.shape[-2:])
    found: list[Slice | None] = []
    before = -1
    for i in _kept(all_of_them):
        found += [None] if i > before + 1 else []
        place = ",".join(str(k + 1) for k in np.unravel_index(i, leading))
        found.append((f"({place},·,·)" if len(all_of_them) > 1 else "", all_of_them[i]))
        before = i
    return found


def _kept(matrices: np.ndarray) -> list[int]:
    n = len(matrices)
    if n <= SLICES:
        return list(range(n))
    size = np.abs(matrices).reshape(n, -1).max(1, initial=0)
    largest = int(np.argmax(size))
    if max(matrices.shape[1:]) > SHOWN:
        return sorted({0, largest or n - 1})
    return sorted({0, 1, n - 1} | {largest if 1 < largest < n - 1 else n - 2})


def _shown(n: int, most: int) -> list[int | None]:
    return list(range(n)) if n <= most else [*range(most - 2), None, n - 1]


def _needed(values: np.ndarray, most: int) -> int:
    """The fewest decimals, of at most `most`, that lose nothing of the digits shown."""
    rounded = np.round(values, most)
    return next((d for d in range(most) if np.allclose(np.round(values, d), rounded, rtol=0, atol=1e-12)), most)


def _signless_zero(text: str) -> str:
    return text.lstrip("-") if float(text) == 0 else text
