"""judge: all rules asked of the evidence, and their verdicts in order, the cause first."""

from __future__ import annotations

from collections.abc import Callable

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
    {"underfitting": fits.underfitting},
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

BEFORE: tuple[tuple[str, str, str], ...] = (
    (
        "vanishing gradients",
        "dead units",
        "gradients are looked at before the first step, units that died later are not",
    ),
    ("vanishing gradients", "saturated units", "so are units that were driven out later"),
    ("exploding gradients", "dead units", "what explodes from the start kills units"),
    ("exploding gradients", "saturated units", "what explodes from the start drives units out"),
    ("learning rate too large", "dead units", "units that were alive at the start were killed by steps too large"),
    ("learning rate too large", "saturated units", "units that had a slope at the start were driven out by the steps"),
)
"""Causes that come before what arose while they were at work, with the reason."""


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
    found = [*found, *asked(case, ALWAYS)]
    names = [verdict.name for verdict in found]
    later = [name for name in ("dead units", "saturated units") if name in names and units.arose(case, name)]
    if later and not {"vanishing gradients", "exploding gradients"} & set(names):
        found += asked(case, {"learning rate too large": rates.too_large})
        names = [verdict.name for verdict in found]
    return tuple(sorted(found, key=lambda verdict: place(verdict.name, names, later)))


def asked(case: Case, rules: dict[str, Rule]) -> list[Verdict]:
    """The verdicts of some rules."""
    return [verdict for rule in rules.values() if (verdict := rule(case)) is not None]


def place(name: str, names: list[str], later: list[str]) -> float:
    """Where a verdict stands: in the order of `NAMES`, but for causes of what was not there at the start."""
    after = [NAMES.index(other) for cause, other, _ in BEFORE if cause == name and other in names and other in later]
    return min(after) - 0.5 if after else NAMES.index(name)
