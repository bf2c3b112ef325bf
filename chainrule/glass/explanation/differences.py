"""Derivatives checked by central differences of the recorded forward pass, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule.base.keys import Key
from chainrule.core import Graph, Tensor, apply
from chainrule.glass.explanation.figures import signed

STEP = 6e-6
"""The cube root of the float64 rounding unit: there the error h² of the difference meets its rounding ε/h."""

STEPS = (STEP, STEP / 30, STEP / 900)
"""A smaller step is tried where a kink may lie within the larger one; rounding then weighs as much more."""

APART = 4.0
"""Slopes to the left and to the right that differ by more than this many margins of rounding are those of a kink."""

RELATIVE = 1e-6
"""What the h² term may leave, relative to the largest derivative."""

ABSOLUTE = 1e-9
"""What rounding may leave, ε/h = 4e-11 for values of size 1, with a margin for sums."""

ENTRIES = 32
"""Up to so many entries each is varied alone; of a larger array all together, in random directions."""

DIRECTIONS = 4

ALONE = 64
"""So many entries of a larger array are varied alone where a direction crosses kinks: those of several entries,
as ties in pooling, may be passed in both senses at once, so that no slope lies between the left and the right."""


Rest = Callable[[np.ndarray], np.ndarray]
"""From a quantity inside a layer to the layer's result."""


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
        error = signed(f"{self.error:.0e}") if self.error else "0"
        return f"{'✓' if self else '✗'} {error}"


class Replay:
    """The recorded operations as a function: what a result would be if one tensor had other values."""

    def __init__(self, result: Tensor) -> None:
        self.result = result
        self.nodes = [node for node in Graph(result) if node.primitive is not None]

    def __call__(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        """The result with `values` in the place of a tensor."""
        return self.with_all({tensor.node: _among_results(tensor, values)})

    def with_all(self, changed: dict[Any, Any]) -> np.ndarray:
        """The result where some nodes have other values."""
        for node in self.nodes:
            if node not in changed and any(parent in changed for parent in node.parents):
                changed[node] = apply(node.primitive, tuple(_value(a, changed) for a in node.args), node.params)
        return _value(self.result, changed)


class Onwards(Replay):
    """A result as a function of a quantity inside a layer: `rest` leads from there to the layer's own result."""

    def __init__(self, replay: Replay, output: Tensor, rest: Rest) -> None:
        self.result, self.replay, self.output, self.rest = replay.result, replay, output, rest

    def __call__(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        """The result with `values` for the quantity."""
        return self.replay(self.output, self.rest(values))


class Part(Replay):
    """A result as a function of a part of a tensor: of one head, of the rows of one gate."""

    def __init__(self, replay: Replay, tensor: Tensor, place: tuple[Any, ...]) -> None:
        self.result, self.replay, self.tensor, self.place = replay.result, replay, tensor, place
        self.start = Tensor(np.array(tensor.data[place])).requires_grad_()

    def __call__(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        """The result with `values` for the part."""
        whole = np.array(self.tensor.data)
        whole[self.place] = values
        return self.replay(self.tensor, whole)


def _among_results(tensor: Tensor, values: np.ndarray) -> Any:
    """What the node of a tensor holds with `values` in its place: an operation may have several results."""
    held = getattr(tensor.node, "value", None)
    if type(held) is not tuple:
        return values
    return tuple(values if i == tensor.index else result for i, result in enumerate(held))


def _value(operand: Any, changed: dict[Any, Any]) -> Any:
    if not isinstance(operand, Tensor):
        return operand
    value = changed.get(operand.node, operand.data)
    return value[operand.index] if type(value) is tuple else value


def check(replay: Replay, weights: np.ndarray, tensor: Tensor, gradient: np.ndarray) -> Check:
    """The gradient of ⟨weights, result⟩ with respect to a tensor, against central differences."""
    if tensor.node is None:
        return Check(0.0, ABSOLUTE, 0)

    def value(direction: np.ndarray, h: float) -> float:
        return float(np.vdot(weights, replay(tensor, tensor.data + h * direction)))

    here = float(np.vdot(weights, replay.result.data))
    found, tolerance = _along(_directions(tensor.shape), gradient, value, here)
    wrong = [one for one in found if one.error > tolerance]
    if wrong and tensor.size > ENTRIES and all(one.apart for one in wrong):
        found, tolerance = _along(_entries(tensor.shape), gradient, value, here)
    largest = max((one.error for one in found), default=0.0)
    return Check(largest, tolerance, len(found), at_kink=largest <= tolerance and any(one.at_kink for one in found))


class _Found(NamedTuple):
    """The error of one slope; whether left and right slopes are apart, and whether this one lies between them."""

    error: float
    apart: bool = False
    at_kink: bool = False


def _along(
    directions: Iterable[np.ndarray], gradient: np.ndarray, value: Any, here: float
) -> tuple[list[_Found], float]:
    """The slopes along directions compared, and what error is small."""
    slopes = [(float(np.vdot(gradient, d)), d) for d in directions]
    scale = max((abs(slope) for slope, _ in slopes), default=0.0)
    tolerance = RELATIVE * scale + ABSOLUTE * max(1.0, abs(here))
    return [_compare(slope, d, value, here, tolerance) for slope, d in slopes], tolerance


def _compare(slope: float, d: np.ndarray, value: Any, here: float, tolerance: float) -> _Found:
    """The difference of one slope.

    A kink close by is left behind by a smaller step; at one, the left and the right slope stay apart.
    """
    first, left, right, margin = 0.0, 0.0, 0.0, tolerance
    for h in STEPS:
        up, down, margin = value(d, h), value(d, -h), tolerance * STEP / h
        left, right = (here - down) / h, (up - here) / h
        error = abs(slope - (up - down) / (2 * h))
        if error <= margin:
            return _Found(min(error, tolerance))
        first = first or error
    apart = abs(right - left) > APART * margin
    inside = min(left, right) - margin <= slope <= max(left, right) + margin
    return _Found(0.0, apart, True) if apart and inside else _Found(first, apart)


def _directions(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    size = int(np.prod(shape))
    if size <= ENTRIES:
        yield from np.eye(size).reshape(size, *shape)
    else:
        draw = (Key(0) / "directions").generator()
        for _ in range(DIRECTIONS):
            direction = draw.standard_normal(shape)
            yield direction / np.linalg.norm(direction)


def _entries(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Some entries of an array, each alone."""
    size = int(np.prod(shape))
    for place in (Key(0) / "entries").generator().permutation(size)[:ALONE]:
        direction = np.zeros(size)
        direction[place] = 1.0
        yield direction.reshape(shape)
