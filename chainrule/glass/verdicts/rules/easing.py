"""What the same training loses less of with one thing changed: the plainest reason to call that thing its trouble."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.glass.verdicts.case import FEW_STEPS, HALF, SURE, Case
from chainrule.glass.verdicts.rules.fits import constant_loss
from chainrule.glass.verdicts.trials import Trial

WORTH = 0.05
"""A share of the best constant's loss: less than this is not worth a word."""


class Late(NamedTuple):
    """The mean loss in the last quarter of the steps, and its standard error."""

    mean: float
    uncertainty: float


def late(losses: np.ndarray) -> Late:
    """The losses of the last quarter of the steps."""
    last = losses[-max(1, len(losses) // 4) :].astype(np.float64)
    return Late(float(last.mean()), float(last.std() / np.sqrt(len(last))))


def eased(case: Case, trial: Trial | None) -> bool:
    """Whether a trial ends with a loss that is surely less than the training's own, by so much that it counts.

    What is compared is the same model on the same data, so that no other learner has to be asked. A trial takes as many
    steps as the training or fewer.
    """
    return trial is not None and trial.after is not None and less(case, trial.losses, case.evidence.losses)


def much_eased(case: Case, trial: Trial | None) -> bool:
    """Whether besides it is less than half of it, and more of the examples are right."""
    if trial is None or trial.after is None or case.train is None or not eased(case, trial):
        return False
    sure = SURE * float(np.hypot(case.train.uncertainty, trial.after.uncertainty))
    return halved(trial.losses, case.evidence.losses) and case.train.relative - trial.relative > sure


def less(case: Case, losses: np.ndarray, than: np.ndarray) -> bool:
    """Whether losses end surely below others, by so much that it counts."""
    constant = constant_loss(case)
    if constant is None or min(len(losses), len(than)) < FEW_STEPS:
        return False
    end, other = late(losses), late(than)
    if not np.isfinite((end.mean, other.mean)).all():
        return False
    sure = SURE * float(np.hypot(end.uncertainty, other.uncertainty))
    return other.mean - end.mean > max(WORTH * abs(constant), sure)


def halved(losses: np.ndarray, than: np.ndarray) -> bool:
    """Whether losses end below half of others."""
    return late(losses).mean < HALF * late(than).mean


def told_easing(case: Case) -> tuple[str, ...]:
    """How the same training goes from a start whose layers give numbers of size 1, in words; none where it was bad."""
    trial = None if case.bad or case.failed else case.trials.from_level_start()
    if trial is None or trial.after is None:
        return ()
    ended, other = late(case.evidence.losses).mean, late(trial.losses).mean
    return (
        f"from a start whose layers give numbers of size 1: {trial.after.told}, after {len(trial.losses)} steps",
        f"loss in the last quarter of the steps: {ended:.3g}; from that start: {other:.3g}",
    )
