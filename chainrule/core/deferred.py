"""Checks of numbers that are not there yet: put off to every run of the plan that is being recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.stack import stack


def deferred(check: Callable[[Any], Any], values: Any, within: tuple[float, float] | None = None) -> bool:
    """Whether a check was put off: `check(array)` is called with the numbers in every run, and raises if need be.

    `within` says that it asks for numbers from the first to the second, which a plan can look at faster.
    """
    recorder = stack.recorder
    if recorder is None or not recorder.holds(values):
        return False
    recorder.check(check, values, within)
    return True
