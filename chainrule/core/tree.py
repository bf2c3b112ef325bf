"""Nested lists, tuples and dicts of tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.base.errors import ShapeError


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


def leaves_as(pattern: Any, tree: Any) -> list[Any]:
    """The leaves of a tree in the order of another of the same structure: dicts are matched by key.

    Raises:
        ShapeError: the structures differ.

    >>> leaves_as({"w": 1, "b": 2}, {"b": 20, "w": 10})
    [10, 20]
    """
    if isinstance(pattern, dict):
        if not isinstance(tree, dict) or set(tree) != set(pattern):
            raise _mismatch(pattern, tree)
        return [leaf for key in pattern for leaf in leaves_as(pattern[key], tree[key])]
    if isinstance(pattern, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(pattern):
            raise _mismatch(pattern, tree)
        return [leaf for p, t in zip(pattern, tree, strict=True) for leaf in leaves_as(p, t)]
    return [tree]


def _mismatch(pattern: Any, tree: Any) -> ShapeError:
    return ShapeError(f"Expected {_outline(pattern)}, got {_outline(tree)}.")


def _outline(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict with the keys {', '.join(map(repr, tree))}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"one {type(tree).__name__}"


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
