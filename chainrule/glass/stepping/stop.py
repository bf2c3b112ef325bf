"""Stop: where a stepper stands, with all that is to be seen there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.glass.explanation.notation import unicode_text
from chainrule.glass.stepping.events import Event, Share, Value


class Stop:
    """One operation of a step, or all those of a layer that was passed over; see its properties.

    `phase` is "forward", "backward" or "update"; `path` the layer, "" for what the model does itself, "loss" for what
    comes behind it; `source` the line of the user's code that asked for it. `position` counts the operations up to
    here, from 1, of all passes together.
    """

    def __init__(self, events: Sequence[Event], first: int, last: int, layer: str = "", depth: int = 0) -> None:
        self.events, self.first, self.last, self.layer, self.depth = events, first, last, layer, depth
        event = events[last]
        self.phase, self.source = event.phase, event.source
        self.path = event.frames[depth][0] if layer else event.path

    @property
    def position(self) -> int:
        """Operations done, this one included, of `len(stepper)`."""
        return self.last + 1

    @property
    def names(self) -> list[str]:
        """The operations at hand by the names of their primitives; of an update that of the optimiser."""
        return [event.name for event in self.own]

    @property
    def name(self) -> str:
        """The operation; of a layer with several operations, the class of the layer."""
        return self.names[0] if len(self.own) == 1 else self.layer.partition("(")[0] or self.names[-1]

    @property
    def own(self) -> Sequence[Event]:
        """The events at hand, in the order of time."""
        return self.events[self.first : self.last + 1]

    @property
    def settings(self) -> str:
        """What the operation was set to, as "axis=1"."""
        return self.own[0].settings if len(self.own) == 1 else ""

    @property
    def formula(self) -> str:
        """The formula of the operation forwards, or those of its derivatives backwards; "" for several operations."""
        return ";  ".join(map(unicode_text, self.latex))

    @property
    def latex(self) -> tuple[str, ...]:
        """The same in LaTeX."""
        return self.own[0].latex if len(self.own) == 1 else ()

    # Numbers by name.

    @property
    def operands(self) -> dict[str, np.ndarray]:
        """What the operation was given."""
        return named(self.given)

    @property
    def results(self) -> dict[str, np.ndarray]:
        """What it gave."""
        return named(self.made)

    @property
    def result(self) -> np.ndarray:
        """Its result; the first, where there are several."""
        return self.made[0].array

    @property
    def cotangents(self) -> dict[str, np.ndarray]:
        """∂L/∂result by the name of the result, complete; backwards only."""
        return named(self.bars)

    @property
    def cotangent(self) -> np.ndarray | None:
        """∂L/∂result; of the first, where there are several; None but backwards."""
        return self.bars[0].array if self.bars else None

    @property
    def shares(self) -> dict[str, Share]:
        """What is passed back, by operand: `array` is the share, `total` the sum of all that has arrived there."""
        return {share.name: share for share in self.passed}

    @property
    def update(self) -> np.ndarray | None:
        """Δθ of an update."""
        return next((v.array for v in self.given if v.role == "Δθ"), None) if self.phase == "update" else None

    @property
    def ratio(self) -> float | None:
        """‖Δθ‖/‖θ‖ of an update; infinite where θ is 0 and moves."""
        if self.update is None or len(self.own) > 1:
            return None
        size, moved = (float(np.linalg.norm(x)) for x in (self.given[0].array, self.update))
        return moved / size if size else np.inf if moved else 0.0

    # The same as values.

    @cached_property
    def given(self) -> list[Value]:
        """What came from outside, once each."""
        inside = {value.key for event in self.own for value in event.results}
        return once(v for event in self.own for v in event.operands if v.key not in inside)

    @cached_property
    def made(self) -> list[Value]:
        """What is used outside; of the last operation of all, its results."""
        if len(self.own) == 1 or self.phase == "update":
            return [value for event in self.own for value in event.results]
        results = [value for event in self.own for value in event.results]
        own = {value.key for value in results}
        others = (e for e in self.events if e.phase == "forward" and e.results[0].key not in own)
        used = {value.key for event in others for value in event.operands}
        last = self.own[0] if self.phase == "backward" else self.own[-1]
        return [value for value in results if value.key in used] or list(last.results)

    @cached_property
    def bars(self) -> list[Value]:
        """∂L/∂result of what is used outside."""
        outside = {value.key for value in self.made}
        return [v for event in self.own for v in event.cotangents if v.key in outside]

    @cached_property
    def passed(self) -> list[Share]:
        """What leaves, one share an operand: the sum of those of all operations at hand."""
        inside = {value.key for event in self.own for value in event.results}
        found: dict[Any, Share] = {}
        for share in (s for event in self.own for s in event.shares if s.key not in inside):
            before = found.get(share.key)
            found[share.key] = share if before is None else replace(share, array=before.array + share.array)
        return list(found.values())

    def __repr__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"<Stop {self.position} of {len(self.events)}: {self.phase} {self.name}{where}>"

    def __str__(self) -> str:
        from chainrule.glass.stepping.shown import shown

        return shown(self)


def once(values: Iterable[Value]) -> list[Value]:
    """Values by their keys, each once."""
    return list({value.key or id(value): value for value in values}.values())


def named(values: Iterable[Value]) -> dict[str, np.ndarray]:
    """Arrays by name; a second one of a name is numbered."""
    found: dict[str, np.ndarray] = {}
    for value in values:
        free = (f"{value.name}_{k}" for k in range(2, len(found) + 3))
        name = value.name if value.name not in found else next(n for n in free if n not in found)
        found[name] = value.array
    return found
