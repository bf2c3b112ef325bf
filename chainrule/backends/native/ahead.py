"""The rows of the next batch, gathered in the gaps of the step before: who waits for another thread copies some."""

from __future__ import annotations

import numpy as np

from chainrule.backends.native.library import loaded


class RowsAhead:
    """Gathers rows of a table before they are asked for.

    `prepare(rows, place)` begins and returns at once, `ready(rows)` ends it. Between the two the table, the numbers
    and the place must not be used otherwise. Row numbers must be in the table.
    """

    def __init__(self, x: np.ndarray) -> None:
        lib = loaded()
        together = x.flags.c_contiguous and x.size and not x.dtype.hasobject
        self.x, self.lib = x, lib if together else None
        self.width = x.nbytes // max(1, len(x))
        self.rows: np.ndarray | None = None  # that are gathered
        self.place, self.words = x, np.array([0, self.width, x.ctypes.data, 0, 0])
        self.at = self.words.ctypes.data

    def prepare(self, rows: np.ndarray, place: np.ndarray) -> bool:
        """Begin to put these rows into an array of their shape; False where that cannot be."""
        if self.lib is None or self.rows is not None or rows.dtype != np.int64 or not rows.flags.c_contiguous:
            return False
        words = self.words
        words[0], words[3], words[4] = len(rows), rows.ctypes.data, place.ctypes.data
        if self.lib.gather_ahead(self.at):
            self.rows, self.place = rows, place
        return self.rows is rows

    def ready(self, rows: np.ndarray) -> np.ndarray | None:
        """The array that holds these rows now; None where others were prepared, or none."""
        if self.rows is None:
            return None
        prepared, self.rows = self.rows, None
        whole = self.lib.gathered_ahead()  # type: ignore[union-attr]
        return self.place if whole and prepared is rows else None

    def __del__(self) -> None:
        if getattr(self, "rows", None) is not None:
            self.ready(self.x)  # nobody may write there when the memory is gone
