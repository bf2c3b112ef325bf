"""Mistakes that people make, each with the whole text of what they are told."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import numpy as np

MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {}
"""By name: a few lines as a user writes them, and the kind of error with its text. FILE:LINE is where the line is."""


def mistake(text: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a mistake, with what it is answered by."""

    def register(made: Callable[[], Any]) -> Callable[[], Any]:
        MISTAKES[made.__name__] = made, dedent(text).strip("\n")
        return made

    return register


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
