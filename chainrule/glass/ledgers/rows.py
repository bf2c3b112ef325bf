"""Where the examples of a batch lie in every result of a step: along which axis, and how many entries each.

A layout is found by what operations do, not by their names: one that is linear is shown a batch whose example i is
i + 1 times example 0, and keeps the examples apart where its result is so too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledgers.one_step import Tape, array

PASSIVE = {"take_at": (1,), "rnn": (0, 1), "lstm": (0, 1, 2), "gru": (0, 1), "chung_gru": (0, 1)} | {
    "residual_rnn": (0, 1), "highway_rnn": (0, 1)
}  # fmt: skip
"""Which operands of an operation belong to examples, axis 0, also where they have no history; so do masks."""


@dataclass(frozen=True)
class Layout:
    """Example i has the entries k i … k (i + 1) − 1 of an axis."""

    axis: int
    k: int

    def apart(self, x: Any, n: int) -> np.ndarray:
        """(…, n · k, …) as (n, …, k, …): a row for each example."""
        x = array(x)
        x = x.reshape(*x.shape[: self.axis], n, self.k, *x.shape[self.axis + 1 :])
        return np.moveaxis(x, self.axis, 0)

    def fits(self, shape: tuple[int, ...], n: int) -> bool:
        """Whether an array of this shape can lie so."""
        return len(shape) > self.axis and shape[self.axis] == n * self.k


class Rows:
    """The layouts of all results of a step with n examples, and which results come from parameters alone."""

    def __init__(self, tape: Tape, n: int, axis: int = 0) -> None:
        self.n, self.layouts, self.learned = n, {}, set()
        self.ended: dict[tuple[int, int], tuple[np.ndarray, Layout]] = {}
        self._follow(tape, axis)
        leaves = {v.node for v in tape.inputs if isinstance(v, Tensor) and v.node is not None}
        for node in tape.nodes:
            if node.primitive is None:
                if node in leaves:
                    self.layouts[node] = (Layout(axis, 1),)
                else:
                    self.learned.add(node)
            else:
                self._place(node)

    def _end(self, x: Any, layout: Layout) -> None:
        """Note where data lie that no history follows: ids, and what a step function or a frozen layer gives."""
        values = array(x)
        if layout.fits(values.shape, self.n):
            self.ended.setdefault(_memory(values), (values, layout))  # which keeps the memory taken

    def _ended(self, x: Any) -> Layout | None:
        """The layout of such data, also where leading axes have been merged since."""
        values = array(x)
        found = self.ended.get(_memory(values))
        if found is None or found[0].shape == values.shape:
            return found[1] if found else None
        whole = found[0].flags.c_contiguous and values.flags.c_contiguous and found[1].axis == 0
        return Layout(0, len(values) // self.n) if whole and values.ndim and len(values) % self.n == 0 else None

    def _follow(self, tape: Tape, axis: int) -> None:
        """Find the data that no history follows, layer by layer."""
        for x in tape.inputs:
            if isinstance(x, Tensor) and x.node is None:
                self._end(x, Layout(axis, 1))
        for passage in tape.passages:
            y = passage.outputs[0] if passage.outputs else None
            given = [x for x in passage.inputs if isinstance(x, Tensor)]
            if y is not None and y.node is None and given:
                first = Layout(axis, 1) if given[0].node is not None else self._ended(given[0])
                if first is not None:
                    self._end(y, first)

    def of(self, a: Any) -> Layout | None:
        """The layout of an operand."""
        node = getattr(a, "node", None)
        found = self.layouts.get(node) if node is not None else None
        return found[a.index if len(found) > 1 else 0] if found else None

    def operand(self, node: Any, i: int) -> Layout | None:
        """The layout of operand i of an operation, also of one without history."""
        a = node.args[i]
        if isinstance(a, Tensor) and a.node is not None:
            return self.of(a)
        ended = self._ended(a)
        if ended is not None:
            return ended
        places = PASSIVE.get(node.name, ())
        mask = node.name in PASSIVE and node.name != "take_at" and array(a).dtype == bool
        shape = tuple(np.shape(array(a)))
        here = (i in places or mask) and shape and shape[0] and shape[0] % self.n == 0
        return Layout(0, shape[0] // self.n) if here else None

    def _place(self, node: Any) -> None:
        data = [self.operand(node, i) for i in range(len(node.args))]
        if not any(data):
            parents = node.parents
            if parents and all(p in self.learned for p in parents):
                self.learned.add(node)
            return
        values = node.value if type(node.value) is tuple else (node.value,)
        if node.primitive.family == "linear" and node.name not in ("take_at", "choose"):
            found = self.probed(node, data)
        elif node.name == "contract":
            found = (_lettered(node.params["letters"], data),)
        else:
            first = next(layout for layout in data if layout)
            found = tuple(first if first.fits(np.shape(v), self.n) else None for v in values)
        if any(found):
            self.layouts[node] = found

    def probed(self, node: Any, data: list[Layout | None]) -> tuple[Layout | None, ...]:
        """What a linear operation does to a batch whose example i is i + 1 times example 0."""
        args = [self._shown(a, layout) for a, layout in zip(node.args, data, strict=True)]
        made = node.primitive.kernel(*args, **node.params)
        first = next(layout for layout in data if layout)
        return tuple(self._seen(y, first) for y in (made if type(made) is tuple else (made,)))

    def _shown(self, a: Any, layout: Layout | None) -> np.ndarray:
        values = array(a)
        if layout is None:
            return values if values.dtype.kind in "biu" else np.zeros_like(values, dtype=np.float64)
        numbers = np.repeat(np.arange(1.0, self.n + 1), layout.k)
        return np.ones(values.shape) * numbers.reshape(-1, *[1] * (values.ndim - layout.axis - 1))

    def _seen(self, y: np.ndarray, first: Layout) -> Layout | None:
        axes = sorted(range(y.ndim), key=lambda axis: axis != first.axis)
        for axis in axes:
            if y.shape[axis] and y.shape[axis] % self.n == 0:
                layout = Layout(axis, y.shape[axis] // self.n)
                rows = layout.apart(y, self.n)
                wanted = rows[0] * np.arange(1.0, self.n + 1).reshape(-1, *[1] * (rows.ndim - 1))
                if rows[0].any() and np.allclose(rows, wanted, rtol=1e-9, atol=0):
                    return layout
        return None


def _lettered(letters: str, data: list[Layout | None]) -> Layout | None:
    """Where the letter of the examples' axis stands in the result of a contraction."""
    operands, result = letters.split("->")
    for operand, layout in zip(operands.split(","), data, strict=True):
        if layout is not None and operand[layout.axis] in result:
            return Layout(result.index(operand[layout.axis]), layout.k)
    return None


def _memory(x: np.ndarray) -> tuple[int, int]:
    """Where an array begins, and how many entries it has."""
    return x.__array_interface__["data"][0], x.size
