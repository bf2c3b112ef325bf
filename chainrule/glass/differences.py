"""Derivatives checked by central differences of the recorded forward pass, in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.keys import Key
from chainrule.core import Graph, Tensor, apply

STEP = 6e-6
"""The cube root of the float64 rounding unit: there the error h² of the difference meets its rounding ε/h."""

RELATIVE = 1e-6
"""What the h² term may leave, relative to the largest derivative."""

ABSOLUTE = 1e-9
"""What rounding may leave, ε/h = 4e-11 for values of size 1, with a margin for sums."""

ENTRIES = 32
"""Up to so many entries each is varied alone; of a larger array all together, in random directions."""

DIRECTIONS = 4


@dataclass(frozen=True)
class Check:
    """One derivative against central differences: the largest difference, and whether it is small enough.

    `at_kink` marks a derivative that differs because the point lies on a kink, as ReLU at 0: left and right
    slopes differ there, and the derivative taken is one of those between them.
    """

    error: float
    tolerance: float
    compared: int
    at_kink: bool = False

    def __bool__(self) -> bool:
        return self.at_kink or self.error <= self.tolerance

    def __str__(self) -> str:
        if self.at_kink:
            return "✓ at a kink"
        return f"{'✓' if self else '✗'} {self.error:.0e}"


class Replay:
    """The recorded operations as a function: what a result would be if one tensor had other values."""

    def __init__(self, result: Tensor) -> None:
        self.result = result
        self.nodes = [node for node in Graph(result) if node.primitive is not None]

    def __call__(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        """The result with `values` in the place of a tensor."""
        changed: dict[Any, Any] = {tensor.node: values}
        for node in self.nodes:
            if node not in changed and any(parent in changed for parent in node.parents):
                changed[node] = apply(node.primitive, tuple(_value(a, changed) for a in node.args), node.params)
        return changed.get(self.result.node, self.result.data)


def _value(operand: Any, changed: dict[Any, Any]) -> Any:
    if not isinstance(operand, Tensor):
        return operand
    value = changed.get(operand.node, operand.data)
    return value[operand.index] if type(value) is tuple else value


def check(replay: Replay, weights: np.ndarray, tensor: Tensor, gradient: np.ndarray) -> Check:
    """The gradient of ⟨weights, result⟩ with respect to a tensor, against central differences."""
    if tensor.node is None:
        return Check(0.0, ABSOLUTE, 0)

    def rise(direction: np.ndarray, h: float) -> float:
        return float(np.vdot(weights, replay(tensor, tensor.data + h * direction)))

    here = float(np.vdot(weights, replay.result.data))
    directions = list(_directions(tensor.shape))
    pairs = [(float(np.vdot(gradient, d)), d) for d in directions]
    scale = max((abs(slope) for slope, _ in pairs), default=0.0)
    tolerance = RELATIVE * scale + ABSOLUTE * max(1.0, abs(here))
    errors, kinks = [], 0
    for slope, d in pairs:
        right, left = (rise(d, STEP) - here) / STEP, (here - rise(d, -STEP)) / STEP
        error = abs(slope - (left + right) / 2)
        on_kink = error > tolerance and _between(slope, left, right, 1e-4 * max(1.0, scale))
        kinks += on_kink
        errors.append(0.0 if on_kink else error)
    return Check(max(errors, default=0.0), tolerance, len(pairs), at_kink=kinks > 0 and max(errors) <= tolerance)


def _directions(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    size = int(np.prod(shape))
    if size <= ENTRIES:
        yield from np.eye(size).reshape(size, *shape)
    else:
        draw = (Key(0) / "directions").generator()
        yield from (draw.standard_normal(shape) for _ in range(DIRECTIONS))


def _between(slope: float, left: float, right: float, margin: float) -> bool:
    """Whether left and right slopes differ visibly and the slope lies between them."""
    low, high = min(left, right), max(left, right)
    return high - low > margin and low - margin / 10 <= slope <= high + margin / 10
