"""Attributes of classes and modules replaced inside a block, and put back after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Replacement(NamedTuple):
    """An attribute of an object, and what makes its replacement from the original."""

    owner: Any
    name: str
    make: Callable[[Any], Any]


@contextmanager
def replaced(replacements: Iterable[Replacement]) -> Iterator[None]:
    """Inside the block the attributes are what was made from them."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, make in replacements:
            original = vars(owner)[name]
            before.append((owner, name, original))
            setattr(owner, name, make(original))
        yield
    finally:
        for owner, name, original in reversed(before):
            setattr(owner, name, original)
