"""Underfitting: what could be learned but is not, for want of room, or of steps."""

from __future__ import annotations

from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.rules.data import trial_curves
from chainrule.glass.verdicts.rules.fits import constant_loss, epoch_curves
from chainrule.glass.verdicts.rules.rates import LARGER, SMALLER, as_it_was, first_cure
from chainrule.glass.verdicts.verdict import Verdict

LONG = 200
"""Steps from which a training that still learns counts as one that stopped too early."""

FAR, VERY_FAR = 0.25, 0.5
"""How much more of the best constant's error than the other learner a training at rest leaves, and one that learns."""

SLOW = 0.1
"""A share of the way left to what is possible; a training at rest covers less in the last third of its steps."""


def held_down(case: Case) -> Verdict | None:
    """A penalty, weight decay or dropout that leaves little room: without them the same training gets far."""
    if not case.bad or case.train is None or not restraints(case) or case.cured(case.trials.with_lr(1.0)):
        return None
    free = case.trials.unbound()
    if free is None or free.after is None or not case.cured(free):
        return None
    return Verdict(
        "underfitting",
        f"Without penalty, weight decay and dropout the same training gets to {free.after.told}.",
        (
            f"with them: {case.train.told}, after {len(case.evidence.losses)} steps; healthy: little worse",
            f"without them: {free.after.told}, after {len(free.losses)} steps from the same start",
            *held_back(case),
        ),
        "a tenth of the penalty or of the weight decay, less dropout",
        picture=lambda: trial_curves("The same training without restraints", as_it_was(case), free, "without"),
    )


def restraints(case: Case) -> bool:
    """Whether anything holds the weights or the units back."""
    decay = any(group.settings.get("weight_decay", 0) for group in getattr(case.evidence.optimizer, "groups", ()))
    return case.evidence.penalty is not None or bool(decay) or bool(dropped(case))


def dropped(case: Case) -> list[float]:
    """Shares of the units that are dropped."""
    modules = case.evidence.model.modules()
    return [m.p for m in modules if type(m).__name__.startswith("Dropout") and getattr(m, "p", 0) > 0]


def underfitting(case: Case) -> Verdict | None:
    """The model has come to rest far above what a quick learner reaches on unseen rows, and no learning rate helps."""
    e, other = case.evidence, case.reference
    if not case.bad or other is None or case.train is None or not case.trials.possible:
        return None
    resting, alike = at_rest(case), not case.cured(case.trials.with_lr(1.0))
    if case.train.relative - case.possible < (FAR if resting else VERY_FAR):
        return None
    if not resting and len(e.losses) < LONG:
        return None
    if resting and any(first_cure(case, factors) for factors in (LARGER[:1], SMALLER[:1])) and alike:
        return None
    state = "has come to rest" if resting else "was ended while it still learned"
    return Verdict(
        "underfitting",
        f"The training {state} with {case.train.told} on its own data, where more can be known.",
        (
            f"on the training data: {case.train.told}",
            f"{case.told_reference}; healthy: the model does as well on its own data",
            *(() if case.held is None else (f"on the validation data: {case.held.told}",)),
            *held_back(case),
        ),
        "a larger model, less weight decay and dropout, inputs that say more" if resting else "more epochs",
        picture=lambda: epoch_curves(case, "Training and validation loss", constant_loss(case) or float("nan")),
    )


def at_rest(case: Case) -> bool:
    """Whether at the pace of the last third of the steps the loss would long be far from what is possible.

    Where it is not, and a training was long, it goes on in a trial for as many steps again: what has not got half of
    the way then is at rest as well, however the loss still falls.
    """
    if _slow(case):
        return True
    further = case.trials.onward() if len(case.evidence.losses) >= LONG else None
    return further is not None and further.after is not None and not case.cured(further)


def _slow(case: Case) -> bool:
    """Whether the pace of the last third of the steps is slow."""
    values, constant = case.evidence.losses, constant_loss(case)
    third = max(1, len(values) // 3)
    before, after = float(values[-2 * third : -third].mean()), float(values[-third:].mean())
    return before - after < SLOW * (after - case.possible * (constant or 0.0))


def held_back(case: Case) -> tuple[str, ...]:
    """What keeps a model from learning by design, in words."""
    found = []
    if dropped(case):
        found.append(f"dropout drops {100 * max(dropped(case)):.0f} % of the units")
    if case.evidence.penalty is not None:
        found.append(f"the penalty is {case.evidence.penalty!r}")
    decay = getattr(case.evidence.optimizer, "settings", {}).get("weight_decay", 0)
    if decay:
        found.append(f"weight decay is {decay:g}")
    if case.shrunk < 0.5:
        found.append(f"the weights have shrunk to {100 * case.shrunk:.1g} % of their size at the start")
    found.append(f"the model has {sum(p.size for p in case.evidence.model.parameters()):,} parameters")
    return tuple(found)
