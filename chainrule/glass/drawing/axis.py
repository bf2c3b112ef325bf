"""An axis of a chart: from numbers to pixels, with round numbers as ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np

DECADES = 300.0
"""Powers of ten that float64 holds."""


@dataclass(eq=False)
class Axis:
    """A scale from numbers to pixels, with its ticks; of whole numbers these are whole too."""

    low: float
    high: float
    log: bool
    pixels: tuple[float, float] = (0.0, 1.0)
    whole: bool = False

    @staticmethod
    def over(values: np.ndarray, log: bool, margin: float) -> Axis:
        """The axis over all values, and a little beyond."""
        if not values.size:
            return Axis(0.0, 1.0, False)
        low, high = float(values.min()), float(values.max())
        if log and low > 0:
            low, high = log10(low), log10(high)
            room = max(margin * (high - low), 0.05)
            return Axis(low - room, high + room, True)
        room = margin * (high - low) or (0.0 if high > low else abs(high) * 0.1 or 0.5)
        return Axis(low - room if low or room else low, high + max(room, 0.04 * (high - low)), False)

    def at(self, value: float) -> float:
        """Where a number lies, in pixels."""
        v = log10(value) if self.log else value
        share = (v - self.low) / (self.high - self.low)
        return self.pixels[0] + share * (self.pixels[1] - self.pixels[0])

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers on the axis, and how they are written."""
        if self.log:
            return self._powers
        step = round_step((self.high - self.low) / 5)
        step = max(step, 1.0) if self.whole else step
        first = ceil(self.low / step - 1e-9)
        values = [k * step for k in range(first, floor(self.high / step + 1e-9) + 1)]
        decimals = max(0, -floor(log10(step) + 1e-9))
        return [(v, tick_text(v, decimals)) for v in values]

    @property
    def _powers(self) -> list[tuple[float, str]]:
        """Powers of ten, some of them where there are many, and 2 and 5 times them where there are few."""
        low, high = max(self.low, -DECADES), min(self.high, DECADES)
        every = max(1, ceil((high - low) / 7))
        factors = (1,) if high - low > 2.5 else (1, 2, 5)
        exponents = [d + log10(f) for d in range(floor(low), floor(high) + 1, every) for f in factors]
        found = [round_power(e) for e in exponents if low <= e <= high]
        if len(found) > 1:
            return [(value, figure(value)) for value in found]
        return [(10.0**e, f"{10.0**e:.3g}") for e in (low, high)]


def round_power(exponent: float) -> float:
    """10 to a power, with one digit.

    >>> round_power(0.30103), round_power(-2.0)
    (2.0, 0.01)
    """
    return float(f"{10.0**exponent:.0e}")


def round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten, at least what is wanted.

    >>> round_step(0.13), round_step(30.0)
    (0.2, 50.0)
    """
    power = 10.0 ** floor(log10(wanted))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= wanted * (1 - 1e-9))


def tick_text(value: float, decimals: int) -> str:
    """A tick with as many decimals as the step has; large ones with thousands apart, huge ones as powers."""
    if abs(value) >= 1e6 or decimals > 5:
        return figure(value)
    return f"{value + 0.0:,.{decimals}f}".replace("-", "−")


def figure(value: float) -> str:
    """A number of an axis: plain where that is short."""
    return (f"{value:g}" if 1e-4 < abs(value) < 1e6 or value == 0 else f"{value:.0e}").replace("-", "−")
