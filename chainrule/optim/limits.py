"""What a setting may be, told in words when it is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.base.errors import OptionError

Limits = Mapping[str, Callable[[str, str, Any], Any]]
"""What checks each setting's value, by its name: called with the owner's name, the setting's, the value."""


@dataclass(frozen=True)
class Limit:
    """A kind of number: what it must be, in words, and as a test.

    >>> POSITIVE("Adam", "lr", 1)
    1.0
    """

    words: str
    holds: Callable[[Any], bool]
    kind: type = float

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value as a Python number.

        Raises:
            OptionError: it is no such number.
        """
        if not self.fits(value):
            raise OptionError(f"{owner} expects {name} to be {self.words}, got {value!r}.")
        return self.kind(value)

    def fits(self, value: Any) -> bool:
        """Whether the value is finite, of this kind, and in range."""
        try:
            number = self.kind(value)
            return bool(number == value and math.isfinite(number) and self.holds(number))
        except (TypeError, ValueError, OverflowError):
            return False


POSITIVE = Limit("a positive number", lambda x: x > 0)
NOT_NEGATIVE = Limit("zero or a positive number", lambda x: x >= 0)
FRACTION = Limit("at least 0 and below 1", lambda x: 0 <= x < 1)
SHARE = Limit("above 0 and at most 1", lambda x: 0 < x <= 1)
AT_LEAST_ONE = Limit("at least 1", lambda x: x >= 1)
COUNT = Limit("a whole number of at least 1", lambda n: n >= 1, int)
SWITCH = Limit("True or False", lambda _: True, bool)


def two_fractions(owner: str, name: str, value: Any) -> tuple[float, float]:
    """A pair of numbers of at least 0 and below 1, such as Adam's betas.

    Raises:
        OptionError: it is no pair, or one is out of range.
    """
    try:
        first, second = value
    except (TypeError, ValueError):
        raise OptionError(f"{owner} expects {name} to be two numbers, got {value!r}.") from None
    return FRACTION(owner, f"{name}[0]", first), FRACTION(owner, f"{name}[1]", second)
