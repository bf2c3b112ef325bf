"""Verdict: what is wrong with a training, what shows it, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NAMES = (
    "not finite",
    "learning rate blow-up",
    "gradients not zeroed",
    "evaluation mode in training",
    "training mode in evaluation",
    "softmax applied twice",
    "loss does not fit output",
    "data not normalised",
    "labels not learnable",
    "dead units",
    "saturated units",
    "vanishing gradients",
    "exploding gradients",
    "learning rate too large",
    "learning rate too small",
    "train and test overlap",
    "class imbalance ignored",
    "overfitting",
    "underfitting",
)
"""All verdicts. A report gives those that hold, the cause first."""


@dataclass(frozen=True)
class Verdict:
    """One thing that is wrong.

    `name` is one of `NAMES`; `headline` says what in a sentence with its numbers, `evidence` are lines of what was
    measured, `fix` what helps; `layer` is the path where it begins and `step` the update, where there is one.
    `picture` draws the evidence, as an SVG.
    """

    name: str
    headline: str
    evidence: tuple[str, ...]
    fix: str
    layer: str = ""
    step: int | None = None
    picture: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
