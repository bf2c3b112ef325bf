"""Several runs of a plan by one call of the compiled library: nothing happens in Python between them."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

import numpy as np

from chainrule.backends.native.calls import NativeCall, Series
from chainrule.plan.replay import Replay


class SeveralRuns:
    """Runs of a plan that is one call, with compiled calls around it, some words of their arguments others in each.

    `values` has a row of these words for each run, to be filled by the caller. The numbers of optimisers stand behind
    them.
    """

    def __init__(
        self,
        plan: Replay,
        before: Sequence[NativeCall],
        after: Sequence[NativeCall],
        words: Sequence[tuple[np.ndarray, int]],
        rows: int,
        stop: np.ndarray,
    ) -> None:
        self.plan, numbers = plan, [word for step in plan.steps for word in step.words]
        self.series = Series([*before, *plan.pieces, *after], [*words, *numbers], rows, stop)
        table = self.series.values
        self.values, self.memory = table[:, : len(words)], table.data.cast("B")
        self.numbers, self.width, self.behind = Struct(f"{len(numbers)}d"), table.strides[0], 8 * len(words)

    def __call__(self, first: int, runs: int) -> int:
        """Run with the values of so many rows from one on, or up to where `stop` is set; how many runs those were."""
        plan = self.plan
        plan.fetch()
        for i in range(runs):
            numbers: tuple[float, ...] = ()
            for step in plan.steps:
                numbers += step.numbers(i)
            self.numbers.pack_into(self.memory, (first + i) * self.width + self.behind, *numbers)
        try:
            self.series.run(first, runs)
        finally:  # what was done is counted, also where Ctrl-C ends it
            done = self.series.done.item(0)
            for step in plan.steps:
                step.after(done)
            plan.flag()
        return done
