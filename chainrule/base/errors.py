"""Errors written for the person who made the mistake: the cause, the numbers, the place, the fix.

Every class derives from `ChainruleError` and from the built-in a caller would expect:

    ChainruleError
    ├── ShapeError          (ValueError)       sizes that do not fit
    ├── DtypeError          (TypeError)        numbers of the wrong kind
    ├── GradientError       (RuntimeError)     a derivative that cannot be had
    ├── DataError           (ValueError)       data that cannot be used
    ├── OptionError         (ValueError)       a setting that does not exist or does not fit
    ├── NumericalError      (ArithmeticError)  NaN or infinity where a number was needed
    └── CheckpointError     (OSError)          a file that cannot be written or trusted
"""

from __future__ import annotations

from typing import Self


class ChainruleError(Exception):
    """An error with a headline and named places, printed one to a line; `fix` is what to try.

    >>> print(ShapeError("Linear expects 784 input features, got 785.", input="(128, 785)", fix="Linear(785, 256)"))
    Linear expects 784 input features, got 785.
      input   (128, 785)
      try     Linear(785, 256)
    """

    def __init__(self, headline: str, **places: object) -> None:
        super().__init__(headline)
        self.headline = headline
        self.places: dict[str, str] = _named(places)

    def at(self, **places: object) -> Self:
        """The same error with more places, put before those it has; a known place is kept."""
        self.places = _named(places) | self.places
        return self

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"  {name:<7} {place}" for name, place in self.places.items())])


def _named(places: dict[str, object]) -> dict[str, str]:
    """Places by their printed name; `try` is a word of Python, so the argument is `fix`."""
    return {"try" if name == "fix" else name: str(place) for name, place in places.items()}


class ShapeError(ChainruleError, ValueError):
    """Sizes that do not fit together."""


class DtypeError(ChainruleError, TypeError):
    """Numbers of the wrong kind, as labels in float or integers asked for a gradient."""


class GradientError(ChainruleError, RuntimeError):
    """A derivative that cannot be had: no path, a freed graph, a rule that is missing."""


class DataError(ChainruleError, ValueError):
    """Data that cannot be used: empty, not finite, out of range, a file cut short."""


class OptionError(ChainruleError, ValueError):
    """A setting that does not exist, or a value that it does not take."""


class NumericalError(ChainruleError, ArithmeticError):
    """NaN or infinity where a finite number was needed."""


class CheckpointError(ChainruleError, OSError):
    """A file that could not be written whole, or that cannot be trusted."""
