"""A step of training as a plan: batches are gathered into its buffers by row number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.ahead import RowsAhead
from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.library import loaded, threads
from chainrule.backends.numpy_backend import flat_like
from chainrule.plan import Plan
from chainrule.plan.compile import Entry
from chainrule.plan.purity import impurity, model_impurity, optimizer_impurity
from chainrule.plan.replay import Replay
from chainrule.train.objective import correct

Losses = tuple[float, ...]


def suits_a_plan(model: Any, loss: Any, penalty: Any, optimizer: Any) -> bool:
    """Whether a step of training can be seen to do nothing but compute, so that it may be a plan unasked."""
    functions = [loss, *([] if penalty is None else [penalty])]
    return not (model_impurity(model) or optimizer_impurity(optimizer) or any(map(impurity, functions)))


WORTH = 1 << 16
"""Bytes of a batch from which on it is gathered ahead; to take a smaller one costs less than to prepare it, and one
thread has no gaps."""


class Planned:
    """The step of a run as a plan, one for each size of batch; None where it cannot be one."""

    def __init__(self, compute: Callable[..., Any], classifies: bool) -> None:
        self.plan, self.classifies = Plan(compute, checks=False), classifies  # labels were checked as a whole
        self.known: dict[tuple[Any, ...], Batch] = {}
        self.table: RowsAhead | None = None

    def __call__(
        self, x: np.ndarray, y: np.ndarray, rows: np.ndarray, following: Any, settings: Any, stream: Callable[[], Any]
    ) -> tuple[Losses, int] | None:
        """The losses of the rows of x and y, and how many predictions hit their label.

        `following` are the rows of the next batch, or None. `stream()` gives the random numbers of the step; it is
        asked where there are draws.
        """
        if self.table is None or self.table.x is not x:
            self.table, self.known = RowsAhead(x), {}
        key = len(rows), settings
        batch = self.known.get(key)
        if batch is None or batch.entry.guards.broken():
            entry = self.plan.entry(x[rows], y[rows], *settings)
            if entry is None:
                return None
            batch = self.known[key] = Batch(entry, self.classifies, self.table)
        if not batch.draws:
            return batch(y, rows, following)
        with stream():
            return batch(y, rows, following)


class Exchange:
    """Two arrays of which a plan reads its first input in turn, so that the next rows are gathered in the free one."""

    def __init__(self, plan: Replay) -> None:
        self.x = self.read = plan.inputs[0]
        self.free = flat_like(self.x, self.x.size).reshape(self.x.shape)
        self.spots = plan.addresses(plan.program.inputs[0]) or []
        self.at = {id(a): a.ctypes.data for a in (self.read, self.free)}

    def rows(self, table: RowsAhead, rows: np.ndarray) -> None:
        """Let the plan read these rows, which it finds gathered when it runs where they were aimed at."""
        if self.spots and table.place is self.free and table.will_have(rows):
            self.read, self.free = self.free, self.read
            address = self.at[id(self.read)]
            for words, place, offset in self.spots:
                words[place] = address + offset
        elif (ready := table.ready(rows)) is not None:
            np.copyto(self.read, ready)
        else:
            table.x.take(rows, 0, self.read, "clip")

    def aim(self, table: RowsAhead, following: np.ndarray | None) -> None:
        """Let the rows of the next batch be gathered in the free array, where they have its shape."""
        fits = following is not None and len(following) == len(self.free)
        table.aim(following if fits else None, self.free, self.at[id(self.free)])


class Batch:
    """The plan for one size of batch."""

    def __init__(self, entry: Entry, classifies: bool, table: RowsAhead) -> None:
        self.entry, self.classifies, self.table = entry, classifies, table
        self.plan = plan = entry.plan
        self.draws = entry.program.draws
        self.direct = isinstance(plan, Replay) and plan.place.backend.name == "numpy"
        if isinstance(plan, Replay) and self.direct:
            (self.x, self.y), (self.z, *self.losses) = plan.inputs, plan.results
            large = self.x.nbytes >= WORTH and threads() > 1 and table.lib is not None
            self.exchange = Exchange(plan) if large else None
            self.hits, counted = self._counter()
            self.run = plan.run_with([table.end, table.begin] if large else [], counted)

    def __call__(self, y: np.ndarray, rows: np.ndarray, following: Any) -> tuple[Losses, int]:
        table = self.table
        if not self.direct:
            return self._elsewhere(table.x[rows], y[rows])
        if self.exchange is None:
            table.x.take(rows, 0, self.x, "clip")
        else:
            self.exchange.rows(table, rows)
            self.exchange.aim(table, following)
        y.take(rows, 0, self.y, "clip")
        self.run()
        return tuple([float(loss) for loss in self.losses]), self.hits()

    def _elsewhere(self, x: np.ndarray, y: np.ndarray) -> tuple[Losses, int]:
        """The same on PyTorch's and JAX's arrays."""
        self.plan.take([x, y])
        self.plan.run()
        z, *losses = map(np.asarray, map(self.plan.place.backend.to_numpy, self.plan.results))
        return tuple(map(float, losses)), correct(z, y) if self.classifies else 0

    def _counter(self) -> tuple[Callable[[], int], list[NativeCall]]:
        """How many predictions hit their label: counted by the run, where these are rows of logits and labels."""
        z, y = self.z, self.y
        labels = y.ndim == 1 and y.dtype == np.int64
        rows = z.ndim == 2 and z.shape[1] > 1 and z.dtype == np.float32 and z.flags.c_contiguous
        if not (self.classifies and labels and rows and loaded()):
            return (lambda: correct(z, y)) if self.classifies else lambda: 0, []
        count = np.zeros(1, np.int64)
        return lambda: count.item(0), [NativeCall("hits", len(z), z.shape[1], z, y, count)]
