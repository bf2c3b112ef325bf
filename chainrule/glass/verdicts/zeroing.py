"""Whether gradients are zeroed between updates: those that an update has used must not be added to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.glass.ledgers.one_step import array


class Zeroing:
    """Leaves whose gradient an update has used, and those to which another was added before it was zeroed.

    Several backward passes for one update add up on purpose; the first of them finds gradients that are zero, or none.
    """

    def __init__(self) -> None:
        self.spent: set[Any] = set()
        self.mixed: set[Any] = set()

    def arriving(self, leaves: Iterable[Any]) -> None:
        """Gradients are about to be added to these leaves."""
        for leaf in leaves:
            if leaf not in self.spent:
                continue
            if leaf.filled and np.any(array(leaf.buffer)):
                self.mixed.add(leaf)
            else:
                self.spent.discard(leaf)
                self.mixed.discard(leaf)

    def used(self, leaves: Iterable[Any]) -> bool:
        """An update has used the gradients of these leaves; whether one of them still held that of the one before."""
        leaves = set(leaves)
        found = bool(leaves & self.mixed)
        self.mixed -= leaves
        self.spent |= {leaf for leaf in leaves if leaf.filled}
        return found
