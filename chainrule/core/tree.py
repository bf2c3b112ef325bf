"""Nested lists, tuples and dicts of tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of a tree in order, and a function that builds the same tree from other leaves.

    >>> leaves, rebuild = flatten({"w": 1, "b": (2, 3)})
    >>> leaves, rebuild([10, 20, 30])
    ([1, 2, 3], {'w': 10, 'b': (20, 30)})
    """
    leaves: list[Any] = []
    build = _take_apart(tree, leaves)

    def rebuild(values: list[Any]) -> Any:
        return build(iter(values))

    return leaves, rebuild


def map_leaves(function: Callable[..., Any], tree: Any) -> Any:
    """The same tree with a function applied to every leaf."""
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def _take_apart(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    if isinstance(tree, dict):
        keys, parts = list(tree), [_take_apart(branch, leaves) for branch in tree.values()]
        return lambda values: {key: part(values) for key, part in zip(keys, parts, strict=True)}
    if isinstance(tree, (list, tuple)):
        kind, parts = type(tree), [_take_apart(branch, leaves) for branch in tree]
        make = kind._make if hasattr(kind, "_make") else kind  # type: ignore[union-attr]
        return lambda values: make([part(values) for part in parts])
    leaves.append(tree)
    return next
