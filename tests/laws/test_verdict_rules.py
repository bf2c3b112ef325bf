"""Every rule of verdicts: trainings that it must find, trainings that it must leave alone, the same again each time."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np
import pytest

from chainrule.glass.verdicts.judge import ALWAYS, PRECEDENCE, STAGES, judge
from chainrule.glass.verdicts.verdict import NAMES
from tests.laws import trainings_started
from tests.laws.trainings import HEALTHY, SICK, Training

RULES = {name for stage in (*STAGES, ALWAYS) for name in stage}

OTHERS = {"not finite", "learning rate blow-up"}
"""Verdicts on what happened, not on how well it went: they have tests of their own."""

SECONDS = 3.0
"""Of processor time, for a small training; a second on a quiet machine."""


def named(*tables: dict[str, dict[str, Training]]) -> Any:
    cases = [(name, train) for table in tables for name, trainings in table.items() for train in trainings.items()]
    return pytest.mark.parametrize(("name", "train"), [pytest.param(n, t, id=f"{n}: {what}") for n, (what, t) in cases])


@named(SICK, trainings_started.SICK)
def test_the_cause_is_found(name: str, train: Training) -> None:
    evidence = train()
    began = time.process_time()
    verdicts = judge(evidence)
    assert time.process_time() - began < SECONDS
    assert [v.name for v in verdicts][:1] == [name]
    cause = verdicts[0]
    assert cause.headline.endswith(".") and cause.fix and len(cause.evidence) >= 2
    assert "healthy" in " ".join(cause.evidence)
    for verdict in verdicts:
        assert verdict.picture is None or verdict.picture().startswith("<?xml")
    assert cause.picture is not None or name in OTHERS


@named(HEALTHY, trainings_started.HEALTHY)
def test_nothing_is_found_in_a_healthy_training(name: str, train: Training) -> None:
    assert [v.name for v in judge(train())] == []


def test_every_rule_has_its_trainings() -> None:
    assert set(NAMES) == RULES | OTHERS
    assert set(SICK) == set(HEALTHY) == RULES
    assert all(len(trainings) >= 2 for trainings in SICK.values())
    assert all(len(trainings) >= 3 for trainings in HEALTHY.values())


@pytest.mark.parametrize("name", ["learning rate too small", "labels not learnable", "data not normalised"])
def test_judging_changes_nothing_and_repeats_itself(name: str) -> None:
    evidence = next(iter(SICK[name].values()))()
    before = evidence.model.state_dict()
    kept = copy.deepcopy(evidence.optimizer.state_dict())
    modes = [m.training for m in evidence.model.modules()]
    random = np.random.get_state()[1].copy()
    first, second = judge(evidence), judge(evidence)
    assert [str(v) for v in first] == [str(v) for v in second]
    assert [v.picture() for v in first if v.picture] == [v.picture() for v in second if v.picture]
    assert all(np.array_equal(before[k], v) for k, v in evidence.model.state_dict().items())
    arrays = evidence.optimizer.state_dict()["arrays"]
    assert all(np.array_equal(kept["arrays"][k], v) for k, v in arrays.items())
    assert [m.training for m in evidence.model.modules()] == modes
    assert np.array_equal(random, np.random.get_state()[1])


def test_precedence_is_about_rules_and_gives_reasons() -> None:
    for cause, consequence, _, reason in PRECEDENCE:
        assert {cause, consequence} <= set(NAMES)
        assert NAMES.index(cause) > NAMES.index(consequence), "NAMES has this order already"
        assert reason
