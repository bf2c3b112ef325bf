"""Learning rates that are too large or too small, as the same training with another one shows."""

from __future__ import annotations

import numpy as np

from chainrule.glass.verdicts.case import HALF, SURE, Case
from chainrule.glass.verdicts.rules.data import trial_curves
from chainrule.glass.verdicts.rules.easing import halved, less, much_eased
from chainrule.glass.verdicts.trials import Trial
from chainrule.glass.verdicts.verdict import Verdict

SMALLER, LARGER = (0.1, 0.01, 0.001), (10.0, 100.0, 1e3, 1e4)

HARDLY = 0.5
"""‖Δθ‖ / ‖θ‖ summed over all steps below which the weights are still about where they began."""

EARLY, ALIKE = 10, 0.3
"""Steps at the start, and by which part of themselves their mean losses may differ on other batches."""

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
    """The same start and the same steps with a smaller rate get far, and with this one they do not.

    The last step of a loss that jumps about may be a lucky one, in the training as in its trial: what counts then is
    the loss of many steps, which a smaller rate halves.
    """
    if moved(case) < STILL:
        return None
    found = first_cure(case, SMALLER) if case.bad or case.failed else one_easing(case, SMALLER[0])
    if found is None:
        return None
    factor, trial = found
    same = case.trials.with_lr(1.0)
    calmed = same is not None and less(case, trial.losses, same.losses) and halved(trial.losses, same.losses)
    if case.cured(same) and not calmed:
        return None
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
    same = case.trials.with_lr(1.0)
    if not case.bad or moved(case) > HARDLY or case.cured(same) or not alike(case, same):
        return None
    found = first_cure(case, LARGER)
    if found is None and (verdict := dwindled(case)) is not None:
        return verdict
    found = found or (faster(case) if moved(case) < STILL else None)
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


def dwindled(case: Case) -> Verdict | None:
    """A schedule has taken the rate away before anything was learned: with the greatest rate kept, it would have been.

    Whoever asks has seen that the training went badly, and that a trial with nothing changed does no better.
    """
    lrs, steady = case.evidence.lrs, case.trials.with_steady_lr()
    if not len(lrs) or steady is None or steady.after is None or not case.cured(steady):
        return None
    if needed(case, steady) < SLOW_PACE:
        return None
    late_rate = float(lrs[len(lrs) // 2 :].mean())
    return Verdict(
        "learning rate too small",
        f"With a learning rate that stays at {rate(case):.2g} the same training gets to {steady.after.told}.",
        (
            f"as it was: {ended(case)}",
            f"with {rate(case):.2g} at all steps: {steady.after.told}, after {len(steady.losses)} steps",
            f"the rate was {rate(case):.2g} at most and {late_rate:.2g} in the second half of the steps",
            f"all steps together moved the weights by {moved(case):.2g} of their size at most; healthy: 1 and more",
        ),
        "a schedule over as many steps as the training has; is one that counts epochs called at every step?",
        step=int(np.argmax(lrs < HALF * lrs.max())) if (lrs < HALF * lrs.max()).any() else 0,
        picture=lambda: trial_curves("The same training at its greatest rate", as_it_was(case), steady, "steady"),
    )


def ended(case: Case) -> str:
    """How the training itself ended, in words."""
    if case.failed or case.train is None:
        return f"numbers that are not finite, after {len(case.evidence.losses)} steps"
    return f"{case.train.told}, after all {len(case.evidence.losses)} steps"


def alike(case: Case, same: Trial | None) -> bool:
    """Whether a trial with nothing changed begins with the losses of the training: else there was more to it."""
    if same is None or len(case.evidence.losses) < EARLY:
        return False
    seen, again = float(case.evidence.losses[:EARLY].mean()), float(same.losses[:EARLY].mean())
    return abs(again - seen) < ALIKE * abs(seen)


def first_cure(case: Case, factors: tuple[float, ...]) -> tuple[float, Trial] | None:
    """The first factor of the learning rate with which a trial gets far."""
    for factor in factors:
        trial = case.trials.with_lr(factor)
        if trial is not None and case.cured(trial):
            return factor, trial
    return None


def one_easing(case: Case, factor: float) -> tuple[float, Trial] | None:
    """The factor, if with it a trial ends with less than half of the training's own loss and error."""
    losses, train = case.evidence.losses, case.train
    if train is None or train.relative < SURE * train.uncertainty or not less(case, np.zeros_like(losses), losses):
        return None  # nothing is left that would be worth a trial
    trial = case.trials.with_lr(factor)
    return (factor, trial) if trial is not None and much_eased(case, trial) else None


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
    """By which part of itself the loss fell from where it began; minus infinity where it became infinite.

    Coming down from a height that a first step too large has thrown it to is no fall.
    """
    tenth = max(1, len(trial.losses) // 10)
    first = min(float(trial.losses[0]), float(trial.losses[:3].mean()))
    last = float(trial.losses[-tenth:].mean())
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
