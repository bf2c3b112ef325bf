"""Batches of a plan on compiled kernels: their rows are copied by number, and several steps are made by one call."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from chainrule.backends.native.ahead import NUMBERS, PLACE, ROWS, RowsAhead, rows_of
from chainrule.backends.native.calls import NativeCall, Series
from chainrule.backends.native.library import threads
from chainrule.backends.numpy_backend import flat_like
from chainrule.plan.compile import Entry
from chainrule.plan.replay import Replay
from chainrule.plan.series import Runs
from chainrule.train.objective import correct, one_output

Batches = Sequence[np.ndarray]
"""The row numbers of batches of equal size that follow one another."""

Found = tuple[tuple[float, ...], int]
"""Of a batch, its losses, and how many predictions hit their label."""

WORTH = 1 << 16
"""Bytes of a batch from which on it is copied ahead; to take a smaller one costs less than to prepare it, and one
thread has no gaps."""

SPAN = 0.02
"""Seconds that the steps of one call may take: Ctrl-C and the progress line wait for their end."""

MOST, MOST_ROWS = 1024, 1 << 16
"""Steps by one call at most, and rows of them together."""


class OneByOne:
    """The plan for one size of batch, whose rows are copied by compiled kernels.

    Large batches go to two places in turn, and the plan reads them there, so that the next one can be copied while it
    computes. What differs from batch to batch are some words among the arguments of the kernels, which stand in rows of
    a table; row j is for a batch at place j % 2, and `side` the row to begin with.
    """

    most = longest = 1

    def __init__(self, entry: Entry, plan: Replay, ahead: RowsAhead, y: np.ndarray, classifies: bool) -> None:
        self.entry, self.plan, self.ahead, self.draws = entry, plan, ahead, entry.program.draws
        self.x_place, self.y_place = plan.inputs
        self.z, *self.losses = plan.results
        self.n, self.side, self.classifies = len(self.y_place), 0, classifies
        self.words: list[tuple[np.ndarray, int]] = []
        self.columns: list[Any] = []
        self._settle(self._moving(y))

    def __call__(self, batches: Batches, following: Any) -> list[Found]:
        following = self._noted(batches, following)
        self.move.run(self.side, 1)
        self.plan.run()
        self._done(1, following)
        hits = correct(self.z, self.y_place) if self.classifies else 0
        return [(tuple([float(loss) for loss in self.losses]), hits)]

    def _settle(self, moving: list[NativeCall]) -> None:
        self.move = Series(moving, self.words, self.longest + 1, np.zeros(1, np.int64))
        self._fill(self.move.values)

    def _fill(self, values: np.ndarray) -> None:
        for k, column in enumerate(self.columns):
            values[:, k] = column
        self.begins = values[:, 0]

    def _word(self, call: NativeCall, place: int, column: Any) -> None:
        """Let a word among the arguments of a call be another one for each batch."""
        self.words.append((call.words, place))
        self.columns.append(column)

    def _moving(self, y: np.ndarray) -> list[NativeCall]:
        """The calls that see that the rows of a batch are there, and begin with those of the next one."""
        x, n, plan, j = self.x_place, self.n, self.plan, np.arange(self.longest + 2)
        spots = plan.addresses(plan.program.inputs[0])
        self.large = spots is not None and x.nbytes >= WORTH and threads() > 1
        self.places = [x, flat_like(x, x.size).reshape(x.shape)] if self.large else [x, x]
        self.numbers = np.zeros((len(j), n), np.int64)
        numbers = self.numbers.ctypes.data + self.numbers.strides[0] * j
        places = np.array([place.ctypes.data for place in self.places])[j % 2]
        begin, end, labels = self.ahead.begin(), self.ahead.end(n), rows_of(y, n)
        labels.words[PLACE] = self.y_place.ctypes.data
        for call, place, column in [
            (begin, ROWS, 0),
            (begin, NUMBERS, numbers[1:]),
            (begin, PLACE, places[1:]),
            (end, NUMBERS, numbers[:-1]),
            (end, PLACE, places[:-1]),
            (labels, NUMBERS, numbers[:-1]),
        ]:
            self._word(call, place, column)
        for table, place, offset in spots if spots is not None and self.large else ():
            self.words.append((table, place))
            self.columns.append(places[:-1] + offset)
        return [end, begin, labels]

    def _noted(self, batches: Batches, following: Any) -> Any:
        """Write down the rows of the batches, and those to begin with behind them, which are given back."""
        first, last = self.side, self.side + len(batches)
        if not self.ahead.expects(self, batches[0]):
            self.ahead.give_up()
        np.concatenate(batches, out=self.numbers[first:last].reshape(-1))
        self.begins[first:last] = self.n if self.large else 0
        if self.large and following is not None and len(following) == self.n:
            self.numbers[last] = following
            return following
        self.begins[last - 1] = 0
        return None

    def _done(self, batches: int, following: Any) -> None:
        self.side = (self.side + batches) % 2
        self.ahead.expect(self, following)


class Together(OneByOne):
    """The same for a plan that is one call of the compiled library, which then makes the steps of several batches."""

    def __init__(self, entry: Entry, plan: Replay, ahead: RowsAhead, y: np.ndarray, classifies: bool) -> None:
        self.longest = max(1, min(MOST, MOST_ROWS // len(plan.inputs[1])))
        super().__init__(entry, plan, ahead, y, classifies)

    @staticmethod
    def suits(plan: Replay, classifies: bool) -> bool:
        """Whether that can be: compiled kernels keep the losses too, and count the predictions that are right."""
        z, *losses = plan.results
        kept = all(type(loss) is np.ndarray and loss.dtype == np.float32 and loss.size == 1 for loss in losses)
        return plan.is_one_call and kept and (not classifies or _can_count(z, plan.inputs[1]))

    def _settle(self, moving: list[NativeCall]) -> None:
        j, stop = np.arange(self.longest + 1), np.zeros(1, np.int64)
        self.kept = np.zeros((len(self.losses), len(j)), np.float32)
        self.hits = np.zeros(len(j), np.int64)
        noting = [NativeCall("keep", loss, kept, stop) for loss, kept in zip(self.losses, self.kept, strict=True)]
        for call, kept in zip(noting, self.kept, strict=True):
            self._word(call, 1, kept.ctypes.data + kept.itemsize * j)
        if self.classifies:
            noting.append(NativeCall("hits", self.n, self.z.size // self.n, self.z, self.y_place, self.hits))
            self._word(noting[-1], 4, self.hits.ctypes.data + self.hits.itemsize * j)
        self.runs = Runs(self.plan, moving, noting, self.words, len(j), stop)
        self._fill(self.runs.values)

    def __call__(self, batches: Batches, following: Any) -> list[Found]:
        following = self._noted(batches, following)
        first, began = self.side, perf_counter()
        done = self.runs(first, len(batches))
        self.most = max(1, min(self.longest, int(SPAN * done / (perf_counter() - began))))
        # where it stopped at a loss that is not finite, the rows of another batch were begun
        self._done(done, following if done == len(batches) else None)
        found = slice(first, first + done)
        return list(zip(zip(*self.kept[:, found].tolist(), strict=True), self.hits[found].tolist(), strict=True))


def _can_count(z: np.ndarray, y: np.ndarray) -> bool:
    known = z.dtype == np.float32 and z.flags.c_contiguous and y.dtype == np.int64
    return known and y.size == len(z) and (z.ndim == 2 or one_output(z.shape))
