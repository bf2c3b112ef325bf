"""One entry of an array told in full: which it is, and the products that it is the sum of."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.glass.explanation.rules import joined
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Formula

Place = tuple[int, ...]

TERMS = 9
"""Up to so many products a sum is written out: those of a kernel of 3 by 3."""


def largest(array: np.ndarray) -> Place:
    """Where the entry of largest size stands; the first of several."""
    return tuple(map(int, np.unravel_index(int(np.argmax(np.abs(array))), array.shape)))


def at(sign: str, place: Place) -> str:
    """The sign of one entry, its place counted from 1."""
    return indexed(sign, counted(place)) if place else sign


def indexed(sign: str, index: str) -> str:
    """A sign with an index, in brackets where it has one already."""
    base = f"({sign})" if "_" in sign or "/" in sign else sign
    return f"{base}_{{{index}}}"


def counted(place: Place) -> str:
    """A place from 1 on."""
    return ",".join(str(i + 1) for i in place)


def of_batch(sign: str, place: Place, signs: Signs) -> str:
    """The sign of an entry of an array with the samples as first axis, which is not said of one sample."""
    return at(sign, place[1:] if signs.single else place)


def written_out(head: str, a: Any, b: Any, shift: Any, value: Any) -> tuple[Formula, ...]:
    """head = a₁ · b₁ + a₂ · b₂ + … + shift = … = value; nothing where the sum is long or has one number only."""
    if not 1 <= len(a) <= TERMS or (len(a) == 1 and shift is None):
        return ()
    products = joined("+", [(x, r"\cdot", y) for x, y in zip(a, b, strict=True)])
    sums = joined("+", [np.multiply(x, y) for x, y in zip(a, b, strict=True)])
    added = () if shift is None else ("+", np.asarray(shift))
    short = () if len(a) == 1 else ("=", *sums, *added)
    return ((head, "=", *products, *added, *short, "=", np.asarray(value)),)
