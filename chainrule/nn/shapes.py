"""Modules that only move entries."""

from __future__ import annotations

from typing import Any

from chainrule.nn.module import Module
from chainrule.ops import flatten


class Flatten(Module):
    """All axes from `start` on as one; the batch axis is kept. (n, c, h, w) → (n, c·h·w)."""

    def __init__(self, start: int = 1) -> None:
        self.start = start

    def forward(self, x: Any) -> Any:
        """x with its last axes as one."""
        return flatten(x, self.start)

    def extra_repr(self) -> str:
        return "" if self.start == 1 else f"start={self.start}"
