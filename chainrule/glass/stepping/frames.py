"""Which calls of layers each operation of a step happened in."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from chainrule.glass.ledgers.one_step import Tape

Frame = tuple[str, int]
"""The path of a layer and which of its calls it is, from 0."""

LOSS: Frame = ("loss", -1)
"""What comes behind the model."""


class Frames:
    """The calls of a step by when they ended: an operation lies in the first that ended after it."""

    def __init__(self, tape: Tape) -> None:
        self.ends: dict[str, list[int]] = {}
        for passage in tape.passages:
            self.ends.setdefault(passage.path, []).append(passage.end)
        self.behind = self.ends.get("", [0])[-1]

    def of(self, node: Any) -> tuple[str, tuple[Frame, ...]]:
        """The path of an operation, and the calls around it, outermost first; not that of the model itself."""
        if node.serial > self.behind:
            return LOSS[0], (LOSS,)
        return node.path, tuple(
            (path, bisect_right(self.ends[path], node.serial)) for path in above(node.path) if path in self.ends
        )

    def of_parameter(self, name: str) -> tuple[str, tuple[Frame, ...]]:
        """The path of the layer that holds a parameter, and the layers around it."""
        path = next((p for p in reversed(above(name)) if p != name and p in self.ends), "")
        return path, tuple((p, 0) for p in above(path) if p in self.ends)


def above(path: str) -> list[str]:
    """A path and those it lies below, outermost first.

    >>> above("block.fc1")
    ['block', 'block.fc1']
    """
    parts = path.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))] if path else []
