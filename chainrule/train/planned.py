"""A step of training as a plan: the rows of its batches are copied into its buffers by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def __init__(self, compute: Callable[..., Any], functions: Sequence[Callable[..., Any]], classifies: bool) -> None:
        self.plan = Plan(compute, checks=False, functions=functions)  # labels were checked as a whole
        self.classifies = classifies
        self.known: dict[tuple[Any, ...], Taken | OneByOne | Together] = {}
        self.data: tuple[np.ndarray, np.ndarray] | None = None
        self.ahead: RowsAhead | None = None

    def at_once(self, x: np.ndarray, y: np.ndarray, rows: np.ndarray, settings: Any) -> int:
        """How many batches like this one a call may be given, as things are now."""
        batch = self.known.get((len(rows), settings)) if self._knows(x, y) else None
        return 1 if batch is None or batch.at_once == 1 or batch.entry.guards.broken() else batch.at_once

    def __call__(
        self, x: np.ndarray, y: np.ndarray, batches: Batches, following: Any, settings: Any, stream: Callable[[], Any]
    ) -> list[Found] | None:
        """What was found of these batches of rows of x and y: one, or as many as `at_once` has just allowed.

        `following` are the rows of the batch behind them, or None. `stream()` gives the random numbers of the step; it
        is asked where there are draws.
        """
        if not self._knows(x, y):
            self.finish()
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

    def finish(self) -> None:
        """Let go of rows that are copied for a step that does not come."""
        if self.ahead is not None:
            self.ahead.give_up()

    def _knows(self, x: np.ndarray, y: np.ndarray) -> bool:
        return self.data is not None and self.data[0] is x and self.data[1] is y

    def _made(self, entry: Entry) -> Taken | OneByOne | Together:
        plan, (x, y) = entry.plan, self.data  # type: ignore[misc]
        if self.ahead is None or not isinstance(plan, Replay) or not plan.native:
            return Taken(entry, self.data, self.classifies)
        if [place.dtype for place in plan.inputs] != [x.dtype, y.dtype]:
            return Taken(entry, self.data, self.classifies)
        kind = Together if Together.suits(plan, self.classifies) else OneByOne
        return kind(entry, plan, self.ahead, y, self.classifies)


class Taken:
    """The plan for one size of batch, whose rows are taken by Python."""

    at_once = 1

    def __init__(self, entry: Entry, data: Any, classifies: bool) -> None:
        self.entry, self.plan, self.draws = entry, entry.plan, entry.program.draws
        self.data, self.classifies = data, classifies

    def __call__(self, batches: Batches, following: Any) -> list[Found]:
        (rows,) = batches
        x, y = (a[rows] for a in self.data)
        self.plan.take([x, y])
        self.plan.run()
        z, *losses = map(np.asarray, map(self.plan.place.backend.to_numpy, self.plan.results))
        return [([float(loss) for loss in losses], correct(z, y) if self.classifies else 0)]
