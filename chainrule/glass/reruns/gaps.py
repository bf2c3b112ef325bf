"""One step of two runs, quantity by quantity in the order in which they come to be: which differ, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import NumericalError
from chainrule.glass.reruns.moments import Moment
from chainrule.glass.reruns.outputs import outputs_noted
from chainrule.glass.reruns.rerun import Rerun
from chainrule.train import Run

KINDS = {
    "data": "the data",
    "parameter": "parameter {} before the step",
    "buffer": "buffer {} before the step",
    "optimiser": "the optimiser's {} before the step",
    "output": "the output {}",
    "loss": "the loss",
    "gradient": "the gradient of {}",
    "lr": "the learning rate",
    "update": "the update of {}",
    "kept": "the optimiser's {} behind the step",
}
"""Kinds of quantities in the order of a step, as they are called in a sentence."""

NAMES = {
    "optimiser": "optimizer.{}",
    "gradient": "{}.gradient",
    "update": "{}.update",
    "kept": "optimizer.{}.update",
}
"""How a quantity is named by its own name, where that is not enough."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number or an array of one step: its kind, its own name, the path of its layer, its value."""

    kind: str
    own: str
    layer: str
    value: np.ndarray

    @property
    def name(self) -> str:
        """As x, fc1.weight, optimizer.0.m, fc1.z, loss, fc1.weight.gradient, lr, fc1.weight.update."""
        return NAMES.get(self.kind, "{}").format(self.own)


@dataclass(frozen=True, eq=False)
class Gap:
    """A quantity that two runs do not have alike: the value in each, None where a run has no such quantity."""

    quantity: Quantity
    first: np.ndarray | None
    second: np.ndarray | None

    @property
    def name(self) -> str:
        """The name of the quantity."""
        return self.quantity.name

    @property
    def distances(self) -> np.ndarray | None:
        """|a − b| entry by entry, ∞ where one is NaN; None where the shapes differ."""
        a, b = self.first, self.second
        return None if a is None or b is None or a.shape != b.shape else apart(a, b)

    @property
    def largest(self) -> float:
        """The largest of the distances; ∞ where there are none."""
        return float("inf") if self.distances is None else float(self.distances.max())

    @property
    def place(self) -> tuple[int, ...]:
        """Where the largest distance is."""
        if self.distances is None:
            return ()
        return tuple(map(int, np.unravel_index(int(self.distances.argmax()), self.distances.shape)))

    def __str__(self) -> str:
        a, b, distances = self.first, self.second, self.distances
        if a is None or b is None:
            return f"only the {'first' if b is None else 'second'} run has it"
        if distances is None:
            return f"shape {a.shape} and {b.shape}"
        where = f" at {', '.join(map(str, self.place))}" if self.place else ""
        count = f"; {np.count_nonzero(distances)} of {distances.size} entries differ" if distances.size > 1 else ""
        return f"by {self.largest:.3g}{where}: {short(a[self.place], b[self.place])}{count}"


def gaps(one: tuple[Rerun, Moment], other: tuple[Rerun, Moment]) -> Iterator[Gap]:
    """What differs in the next step of two moments, in the order of a step."""
    first, second = ({q.name: q for q in quantities(*each)} for each in (one, other))
    for name in merged(list(first), list(second)):
        a, b = first.get(name), second.get(name)
        gap = Gap(next(q for q in (a, b) if q), a and a.value, b and b.value)
        if gap.largest > 0:
            yield gap


def merged(first: list[str], second: list[str]) -> list[str]:
    """All names in the order of the first, those of the second alone behind what they follow there.

    >>> merged(["fc1", "fc2", "loss"], ["fc1", "drop", "fc2", "loss"])
    ['fc1', 'drop', 'fc2', 'loss']
    """
    order, place = list(first), 0
    for name in second:
        if name in order:
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1
    return order


def quantities(rerun: Rerun, moment: Moment) -> Iterator[Quantity]:
    """All quantities of the next step of a run."""
    model, before = moment.model, moment.model.state_dict()
    learned = dict(model.named_parameters())
    yield Quantity("data", "x", "", moment.x)
    yield Quantity("data", "y", "", moment.y)
    for name, value in before.items():
        yield Quantity("parameter" if name in learned else "buffer", name, parent(name), value)
    for name, value in moment.optimizer.state_dict()["arrays"].items():
        yield Quantity("optimiser", name, "", value)
    with outputs_noted(model) as outputs:
        loss, gradients = moment.computed()
    for output in outputs:
        yield Quantity("output", output.name, output.path, output.value)
    yield Quantity("loss", "loss", "", np.array(loss))
    for name, value in gradients.items():
        yield Quantity("gradient", name, parent(name), value)
    yield Quantity("lr", "lr", "", np.array(moment.optimizer.lr))
    behind = at_end_of(rerun, moment.step)
    if behind is None:
        return
    for name, value in behind.model.state_dict().items():
        yield Quantity("update", name, parent(name), wide(value) - wide(before[name]))
    for name, value in behind.optimizer.state_dict()["arrays"].items():
        yield Quantity("kept", name, "", value)


def at_end_of(rerun: Rerun, step: int) -> Run | None:
    """The run behind a step; None where that ended in numbers that are not finite."""
    try:
        return rerun.run_to(step + 1)
    except NumericalError:
        return None


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a − b| in float64; 0 where both are NaN or the same infinity, ∞ where only one is."""
    a, b = wide(a), wide(b)
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.abs(a - b)
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(equal, 0.0, np.where(np.isnan(distances), np.inf, distances))


def wide(value: np.ndarray) -> np.ndarray:
    """Numbers in float64, in which the difference of two float32 is seen."""
    return np.asarray(value, np.float64)


def parent(name: str) -> str:
    """The path of the layer that a parameter belongs to."""
    return name.rpartition(".")[0]


def short(a: Any, b: Any) -> str:
    """Two numbers with as many digits as it takes to tell them apart."""
    for digits in (4, 9, 17):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return " and ".join(texts)
