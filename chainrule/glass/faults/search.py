"""Where the first number that is not finite comes from: forwards, backwards, or in the update."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.backends import is_array
from chainrule.core import Graph, Tensor
from chainrule.core.reverse import EAGER, Arrivals, shares
from chainrule.core.vocabulary import words


@dataclass(frozen=True, eq=False)
class Fault:
    """One application of an operation that made numbers that are not finite from numbers that are.

    `made` is its result forwards, and in a backward pass the cotangent of the operand number `operand`, made from
    `bar`, that of the result; `operands` are the arrays it was applied to.
    """

    phase: str
    node: Any
    made: np.ndarray
    operands: tuple[np.ndarray, ...]
    bar: np.ndarray | None = None
    operand: int = 0
    origins: tuple[Any, ...] = field(default=())

    @property
    def bad(self) -> np.ndarray:
        """Which entries are not finite; where infinities came in, as a mask, which are NaN."""
        masked = self.phase == "forward" and not all(map(finite, self.operands))
        return np.isnan(self.made) if masked else ~np.isfinite(self.made)

    @property
    def place(self) -> tuple[int, ...]:
        """The first of them."""
        return tuple(map(int, np.argwhere(self.bad)[0]))

    def at(self, operand: int) -> tuple[np.ndarray, tuple[int, ...]]:
        """What an operand holds where the first bad entry is, and its place; its largest entry if shapes differ."""
        array = self.operands[operand]
        if array.shape == self.made.shape:
            return array[self.place], self.place
        size = np.where(np.isfinite(array), np.abs(array.astype(np.float64)), -1)
        place = tuple(map(int, np.unravel_index(int(size.argmax()), array.shape)))
        return array[place], place


def forward_fault(loss: Tensor) -> Fault | None:
    """The first operation that spoiled the loss; None if it is finite, or was spoiled from the start.

    An infinity that stands in a constant, as −∞ does in a mask, is no fault; a NaN that comes of it is.
    """
    spoiled = ancestors(loss)
    for node in sorted(spoiled, key=lambda node: node.serial):
        operands = operands_of(node)
        if not all(map(finite, operands)) and not (has_nan(node.value) and not any(map(has_nan, operands))):
            continue
        if any(not finite(a) and comes_from(node, i, spoiled) for i, a in enumerate(operands)):
            continue
        made = next(host(v) for v in results(node.value) if not finite(v))
        return Fault("forward", node, made, operands, origins=origins(node))
    return None


def ancestors(loss: Tensor) -> set[Any]:
    """The nodes with numbers that are not finite, from which others led to the loss."""
    found: set[Any] = set()
    waiting = [loss.node] if loss.node is not None else []
    while waiting:
        node = waiting.pop()
        if node not in found and node.primitive is not None and not all(map(finite, results(node.value))):
            found.add(node)
            waiting.extend(node.parents)
    return found


def comes_from(node: Any, operand: int, spoiled: set[Any]) -> bool:
    """Whether what is not finite in an operand was made by an operation from finite numbers."""
    a = node.args[operand]
    if not isinstance(a, Tensor) or a.node not in spoiled:
        return False
    operands = operands_of(a.node)
    return all(map(finite, operands)) or any(comes_from(a.node, i, spoiled) for i in range(len(operands)))


def backward_fault(loss: Tensor, constant: Any = None) -> Fault | None:
    """The first node whose rule made a cotangent that is not finite, in the order of the backward pass.

    What leads to the leaf `constant` alone does not count: training does not compute it.
    """
    learned: set[Any] = set()
    for node in Graph(loss):
        if any(parent in learned for parent in node.parents) or (node.primitive is None and node is not constant):
            learned.add(node)
    arrived = Arrivals()
    arrived.add(loss, words.ones_like(loss.data))
    while arrived:
        node, bar = arrived.latest()
        if node.primitive is None:
            if not finite(bar):
                return Fault("backward", node, host(bar), ())
            continue
        operands = operands_of(node)
        for a, share in shares(EAGER, node, bar, False):
            if a.node not in learned:
                continue
            if not finite(share):
                i = next(i for i, other in enumerate(node.args) if other is a)
                whole = host(next(b for b in results(bar) if b is not None))
                return Fault("backward", node, host(share), operands, whole, i, origins(node))
            arrived.add(a, share)
    return None


def operands_of(node: Any) -> tuple[np.ndarray, ...]:
    """The arrays that an operation was applied to."""
    return tuple(map(host, node.args))


def origins(node: Any) -> tuple[Any, ...]:
    """For each operand the node it comes from, None for a constant."""
    return tuple(a.node if isinstance(a, Tensor) else None for a in node.args)


def results(value: Any) -> tuple[Any, ...]:
    """A result, or several, as a tuple."""
    return value if type(value) is tuple else (value,)


def finite(value: Any) -> bool:
    """Whether an array holds no NaN and no infinity; integers and booleans never do."""
    array = host(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def has_nan(value: Any) -> bool:
    """Whether there is a NaN in an array, or in one of several."""
    return any(v.dtype.kind in "fc" and bool(np.isnan(v).any()) for v in map(host, results(value)))


def host(value: Any) -> np.ndarray:
    """An array of any backend as one of NumPy."""
    return (
        Tensor(value).numpy() if is_array(value) else np.asarray(value.numpy() if isinstance(value, Tensor) else value)
    )
