"""Sizes of layers are whole numbers; 784 / 2 is none."""

from __future__ import annotations

from operator import index
from typing import Any

from chainrule.base.errors import OptionError


def check_whole(layer: str, **sizes: Any) -> None:
    """Refuse sizes that are no whole numbers.

    Raises:
        OptionError: one is not.
    """
    for name, value in sizes.items():
        try:
            index(value)
        except TypeError:
            advice = {"fix": f"{name}={int(value)} (// divides whole numbers)"} if _is_whole(value) else {}
            raise OptionError(f"{layer} takes {name} as a whole number, got {value!r}.", **advice) from None


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def nearest_divisor(n: int, wanted: int) -> int:
    """The divisor of n, at least 1, that is nearest to what was wanted; of two the smaller."""
    return min((d for d in range(1, n + 1) if n % d == 0), key=lambda d: (abs(d - wanted), d))
