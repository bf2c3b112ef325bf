"""Rows of a table, copied by number; those of the next batch in the gaps of the step before."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.library import loaded

ROWS, NUMBERS, PLACE = 0, 4, 5
"""Among the arguments of the compiled calls: how many rows, the address of their numbers, and of where they go."""


def is_table(x: np.ndarray) -> bool:
    """Whether compiled kernels can copy rows of an array: each row lies together."""
    return loaded() is not None and x.size > 0 and x[0].flags.c_contiguous and not x.dtype.hasobject


def rows_of(x: np.ndarray, n: int, begun: Any = 0, kernel: str = "gather_rows") -> NativeCall:
    """The call that copies n rows of a table, or ends copying them where that has begun."""
    return NativeCall(kernel, n, x[0].nbytes, x, len(x), 0, 0, begun, x.strides[0])


class RowsAhead:
    """Copies rows of a table before they are asked for: threads that wait for others do it.

    Of two compiled calls, `begin` starts with some rows, and `end(n)` sees that its rows are there: it finishes what
    was begun, or copies them all where nothing was. So the rows of `end` must be those of the `begin` before it, or
    `give_up` called between the two. From one to the other the table and the place must not be used otherwise.
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x, self.begun = x, np.zeros(1, np.int64)
        self.at = self.begun.ctypes.data
        self.expect(None, None)
        self.finish = loaded().gathered_ahead  # type: ignore[union-attr]

    def begin(self) -> NativeCall:
        """A call that starts to copy rows, none as long as nobody has said how many."""
        return rows_of(self.x, 0, self.begun, "gather_ahead")

    def end(self, n: int) -> NativeCall:
        """A call that sees that n rows are there."""
        return rows_of(self.x, n, self.begun)

    def expect(self, place: np.ndarray | None, rows: np.ndarray | None) -> None:
        """Say which rows are begun, and where, which is kept alive."""
        self.place, self.rows = place, rows

    def expects(self, place: np.ndarray, rows: np.ndarray) -> bool:
        """Whether these rows were begun, and go to this place."""
        return self.place is place and self.rows is rows

    def give_up(self) -> None:
        """End what was begun; the next rows are copied when they are asked for."""
        self.finish(self.at)
        self.expect(None, None)

    def __del__(self) -> None:
        if hasattr(self, "finish"):
            self.give_up()  # nobody may write there when the memory is gone
