"""Rows of a table, copied by number; those of the next batch in the gaps of the step before."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.library import loaded

ROWS, NUMBERS, PLACE = 0, 4, 5
"""Among the arguments of the compiled calls: how many rows, the address of their numbers, and of where they go."""


def is_table(x: np.ndarray) -> bool:
    """Whether compiled kernels can copy rows of an array."""
    return loaded() is not None and x.flags.c_contiguous and x.size > 0 and not x.dtype.hasobject


def rows_of(x: np.ndarray, n: int, begun: Any = 0) -> NativeCall:
    """The call that copies n rows of a table, or ends copying them where that has begun."""
    return NativeCall("gather_rows", n, x.nbytes // len(x), x, len(x), 0, 0, begun)


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
        return NativeCall("gather_ahead", 0, self.x.nbytes // len(self.x), self.x, len(self.x), 0, 0, self.begun)

    def end(self, n: int) -> NativeCall:
        """A call that sees that n rows are there."""
        return rows_of(self.x, n, self.begun)

    def expect(self, owner: object, rows: np.ndarray | None) -> None:
        """Say who has begun which rows; the owner keeps their place alive."""
        self.owner, self.rows = owner, rows

    def expects(self, owner: object, rows: np.ndarray) -> bool:
        """Whether it was them who began these rows."""
        return self.owner is owner and self.rows is rows

    def give_up(self) -> None:
        """End what was begun; the next rows are copied when they are asked for."""
        self.finish(self.at)
        self.expect(None, None)

    def __del__(self) -> None:
        if hasattr(self, "finish"):
            self.give_up()  # nobody may write there when the memory is gone
