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
from chainrule.plan.several import SeveralRuns
from chainrule.train.objective import correct, one_output

Batches = Sequence[np.ndarray]
"""The row numbers of batches of equal size that follow one another."""

Found = tuple[Sequence[float], int]
"""Of a batch, its losses, and how many predictions hit their label."""

WORTH = 1 << 16
"""Bytes of a batch from which on it is copied ahead; to take a smaller one costs less than to prepare it, and one
thread has no gaps."""

SPAN = 0.02
"""Seconds that the steps of one call may take: Ctrl-C and the progress line wait for their end."""

MOST, MOST_ROWS = 1024, 1 << 16
"""Steps by one call at most, and rows of them together."""


class Moving:
    """What brings the rows of batches to a plan, up to so many batches at once.

    `calls` see that the rows of a batch are there, and begin with those of the next one. Large batches go to two places
    in turn, and the plan reads them there, so that the next one can be copied while it computes. What differs from
    batch to batch are `words` among the arguments of the calls, and what they are is in `columns`, each with a row for
    each batch. Row j is for a batch at place j % 2, so there is one more than batches, and `first` is the row to begin
    with.
    """

    def __init__(self, plan: Replay, ahead: RowsAhead, y: np.ndarray, batches: int) -> None:
        x_place, y_place = plan.inputs
        spots = plan.addresses(plan.program.inputs[0])
        self.n, self.first, self.rows, self.ahead = len(y_place), 0, batches + 1, ahead
        self.large = spots is not None and x_place.nbytes >= WORTH and threads() > 1
        other = flat_like(x_place, x_place.size).reshape(x_place.shape) if self.large else x_place
        self.places = x_place, other
        self.numbers = np.zeros((self.rows + 1, self.n), np.int64)  # the last ones are of the batch behind
        self.words: list[tuple[np.ndarray, int]] = []
        self.columns: list[Any] = []

        j = np.arange(self.rows + 1)
        numbers = self.numbers.ctypes.data + self.numbers.strides[0] * j
        places = np.array([place.ctypes.data for place in self.places])[j % 2]
        begin, end, labels = ahead.begin(), ahead.end(self.n), rows_of(y, self.n)
        labels.words[PLACE] = y_place.ctypes.data
        self.calls = [end, begin, labels]
        self.let(begin.words, ROWS, 0)  # the first column, which `note` fills
        self.let(begin.words, NUMBERS, numbers[1:])
        self.let(begin.words, PLACE, places[1:])
        self.let(end.words, NUMBERS, numbers[:-1])
        self.let(end.words, PLACE, places[:-1])
        self.let(labels.words, NUMBERS, numbers[:-1])
        for table, place, offset in spots if spots is not None and self.large else ():
            self.let(table, place, places[:-1] + offset)

    def let(self, table: np.ndarray, place: int, column: Any) -> None:
        """Let a word be another one for each batch."""
        self.words.append((table, place))
        self.columns.append(column)

    def fill(self, values: np.ndarray) -> None:
        """Write the columns down, where they are to be read."""
        for k, column in enumerate(self.columns):
            values[:, k] = column
        self.begins = values[:, 0]

    def note(self, batches: Batches, following: np.ndarray | None) -> np.ndarray | None:
        """Write down the rows of the batches, and those to begin with behind them, which are given back."""
        first, last = self.first, self.first + len(batches)
        for j, rows in enumerate(batches, first):
            self.numbers[j] = rows
        if not self.large:
            return None
        if not self.ahead.expects(self.places[first], batches[0]):
            self.ahead.give_up()
        self.begins[first:last] = self.n
        if following is not None and len(following) == self.n:
            self.numbers[last] = following
            return following
        self.begins[last - 1] = 0
        return None

    def done(self, batches: int, following: np.ndarray | None) -> None:
        """So many batches were computed, and these rows begun."""
        self.first = (self.first + batches) % 2
        self.ahead.expect(self.places[self.first], following)


class OneByOne:
    """The plan for one size of batch, whose rows are copied by compiled kernels."""

    at_once = 1

    def __init__(self, entry: Entry, plan: Replay, ahead: RowsAhead, y: np.ndarray, classifies: bool) -> None:
        self.entry, self.plan, self.draws, self.classifies = entry, plan, entry.program.draws, classifies
        self.moving = moving = Moving(plan, ahead, y, 1)
        self.move = Series(moving.calls, moving.words, moving.rows)
        moving.fill(self.move.values)

    def __call__(self, batches: Batches, following: np.ndarray | None) -> list[Found]:
        (rows,), moving = batches, self.moving
        following = moving.note([rows], following)
        self.move.run(moving.first, 1)
        self.plan.run()
        moving.done(1, following)
        z, *losses = self.plan.results
        hits = correct(z, self.plan.inputs[1]) if self.classifies else 0
        return [([float(loss) for loss in losses], hits)]


class Together:
    """The same for a plan that is one call of the compiled library, which then makes the steps of several batches.

    `at_once` says how many: as many as take some hundredths of a second, as the latest ones did.
    """

    def __init__(self, entry: Entry, plan: Replay, ahead: RowsAhead, y: np.ndarray, classifies: bool) -> None:
        self.entry, self.draws = entry, 0
        z, *losses = plan.results
        n = len(y_place := plan.inputs[1])
        self.at_once, self.most = 1, max(1, min(MOST, MOST_ROWS // n))
        self.moving = moving = Moving(plan, ahead, y, self.most)

        j, stop = np.arange(moving.rows), np.zeros(1, np.int64)
        self.losses, self.hits = np.zeros((len(j), len(losses)), np.float32), np.zeros(len(j), np.int64)
        noting = [NativeCall("keep", loss, self.losses, stop) for loss in losses]
        for k, call in enumerate(noting):
            moving.let(call.words, 1, self.losses.ctypes.data + self.losses.strides[0] * j + self.losses.itemsize * k)
        if classifies:
            noting.append(call := NativeCall("hits", n, z.size // n, z, y_place, self.hits))
            moving.let(call.words, 4, self.hits.ctypes.data + self.hits.itemsize * j)
        self.runs = SeveralRuns(plan, moving.calls, noting, moving.words, moving.rows, stop)
        moving.fill(self.runs.values)

    @staticmethod
    def suits(plan: Replay, classifies: bool) -> bool:
        """Whether that can be: compiled kernels keep the losses too, and count the predictions that are right."""
        z, *losses = plan.results
        kept = all(type(loss) is np.ndarray and loss.dtype == np.float32 and loss.size == 1 for loss in losses)
        return plan.is_one_call and kept and (not classifies or _can_count(z, plan.inputs[1]))

    def __call__(self, batches: Batches, following: np.ndarray | None) -> list[Found]:
        following = self.moving.note(batches, following)
        first, began = self.moving.first, perf_counter()
        done = self.runs(first, len(batches))
        self.at_once = max(1, min(self.most, int(SPAN * done / (perf_counter() - began))))
        # where it stopped at a loss that is not finite, the rows of another batch were begun
        self.moving.done(done, following if done == len(batches) else None)
        if done == 1:
            return [(self.losses[first].tolist(), self.hits.item(first))]
        last = first + done
        return list(zip(self.losses[first:last].tolist(), self.hits[first:last].tolist(), strict=True))


def _can_count(z: np.ndarray, y: np.ndarray) -> bool:
    known = z.dtype == np.float32 and z.flags.c_contiguous and y.dtype == np.int64
    return known and len(z) == len(y) and one_output(y.shape) and (z.ndim == 2 or one_output(z.shape))
