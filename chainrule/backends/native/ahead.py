"""The rows of the next batch, gathered in the gaps of the step before: who waits for another thread copies some."""

from __future__ import annotations

import os

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.library import loaded

ROWS, NUMBERS, PLACE = 0, 3, 4
"""Among the arguments of the compiled call."""


forks = [0]
"""How often this process has become the child of another, which loses what was begun."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: forks.append(forks.pop() + 1))


class Numbers:
    """Numbers of rows in memory that stays where it is. What was begun last may still read its own."""

    def __init__(self, n: int) -> None:
        self.array = np.zeros(n, np.int64)
        self.at = self.array.ctypes.data


class RowsAhead:
    """Gathers rows of a table before they are asked for.

    `aim(rows, place)` says which and where to; `end` and `begin` are compiled calls that can stand before others: they
    end what was begun, and start what was aimed at. `will_have(rows)` says whether `end` will leave these rows in their
    place, `ready(rows)` ends it at once. From start to end the table and the place must not be used otherwise. Row
    numbers must be in the table.
    """

    def __init__(self, x: np.ndarray) -> None:
        lib = loaded()
        together = x.flags.c_contiguous and x.size and not x.dtype.hasobject
        self.x, self.lib = x, lib if together else None
        self.rows: np.ndarray | None = None  # that are aimed at
        self.place, self.begun = x, np.zeros(1, np.int64)
        self.numbers = self.others = Numbers(0)
        if self.lib is not None:
            self.begin = NativeCall("gather_ahead", 0, x.nbytes // len(x), x, 0, 0, self.begun)
            self.end = NativeCall("gathered_ahead")

    def aim(self, rows: np.ndarray | None, place: np.ndarray, address: int) -> None:
        """Let the next start be of these rows, to an array of their shape, which has this address; None for none."""
        if self.lib is None:
            return
        if rows is not None and rows.dtype != np.int64:
            rows = None
        self.rows, self.place, self.forks = rows, place, forks[0]
        words = self.begin.words
        if rows is None:
            words[ROWS] = 0
            return
        self.numbers, self.others = self.others, self.numbers
        if len(rows) != len(self.numbers.array):
            self.numbers = Numbers(len(rows))
        np.copyto(self.numbers.array, rows)
        words[ROWS], words[NUMBERS], words[PLACE] = len(rows), self.numbers.at, address

    def will_have(self, rows: np.ndarray) -> bool:
        """Whether these rows were begun, and will be in their place once that has ended."""
        aimed, self.rows = self.rows, None
        return aimed is rows and self.begun.item(0) == 1 and self.forks == forks[0]

    def ready(self, rows: np.ndarray) -> np.ndarray | None:
        """The array that holds these rows now; None where others were prepared, or none."""
        if self.rows is None:
            return None
        found = self.will_have(rows)
        self._finish()
        return self.place if found else None

    def _finish(self) -> None:
        if self.lib is not None and self.begun.item(0):
            self.begun[0] = 0
            self.lib.gathered_ahead(None)

    def __del__(self) -> None:
        if hasattr(self, "begun"):
            self._finish()  # nobody may write there when the memory is gone
