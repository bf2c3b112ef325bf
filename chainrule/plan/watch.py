"""Watching: quantities of a plan, kept while it runs, by name.

A watched buffer is not used for anything else, and what passed between two operations of a chain is written out as
well; the arithmetic is the same, so a watched run is bit-identical to an unwatched one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall, runner
from chainrule.backends.native.library import loaded
from chainrule.base.errors import OptionError
from chainrule.plan.program import Program, Value

FIGURES = ("mean", "std", "min", "max")
"""What is kept of each quantity with `statistics=True`."""
SINGLE = np.dtype(np.float32)


class Watch:
    """The last values of some quantities of a plan, or figures of them, with the steps they belong to.

    `watch["fc1.z"]` is an array with a row for each step that was kept, oldest first: the values, or mean, standard
    deviation, least and largest (`statistics=True`). `watch.steps` are the numbers of those steps, counted from 0.
    """

    def __init__(self, names: Sequence[str], every: int, statistics: bool, keep: int) -> None:
        self.patterns, self.every, self.statistics, self.keep = tuple(names), every, statistics, keep
        self.rings: list[Ring] = []

    @property
    def columns(self) -> tuple[str, ...]:
        """The figures of each quantity, with `statistics=True`."""
        return FIGURES if self.statistics else ()

    @property
    def names(self) -> list[str]:
        """The quantities that are watched."""
        return list(dict.fromkeys(name for ring in self.rings for name in ring.names))

    @property
    def steps(self) -> np.ndarray:
        """The steps that were kept."""
        rows = [ring.steps() for ring in self.rings]
        return np.sort(np.concatenate(rows))[-self.keep :] if rows else np.zeros(0, np.int64)

    def __getitem__(self, name: str) -> Any:
        """The rows of one quantity; a list where batches of different sizes were watched."""
        rings = [ring for ring in self.rings if name in ring.names]
        if not rings:
            raise KeyError(f"{name!r} is not watched; there are {', '.join(self.names) or 'no values yet'}")
        rows = [(step, row) for ring in rings for step, row in zip(ring.steps(), ring.rows(name), strict=True)]
        rows.sort(key=lambda pair: pair[0])
        values = [row for _, row in rows[-self.keep :]]
        return np.stack(values) if len({v.shape for v in values}) == 1 else values

    def __repr__(self) -> str:
        what = "statistics" if self.statistics else "values"
        return f"Watch({what} of {', '.join(self.names or self.patterns)}, every {self.every}, {len(self.steps)} kept)"


class Ring:
    """The rows of one watch for one kind of call: a ring of `keep` rows, in which quantities lie side by side."""

    def __init__(self, watch: Watch, values: dict[str, Value], plan: Any) -> None:
        kinds = list(dict.fromkeys(values.values()))  # a value may have several names
        self.names, self.keep = {name: kinds.index(v) for name, v in values.items()}, watch.keep
        self.plan, self.values = plan, kinds
        self.shapes = [(len(FIGURES),) if watch.statistics else v.shape for v in kinds]
        ends = np.cumsum([0, *map(prod, self.shapes)])
        self.places = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.table = np.zeros((watch.keep, int(ends[-1])), np.float32)
        self.numbers = np.zeros(watch.keep, np.int64)
        self.count = np.zeros(1, np.int64)
        self.take = self._taker(watch)

    def note(self, step: int) -> None:
        """Keep the values of the step that has just run."""
        self.numbers[int(self.count[0]) % self.keep] = step
        self.take()

    def _order(self) -> np.ndarray:
        count = int(self.count[0])
        return np.arange(max(0, count - self.keep), count) % self.keep

    def steps(self) -> np.ndarray:
        """The steps in the ring, oldest first."""
        return self.numbers[self._order()]

    def rows(self, name: str) -> np.ndarray:
        """The rows of one quantity, oldest first."""
        i = self.names[name]
        table = self.table[self._order()][:, self.places[i]]
        return table.reshape(len(table), *self.shapes[i])

    def _taker(self, watch: Watch) -> Callable[[], Any]:
        on_host = self.plan.is_static and self.plan.place.backend.name == "numpy" and loaded() is not None
        arrays = [self.plan.array_of(v) for v in self.values] if on_host else []
        if on_host and all(a.dtype == SINGLE and a.flags.c_contiguous for a in arrays):
            pairs = np.array([(a.ctypes.data, a.size) for a in arrays], np.int64)
            kernel = "keep_figures" if watch.statistics else "keep_values"
            call = NativeCall(kernel, len(arrays), pairs, watch.keep, self.table.shape[1], self.table, self.count)
            call.kept += arrays
            return runner([call])
        return lambda: self._taken(watch.statistics)

    def _taken(self, statistics: bool) -> None:
        row, backend = self.table[int(self.count[0]) % self.keep], self.plan.place.backend
        for place, value in zip(self.places, self.values, strict=True):
            a = np.asarray(backend.to_numpy(self.plan.array_of(value)))
            row[place] = (a.mean(), a.std(), a.min(), a.max()) if statistics else a.reshape(-1)
        self.count += 1


def matched(program: Program, patterns: Iterable[str]) -> dict[str, Value]:
    """The values of a program whose names fit; `*` stands for any characters.

    Raises:
        OptionError: a pattern fits nothing.
    """
    named = {name: v for name, v in program.named().items() if v.kind != "constant"}
    named = dict(sorted(named.items(), key=lambda item: item[1].kind not in ("result", "gradient")))
    found: dict[str, Value] = {}
    for pattern in patterns:
        fits = {name: v for name, v in named.items() if fnmatchcase(name, pattern)}
        if not fits:
            raise OptionError(f"The plan has no quantity {pattern!r}.", known=_some(list(named)))
        found |= fits
    return found


def _some(names: list[str], most: int = 16) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
