"""A step of training as a plan: batches are gathered into its buffers by row number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.ahead import RowsAhead
from chainrule.backends.native.calls import NativeCall, runner
from chainrule.backends.native.library import loaded, threads
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
        key = len(rows), settings
        batch = self.known.get(key)
        if batch is None or batch.entry.guards.broken():
            entry = self.plan.entry(x[rows], y[rows], *settings)
            if entry is None:
                return None
            batch = self.known[key] = Batch(entry, self.classifies)
        if self.table is None or self.table.x is not x:
            self.table = RowsAhead(x)
        if not batch.draws:
            return batch(self.table, y, rows, following)
        with stream():
            return batch(self.table, y, rows, following)


class Batch:
    """The plan for one size of batch."""

    def __init__(self, entry: Entry, classifies: bool) -> None:
        self.entry, self.plan, self.classifies = entry, entry.plan, classifies
        self.draws = entry.program.draws
        self.direct = isinstance(self.plan, Replay) and self.plan.place.backend.name == "numpy"
        if self.direct:
            self.x, self.y = self.plan.inputs  # type: ignore[union-attr]
            self.spare, self.all = np.empty_like(self.x), np.arange(len(self.x))
            self.move = self.plan.freed.words if self.plan.native else np.zeros(6, np.int64)  # type: ignore[union-attr]
            self.moved, self.large = self.move[5:], self.x.nbytes >= WORTH and threads() > 1
            self.move[1:5] = (
                self.x.nbytes // max(1, len(self.x)),
                *(a.ctypes.data for a in (self.spare, self.all, self.x)),
            )
            self.z, *self.losses = self.plan.results
            self.hits = self._counter()

    def __call__(self, table: RowsAhead, y: np.ndarray, rows: np.ndarray, following: Any) -> tuple[Losses, int]:
        if not self.direct:
            return self._elsewhere(table.x[rows], y[rows])
        ready = table.ready(rows)
        if ready is None:
            table.x.take(rows, 0, self.x, "clip")
        elif ready is not self.spare or not self.moved[0]:
            np.copyto(self.x, ready)
        y.take(rows, 0, self.y, "clip")
        if self.large:
            self._prepare(table, following)
        self.plan.run()
        return tuple([float(loss) for loss in self.losses]), self.hits()

    def _prepare(self, table: RowsAhead, following: Any) -> None:
        """Let the next rows be gathered meanwhile, and move in when the plan has read these."""
        self.move[0] = self.move[5] = 0
        if following is not None and len(following) == len(self.spare) and table.prepare(following, self.spare):
            self.move[0] = len(self.all)

    def _elsewhere(self, x: np.ndarray, y: np.ndarray) -> tuple[Losses, int]:
        """The same on PyTorch's and JAX's arrays."""
        self.plan.take([x, y])
        self.plan.run()
        z, *losses = map(np.asarray, map(self.plan.place.backend.to_numpy, self.plan.results))
        return tuple(map(float, losses)), correct(z, y) if self.classifies else 0

    def _counter(self) -> Callable[[], int]:
        """How many predictions hit their label, by a compiled kernel where these are rows of logits and labels."""
        z, y = self.z, self.y
        labels = y.ndim == 1 and y.dtype == np.int64
        rows = z.ndim == 2 and z.shape[1] > 1 and z.dtype == np.float32 and z.flags.c_contiguous
        if not (self.classifies and labels and rows and loaded()):
            return (lambda: correct(z, y)) if self.classifies else lambda: 0
        count = np.zeros(1, np.int64)
        run = runner([NativeCall("hits", len(z), z.shape[1], z, y, count)])

        def hits() -> int:
            run()
            return int(count[0])

        return hits
