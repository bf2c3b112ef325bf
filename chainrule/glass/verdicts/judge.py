"""judge: all rules asked of the evidence, and their verdicts in order, the cause first."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.rules import habits, mismatch, softmax
from chainrule.glass.verdicts.verdict import NAMES, Verdict

Rule = Callable[[Case], Verdict | None]

RULES: dict[str, Rule] = {
    "gradients not zeroed": habits.not_zeroed,
    "evaluation mode in training": habits.trained_in_evaluation,
    "training mode in evaluation": habits.measured_in_training,
    "softmax applied twice": softmax.softmax_twice,
    "loss does not fit output": mismatch.mismatch,
}
"""The rule of each verdict."""


def judge(evidence: Evidence) -> tuple[Verdict, ...]:
    """What is wrong with a training, the cause first; empty where nothing is."""
    case = Case(evidence)
    found = [verdict for rule in RULES.values() if (verdict := rule(case)) is not None]
    return tuple(sorted(found, key=lambda verdict: NAMES.index(verdict.name)))
