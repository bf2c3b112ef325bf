"""Learning rates that are too large or too small, as the same training with another one shows."""

from __future__ import annotations

import numpy as np

from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.rules.data import trial_curves
from chainrule.glass.verdicts.trials import Trial
from chainrule.glass.verdicts.verdict import Verdict

SMALLER, LARGER = (0.1, 0.01, 0.001), (10.0, 100.0, 1e3, 1e4)

HARDLY = 0.5
"""‖Δθ‖ / ‖θ‖ summed over all steps below which the weights are still about where they began."""

STILL = 0.1
"""A sum of ‖Δθ‖ / ‖θ‖ below which the weights have stayed where they were."""

TIMES = 10.0
"""How many times as far the loss must fall in a trial."""

PART = 0.05
"""The part of the loss at the start by which it must fall in a trial."""

PACE, SLOW_PACE = 10.0, 3.0
"""How many times as many steps would have to be too few, at the pace of the last half, for a rate to be too small; and
where the weights have stayed where they were."""


def too_large(case: Case) -> Verdict | None:
    """The same start and the same steps with a smaller rate get far, and with this one they do not."""
    if not (case.bad or case.failed) or case.cured(case.trials.with_lr(1.0)):
        return None
    found = first_cure(case, SMALLER)
    if found is None:
        return None
    factor, trial = found
    lr, ratio = rate(case), greatest_ratio(case)
    assert trial.after is not None
    return Verdict(
        "learning rate too large",
        f"With a learning rate of {lr * factor:.2g} instead of {lr:.2g} the same training gets to {trial.after.told}.",
        (
            f"with {lr:.2g}: {ended(case)}",
            f"with {lr * factor:.2g}: {trial.after.told}, after {len(trial.losses)} steps from the same start",
            f"a step moved the weights by up to {ratio:.2g} of their size; healthy: about 0.001 to 0.01",
            wandering(case),
        ),
        f"lr={lr * factor:.2g}, or a schedule that begins small",
        step=0,
        picture=lambda: trial_curves(
            f"The same training with {factor:g} times the learning rate",
            as_it_was(case),
            trial,
            f"lr {lr * factor:.2g}",
        ),
    )


def too_small(case: Case) -> Verdict | None:
    """The weights are about where they began, the loss hardly falls, and with a larger rate it would."""
    if not case.bad or case.cured(case.trials.with_lr(1.0)) or moved(case) > HARDLY:
        return None
    found = first_cure(case, LARGER) or (faster(case) if moved(case) < STILL else None)
    if found is None:
        return None
    factor, trial = found
    more = needed(case, trial)
    if more < (SLOW_PACE if moved(case) < STILL else PACE):
        return None
    lr = rate(case)
    assert trial.after is not None and case.train is not None
    steps = f"{more:.0f} times as many steps" if np.isfinite(more) else "no number of steps"
    return Verdict(
        "learning rate too small",
        f"With a learning rate of {lr * factor:.2g} instead of {lr:.2g} the same training gets to {trial.after.told}.",
        (
            f"with {lr:.2g}: {ended(case)}",
            f"with {lr * factor:.2g}: {trial.after.told}, after {len(trial.losses)} steps from the same start",
            f"all steps together moved the weights by {moved(case):.2g} of their size at most; healthy: 1 and more",
            f"at the pace of the second half, {steps} would be needed to get there",
        ),
        f"lr={lr * factor:.2g}",
        step=0,
        picture=lambda: trial_curves(
            f"The same training with {factor:g} times the learning rate",
            as_it_was(case),
            trial,
            f"lr {lr * factor:.2g}",
        ),
    )


def ended(case: Case) -> str:
    """How the training itself ended, in words."""
    if case.failed or case.train is None:
        return f"numbers that are not finite, after {len(case.evidence.losses)} steps"
    return f"{case.train.told}, after all {len(case.evidence.losses)} steps"


def first_cure(case: Case, factors: tuple[float, ...]) -> tuple[float, Trial] | None:
    """The first factor of the learning rate with which a trial gets far."""
    for factor in factors:
        trial = case.trials.with_lr(factor)
        if trial is not None and case.cured(trial):
            return factor, trial
    return None


def faster(case: Case) -> tuple[float, Trial] | None:
    """The factor of the learning rate with which the loss falls farthest: many times as far, and far."""
    same = case.trials.with_lr(1.0)
    if same is None:
        return None
    found = [(fall(trial), factor, trial) for factor in LARGER if (trial := case.trials.with_lr(factor)) is not None]
    best = max(found, key=lambda f: f[0], default=None)
    if best is None or best[2].after is None or best[0] < max(PART, TIMES * fall(same)):
        return None
    return best[1:]


def fall(trial: Trial) -> float:
    """By which part of itself the loss fell; minus infinity where it became infinite."""
    tenth = max(1, len(trial.losses) // 10)
    first, last = float(trial.losses[:3].mean()), float(trial.losses[-tenth:].mean())
    return (first - last) / abs(first) if trial.after is not None and first else -np.inf


def as_it_was(case: Case) -> Trial:
    """The training itself, as far as a trial goes."""
    return Trial(case.evidence.losses[: max(case.trials.steps, 1)], case.train)


def rate(case: Case) -> float:
    """The learning rate of the training: the largest, of a schedule."""
    lrs = case.evidence.lrs
    return float(lrs.max()) if len(lrs) else float(case.evidence.optimizer.lr)


def greatest_ratio(case: Case) -> float:
    """The largest ‖Δθ‖ / ‖θ‖ that was seen."""
    seen = case.evidence.ratios[np.isfinite(case.evidence.ratios)]
    return float(seen.max()) if len(seen) else float("nan")


def moved(case: Case) -> float:
    """‖Δθ‖ / ‖θ‖ summed over all steps, those that were not measured by the mean of those that were."""
    ratios, lrs = case.evidence.ratios, case.evidence.lrs
    seen = np.isfinite(ratios)
    if not seen.any():
        return float("nan")
    if len(lrs) == len(ratios) and lrs[seen].sum() > 0:
        return float(ratios[seen].sum() / lrs[seen].sum() * lrs.sum())
    return float(ratios[seen].mean() * len(ratios))


def needed(case: Case, trial: Trial) -> float:
    """How many times as many steps it takes to the loss of a trial, at the pace of the second half."""
    losses = case.evidence.losses
    half, quarter = len(losses) // 2, max(1, len(losses) // 4)
    third, last = float(losses[half : half + quarter].mean()), float(losses[-quarter:].mean())
    goal = float(np.nanmean(trial.losses[-max(1, len(trial.losses) // 4) :]))
    pace = (third - last) / quarter
    if last <= goal:
        return 0.0
    return (last - goal) / pace / len(losses) if pace > 0 else np.inf


def wandering(case: Case) -> str:
    """How far the loss jumps about in the last half, in words."""
    losses = case.evidence.losses[np.isfinite(case.evidence.losses)]
    late = losses[len(losses) // 2 :]
    return f"loss {losses[0]:.4g} at first, between {late.min():.4g} and {late.max():.4g} in the last half of the steps"
