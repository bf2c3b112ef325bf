"""Step: one line of the derivation, as data. What is printed is only a view of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.glass.differences import Check
from chainrule.glass.notation import unicode_text

Formula = tuple[Any, ...]
"""A rule with the numbers put in: LaTeX strings and arrays, side by side."""


@dataclass(frozen=True, eq=False)
class Step:
    """A named quantity with its rule, the rule with numbers, its value, and how its derivative was checked.

    `phase` is "forward", "backward" or "update"; `kind` says by which rule: "linear", "activation", "delta", ...
    `rule` is LaTeX, and `str(step)` the rule in Unicode. `value` has the layout of the explanation, samples in
    rows or in columns. `expanded` are further lines, entry by entry. `check` is None where no derivative is
    taken.
    """

    name: str
    kind: str
    phase: str
    caption: str
    symbol: str
    rule: str
    value: np.ndarray
    substituted: Formula | None = None
    expanded: tuple[Formula, ...] = ()
    notes: tuple[str, ...] = ()
    check: Check | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    def __str__(self) -> str:
        return unicode_text(self.rule)
