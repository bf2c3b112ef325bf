"""Checks of numbers that are not there yet: put off to every run of the plan that is being recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.stack import stack


def deferred(check: Callable[[Any], Any], values: Any, below: int | None = None) -> bool:
    """Whether a check was put off: `check(array)` is called with the numbers in every run, and raises if need be.

    `below` says that it asks for 0 ≤ x < below, which a plan can look at faster.
    """
    recorder = stack.recorder
    if recorder is None or not recorder.holds(values):
        return False
    recorder.check(check, values, below)
    return True
