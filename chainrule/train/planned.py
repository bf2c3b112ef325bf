"""A step of training as a plan: the rows of its batches are copied into its buffers by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.ahead import RowsAhead, is_table
from chainrule.plan import Plan
from chainrule.plan.compile import Entry
from chainrule.plan.purity import impurity, model_impurity, optimizer_impurity
from chainrule.plan.replay import Replay
from chainrule.train.batches import Batches, Found, OneByOne, Together
from chainrule.train.objective import correct


def suits_a_plan(model: Any, loss: Any, penalty: Any, optimizer: Any) -> bool:
    """Whether a step of training can be seen to do nothing but compute, so that it may be a plan unasked."""
    functions = [loss, *([] if penalty is None else [penalty])]
    return not (model_impurity(model) or optimizer_impurity(optimizer) or any(map(impurity, functions)))


class Planned:
    """The step of a run as a plan, one for each size of batch; None where it cannot be one."""

    def __init__(self, compute: Callable[..., Any], classifies: bool) -> None:
        self.plan, self.classifies = Plan(compute, checks=False), classifies  # labels were checked as a whole
        self.known: dict[tuple[Any, ...], OneByOne | Taken] = {}
        self.data: tuple[np.ndarray, np.ndarray] | None = None
        self.ahead: RowsAhead | None = None

    def most(self, rows: np.ndarray, settings: Any) -> int:
        """How many batches like this one are done by one call, at most, as things are now."""
        batch = self.known.get((len(rows), settings))
        several = batch is not None and batch.most > 1 and not batch.entry.guards.broken()
        return batch.most if batch is not None and several else 1

    def __call__(
        self, x: np.ndarray, y: np.ndarray, batches: Batches, following: Any, settings: Any, stream: Callable[[], Any]
    ) -> list[Found] | None:
        """What was found of these batches of rows of x and y: one, or as many as `most` has just allowed.

        `following` are the rows of the batch behind them, or None. `stream()` gives the random numbers of the step; it
        is asked where there are draws.
        """
        if self.data is None or self.data[0] is not x or self.data[1] is not y:
            self.data, self.known = (x, y), {}
            self.ahead = RowsAhead(x) if is_table(x) and is_table(y) else None
        rows = batches[0]
        key = len(rows), settings
        batch = self.known.get(key)
        if batch is None or (len(batches) == 1 and batch.entry.guards.broken()):
            entry = self.plan.entry(x[rows], y[rows], *settings)
            if entry is None:
                return None
            batch = self.known[key] = self._made(entry)
        if not batch.draws:
            return batch(batches, following)
        with stream():
            return batch(batches, following)

    def _made(self, entry: Entry) -> Taken | OneByOne:
        plan = entry.plan
        if self.ahead is None or not isinstance(plan, Replay) or not plan.native:
            return Taken(entry, self.data, self.classifies)
        kind = Together if Together.suits(plan, self.classifies) else OneByOne
        return kind(entry, plan, self.ahead, self.data[1], self.classifies)  # type: ignore[index]


class Taken:
    """The plan for one size of batch, whose rows are taken by Python."""

    most = 1

    def __init__(self, entry: Entry, data: Any, classifies: bool) -> None:
        self.entry, self.plan, self.draws = entry, entry.plan, entry.program.draws
        self.data, self.classifies = data, classifies

    def __call__(self, batches: Batches, following: Any) -> list[Found]:
        x, y = (a[batches[0]] for a in self.data)
        self.plan.take([x, y])
        self.plan.run()
        z, *losses = map(np.asarray, map(self.plan.place.backend.to_numpy, self.plan.results))
        return [(tuple(map(float, losses)), correct(z, y) if self.classifies else 0)]
