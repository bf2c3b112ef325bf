"""Modules that only move entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule import ops
from chainrule.nn.module import Module


class Flatten(Module):
    """All axes from `start` on as one; the batch axis is kept. (n, c, h, w) → (n, c·h·w)."""

    def __init__(self, start: int = 1) -> None:
        self.start = start

    def forward(self, x: Any) -> Any:
        """x with its last axes as one."""
        return ops.flatten(x, self.start)

    def extra_repr(self) -> str:
        return "" if self.start == 1 else f"start={self.start}"


class Unflatten(Module):
    """One axis as several of these sizes, one of which may be −1: the inverse of `Flatten`."""

    def __init__(self, axis: int, sizes: Sequence[int]) -> None:
        self.axis, self.sizes = axis, tuple(sizes)

    def forward(self, x: Any) -> Any:
        """x with more axes."""
        return ops.unflatten(x, self.axis, self.sizes)

    def extra_repr(self) -> str:
        return f"{self.axis}, {self.sizes}"
