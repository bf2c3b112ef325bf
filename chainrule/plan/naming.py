"""What the values of a step are called: the words of the books, by layer.

fc1.z  fc1.delta        the pre-activation of a dense layer or a convolution, and dL/dz
fc1.a  fc1.da           its activation (of the activation function that follows), and dL/da
norm1.a  norm1.da       the result of any other layer
fc1.weight  fc1.dweight a parameter and its gradient
block.relu, block.drelu an operation that a `forward` method calls by itself
"""

from __future__ import annotations

from typing import Any

from chainrule.plan.program import Call, Value

SILENT = frozenset(
    ["reshape", "permute", "broadcast_to", "index", "unstack", "astype", "hold", "place_at", "concatenate"]
)
"""Operations that only move numbers; they get no name."""


class Naming:
    """Gives names while a step is recorded, and to cotangents when they arrive."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.waiting: tuple[str, Value] | None = None  # a pre-activation whose activation has not come yet
        self.calls: list[tuple[str, Call]] = []

    def call(self, call: Call) -> None:
        """An operation was recorded; its name depends on whether a layer claims the result."""
        if call.phase == "forward" and call.name not in SILENT:
            self.calls.append((call.path, call))
            self._activated(call)

    def _activated(self, call: Call) -> None:
        """An elementwise function applied to a pre-activation in a `forward` method is its activation."""
        if self.waiting is None or call.primitive.family != "elementwise":
            return
        path, z = self.waiting
        if call.reads == (z,):
            self._name(call.writes[0], _join(path, "a"))
            self.waiting = None

    def result(self, module: Any, path: str, value: Value) -> None:
        """A layer gave its result."""
        if module.result_name == "z":
            self.settle()
            self._name(value, _join(path, "z"))
            self.waiting = path, value
            return
        if module.is_activation and self.waiting is not None:
            self._name(value, _join(self.waiting[0], "a"))
            self.waiting = None
        self._name(value, _join(path, "a") if path else "prediction")

    def settle(self) -> None:
        """A pre-activation that no activation followed is its own activation."""
        if self.waiting is not None:
            self._name(self.waiting[1], _join(self.waiting[0], "a"))
            self.waiting = None

    def cotangent(self, value: Value, bar: Value) -> None:
        """The derivative of the loss by a value is known."""
        self.settle()
        for name in value.names:
            path, _, short = name.rpartition(".")
            other = {"z": "delta"}.get(short, f"d{short}")
            self._name(bar, _join(path, other))

    def _name(self, value: Value, name: str) -> None:
        if value.kind in ("constant", "input", "parameter") or name in value.names:
            return
        taken, number = name, 1
        while taken in self.known:  # a layer that is called again
            number += 1
            taken = f"{name}_{number}"
        self.known.add(taken)
        value.names.append(taken)

    def finish(self, gradients: dict[Any, Value], parameters: dict[Any, Value]) -> None:
        """Name what no layer claimed: operations by themselves, and the gradients of parameters."""
        self.settle()
        for path, call in self.calls:
            for i, value in enumerate(call.writes):
                if not value.names and path:
                    self._name(value, f"{path}.{call.name}" + (f".{i}" if i else ""))
        for leaf, gradient in gradients.items():
            for name in parameters[leaf].names if leaf in parameters else ():
                path, _, short = name.rpartition(".")
                self._name(gradient, _join(path, f"d{short}"))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
