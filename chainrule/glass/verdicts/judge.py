"""judge: all rules asked of the evidence, and their verdicts in order, the cause first."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.glass.verdicts.blow_up import blow_up
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.rules import (
    data,
    fits,
    gradients,
    habits,
    labels,
    mismatch,
    rates,
    softmax,
    splits,
    underfits,
    units,
)
from chainrule.glass.verdicts.verdict import NAMES, Verdict

Rule = Callable[[Case], Verdict | None]

STAGES: tuple[dict[str, Rule], ...] = (
    {
        "gradients not zeroed": habits.not_zeroed,
        "evaluation mode in training": habits.trained_in_evaluation,
        "softmax applied twice": softmax.softmax_twice,
        "loss does not fit output": mismatch.mismatch,
        "data not normalised": data.not_normalised,
        "labels not learnable": labels.not_learnable,
    },
    {
        "underfitting": underfits.held_down,
        "dead units": units.dead_units,
        "saturated units": units.saturated_units,
        "vanishing gradients": gradients.vanishing,
        "exploding gradients": gradients.exploding,
        "class imbalance ignored": labels.imbalance_ignored,
    },
    {
        "learning rate too large": rates.too_large,
        "learning rate too small": rates.too_small,
    },
    {"underfitting": underfits.underfitting},
)
"""Rules on why a model does not learn, the later ones asked only where the earlier ones find nothing.

What is wrong with the loop, the loss or the data shows in units, gradients and rates as well, and in what is learned in
the end; so a stage that has found something has explained what the next would find.
"""

ALWAYS: dict[str, Rule] = {
    "training mode in evaluation": habits.measured_in_training,
    "train and test overlap": splits.overlap,
    "overfitting": fits.overfitting,
}
"""Rules on how a model is measured, and on how well it carries over, which has causes of its own."""

Pair = tuple[str, str, Callable[[Case], bool], str]


def always(case: Case) -> bool:
    """Whatever the case."""
    return True


def finite(case: Case) -> bool:
    """The training stayed finite."""
    return not case.failed


def died(case: Case) -> bool:
    """Units that are dead at the end were not at the start."""
    return units.arose(case, "dead units")


def driven(case: Case) -> bool:
    """Units that are saturated at the end were not at the start."""
    return units.arose(case, "saturated units")


BLOW_UP, LARGE, EXPLODING = "learning rate blow-up", "learning rate too large", "exploding gradients"

PRECEDENCE: tuple[Pair, ...] = (
    ("gradients not zeroed", BLOW_UP, always, "gradients that add up make every step larger than the last"),
    ("loss does not fit output", BLOW_UP, always, "a loss that cannot be lowered has no end of the weights' growth"),
    ("data not normalised", BLOW_UP, always, "the rate is too large for inputs of such a size, not for others"),
    (EXPLODING, BLOW_UP, always, "a gradient that was out of all proportion at the start makes any step too large"),
    (LARGE, BLOW_UP, finite, "what stayed finite is a rate too large, not the end of the training"),
    ("underfitting", "dead units", died, "a penalty that presses weights to 0 leaves their units nothing else"),
    ("underfitting", "saturated units", driven, "without the restraints the units would have kept a slope"),
    ("underfitting", "vanishing gradients", always, "without the restraints the same gradients are enough"),
    ("vanishing gradients", "dead units", died, "the gradient had vanished before the units died"),
    ("vanishing gradients", "saturated units", driven, "the gradient had vanished before the units were driven out"),
    (EXPLODING, "dead units", died, "what exploded at the start killed the units"),
    (EXPLODING, "saturated units", driven, "what exploded at the start drove the units out"),
    (LARGE, "dead units", died, "units that were alive at the start were killed by steps too large"),
    (LARGE, "saturated units", driven, "units that had a slope at the start were driven out by steps too large"),
)
"""Causes that come before a consequence which `NAMES` has first: cause, consequence, where it holds, and why."""


def judge(evidence: Evidence) -> tuple[Verdict, ...]:
    """What is wrong with a training, the cause first; empty where nothing is.

    Few steps and few rows give few verdicts. Trials are made on copies: model, data and optimiser stay as they are. The
    same evidence gives the same verdicts.
    """
    case = Case(evidence)
    found: list[Verdict] = []
    for stage in STAGES:
        if not found:
            found = asked(case, stage)
    blown = blow_up(evidence)
    names = {verdict.name for verdict in found}
    killed = ("dead units" in names and died(case)) or ("saturated units" in names and driven(case))
    if killed and not names & {"vanishing gradients", EXPLODING, LARGE}:
        found += asked(case, {LARGE: rates.too_large})
    if blown is not None:
        found = [blown, *(v for v in found if v.name != LARGE or finite(case))]
    return ordered(case, [*found, *asked(case, ALWAYS)])


def asked(case: Case, rules: dict[str, Rule]) -> list[Verdict]:
    """The verdicts of some rules."""
    return [verdict for rule in rules.values() if (verdict := rule(case)) is not None]


def ordered(case: Case, found: list[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts in the order of `NAMES`, but for what takes precedence."""
    found = sorted(found, key=lambda verdict: NAMES.index(verdict.name))
    for cause, consequence, holds, _ in PRECEDENCE:
        names = [verdict.name for verdict in found]
        if cause in names and consequence in names and names.index(cause) > names.index(consequence) and holds(case):
            found.insert(names.index(consequence), found.pop(names.index(cause)))
    return tuple(found)
