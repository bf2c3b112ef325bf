"""Nested state taken apart for a file, arrays for safetensors and the rest for JSON; and put together."""

from __future__ import annotations

from typing import Any

import numpy as np

MARK = "array:"
"""What JSON holds in place of an array is {MARK: its name}."""


def parted(tree: Any) -> tuple[dict[str, np.ndarray], Any]:
    """The arrays of nested dicts and lists by path, and the rest for JSON, with the paths in place.

    >>> arrays, rest = parted({"epoch": 3, "model": {"w": np.zeros(2)}})
    >>> list(arrays), rest
    (['model/w'], {'epoch': 3, 'model': {'w': {'array:': 'model/w'}}})
    """
    arrays: dict[str, np.ndarray] = {}

    def part(branch: Any, path: str) -> Any:
        if isinstance(branch, np.ndarray):
            name = path
            if name in arrays:  # the key "a/b", and "b" in "a", have one path
                name = f"{path} ({len(arrays)})"
            arrays[name] = branch
            return {MARK: name}
        if isinstance(branch, dict):
            return {key: part(value, f"{path}/{key}" if path else str(key)) for key, value in branch.items()}
        if isinstance(branch, (list, tuple)):
            return [part(value, f"{path}/{i}") for i, value in enumerate(branch)]
        return branch.item() if isinstance(branch, np.generic) else branch

    return arrays, part(tree, "")


def joined(arrays: dict[str, np.ndarray], tree: Any) -> Any:
    """What `parted` took apart, with tuples as lists."""
    if isinstance(tree, dict):
        if set(tree) == {MARK}:
            return arrays[tree[MARK]]
        return {key: joined(arrays, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [joined(arrays, value) for value in tree]
    return tree
