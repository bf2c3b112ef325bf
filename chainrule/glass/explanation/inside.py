"""What a layer tells beside its result: quantities inside of it, as steps of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.run import join
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.record import Call

INSIDE = "inside"
"""The kind of such steps."""


@dataclass(frozen=True, eq=False)
class Inside:
    """A quantity inside a layer, told before the layer's result; backwards, before the derivatives it sends back.

    `name` is its own, "mean", behind the path of the layer: the step and the number are `bn1.mean`. `rule` is
    the right side in LaTeX. The other fields are those of `Step`.
    """

    name: str
    symbol: str
    rule: str
    value: np.ndarray
    substituted: Formula | None = None
    expanded: tuple[Formula, ...] = ()
    notes: tuple[str, ...] = ()
    caption: str = ""
    check: Check | None = None

    def step(self, call: Call, phase: str) -> Step:
        """The step of a layer."""
        return Step(
            name=join(call.path, self.name),
            kind=INSIDE,
            phase=phase,
            caption=self.caption,
            symbol=self.symbol,
            rule=f"{self.symbol} = {self.rule}",
            value=self.value,
            substituted=self.substituted,
            expanded=self.expanded,
            notes=self.notes,
            check=self.check,
        )
