"""Rows: the examples that a loop meets, each kept once."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledgers.one_step import array
from chainrule.glass.verdicts.evidence import Data

MOST_ROWS = 20_000
"""Examples of a data set that are kept."""
MOST_BYTES = 1 << 28
"""Memory that they may take."""


class Rows:
    """Examples in the order in which they were first met, with their targets."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.x: list[np.ndarray] = []
        self.y: list[np.ndarray | None] = []
        self.shown = self.bytes = 0

    def add(self, x: Any, y: Any = None) -> None:
        """Note a batch; what has no axis of examples is passed over, and targets of another length are."""
        x, y = numbers(x), numbers(y)
        if x is None or not x.ndim:
            return
        self.shown += len(x)
        fits = y is not None and y.ndim and len(y) == len(x)
        for i, row in enumerate(x):
            key, target = row.tobytes(), y[i] if fits and y is not None else None
            place = self.places.get(key)
            if place is None:
                self._keep(key, row, target)
            elif self.y[place] is None:
                self.y[place] = target

    def _keep(self, key: bytes, row: np.ndarray, target: Any) -> None:
        if len(self.x) < MOST_ROWS and self.bytes < MOST_BYTES and (not self.x or row.shape == self.x[0].shape):
            self.places[key] = len(self.x)
            self.x.append(np.array(row))
            self.y.append(None if target is None else np.array(target))
            self.bytes += 2 * row.nbytes

    def data(self) -> Data | None:
        """What was met; None if nothing was. Targets are left out where those of some examples are not known."""
        if not self.x:
            return None
        known = [y for y in self.y if y is not None]
        whole = len(known) == len(self.x) and len({y.shape for y in known}) == 1
        return Data(np.stack(self.x), np.stack(known) if whole else None, self.shown)

    def share(self, x: np.ndarray) -> float:
        """How many of these rows are among those kept, as a fraction."""
        return sum(row.tobytes() in self.places for row in x) / max(len(x), 1)


def numbers(x: Any) -> np.ndarray | None:
    """An array or a tensor with numbers as NumPy's; None for anything else."""
    if x is None or not (isinstance(x, Tensor) or hasattr(x, "__array__") or isinstance(x, (list, float, int))):
        return None
    try:
        found = array(x) if isinstance(x, Tensor) else np.asarray(x)
    except (TypeError, ValueError):
        return None
    return found if found.dtype.kind in "fiub" else None
