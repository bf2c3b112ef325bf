"""Labels: such as nothing can be learned from, and such as are mostly of one class."""

from __future__ import annotations

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import SURE, Case
from chainrule.glass.verdicts.standing import Standing
from chainrule.glass.verdicts.trials import Trial
from chainrule.glass.verdicts.verdict import Verdict

FEWEST = 100
"""Rows below which chance cannot be told from skill."""

CHANCE = 0.9
"""A share of the best constant's error above which there is no more than chance."""

DOUBT = 0.85
"""The same where the model has learned by heart, which shows more."""

LITTLE = 0.8
"""The same for the model on a table, where the other learners have found nothing: rows in clumps are hit by luck."""

LEARNED = 0.3
"""How much less error there must be on the training data for it to have been learned by heart."""

MAJORITY = 0.75
RARE = 5
"""Examples of a class below which its recall says nothing."""

MISSED = 0.2
"""A recall of the rarer classes below which they are ignored."""

ALWAYS = 0.97


def not_learnable(case: Case) -> Verdict | None:
    """Targets that have nothing to do with the inputs, as where one of them was shuffled.

    What was learned by heart does not help with unseen rows: neither the model, nor trees, neighbours and a linear rule
    are better there than the best constant.
    """
    train, other = case.train, case.reference
    if train is None or other is None or len(train.errors) < FEWEST or len(case.evidence.losses) < 20:
        return None
    if not chance(other.relative, other.uncertainty, DOUBT) or (train.kind == "classes" and train.base < 1 - MAJORITY):
        return None
    held, where = unseen(case)
    if held is None or held.relative < LITTLE:
        return None
    nothing = chance(other.relative, other.uncertainty, CHANCE) and (plain(case) or no_easier(case))
    by_heart = chance(held.relative, held.uncertainty, DOUBT) and held.relative - train.relative > LEARNED
    if not nothing and not by_heart:
        return None
    constant = "the most frequent class" if train.kind == "classes" else "the mean"
    return Verdict(
        "labels not learnable",
        f"What was learned does not help with unseen rows: {held.told}, hardly better than saying {constant}.",
        (
            f"on the training data: {train.told}",
            f"{where}: {held.told}; {constant} alone: {base(held)}; healthy: clearly better",
            case.told_reference,
        ),
        "look whether x and y were shuffled, sorted or joined apart: row i of y belongs to row i of x",
        picture=lambda: pictures.bars(
            "Error as a share of the best constant's",
            {
                "training data": train.relative,
                "unseen rows": held.relative,
                other.name: other.relative,
                "constant": 1.0,
            },
            "relative error",
            marked=("unseen rows",),
        ),
    )


def chance(relative: float, uncertainty: float, least: float) -> bool:
    """Whether errors are those of the best constant, as far as can be told, and near them at least."""
    return relative > least and relative + SURE * uncertainty > 1


def base(of: Standing) -> str:
    """The error of the best constant, in words."""
    return f"{100 * of.base:.1f} % wrong" if of.kind == "classes" else "R² = 0"


def unseen(case: Case) -> tuple[Standing | None, str]:
    """How the model stands on rows it did not learn from: the validation data, or one half in a trial."""
    if case.held is not None and len(case.held.errors) >= FEWEST // 2:
        return case.held, "on the validation data"
    trial: Trial | None = case.trials.on_half()
    return (trial.held if trial is not None else None), "on the other half, after a trial on one half of the rows"


def plain(case: Case) -> bool:
    """Whether the inputs are a table of numbers, in which trees and neighbours find what there is."""
    data = case.evidence.train
    assert data is not None
    return data.x.ndim == 2 and data.x.dtype.kind == "f" and len(data.x) >= 2 * FEWEST


def no_easier(case: Case) -> bool:
    """Whether something was learned of the training data, and in a trial as much of the same targets in another order.

    What the targets say of the inputs makes them easier to learn than when shuffled: a permutation test (Ojala &
    Garriga 2010). A model that has learned nothing shows neither.
    """
    train = case.train
    if train is None or case.stepwise or train.relative + SURE * train.uncertainty > 1:
        return False
    given, shuffled = case.trials.with_lr(1.0), case.trials.shuffled()
    if given is None or shuffled is None or given.after is None or shuffled.after is None:
        return False
    unsure = float(np.hypot(given.after.uncertainty, shuffled.after.uncertainty))
    return shuffled.relative - given.relative < SURE * unsure


def imbalance_alone(case: Case) -> Verdict | None:
    """The same, where no other learner is right more often: nothing else is wrong then."""
    return None if case.bad else imbalance_ignored(case)


def imbalance_ignored(case: Case) -> Verdict | None:
    """Nearly always the most frequent class is said; that is right often, and the others are never found."""
    train = case.train
    if train is None or train.kind != "classes" or len(train.errors) < 40 or len(case.evidence.losses) < 20:
        return None
    counts = np.bincount(train.targets)
    major = int(counts.argmax())
    share = counts[major] / counts.sum()
    rare = [k for k in range(len(counts)) if k != major and counts[k] >= RARE]
    if share < MAJORITY or not rare:
        return None
    recalls = {k: float((train.predicted[train.targets == k] == k).mean()) for k in rare}
    found, said = float(np.mean(list(recalls.values()))), float((train.predicted == major).mean())
    if found > MISSED or said < ALWAYS * share:
        return None
    right = 1 - float(train.errors.mean())
    return Verdict(
        "class imbalance ignored",
        f"{100 * right:.1f} % of the labels are right, and only {100 * found:.0f} % of the rarer classes are found.",
        (
            f"class {major} is {100 * share:.1f} % of the training data, and {100 * said:.1f} % of what is predicted",
            "recall " + ", ".join(f"{100 * r:.0f} % of the {counts[k]} of class {k}" for k, r in recalls.items()),
            "healthy: recalls of one size; accuracy alone does not show them",
        ),
        "weigh the rarer classes in the loss, or draw them more often, and look at the recall",
        picture=lambda: pictures.bars(
            "Recall by class",
            {f"class {k}": float((train.predicted[train.targets == k] == k).mean()) for k in np.flatnonzero(counts)},
            "recall",
            marked=[f"class {k}" for k in rare],
        ),
    )
