"""The bank says what is true, and the diagnosis finds it out."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from chainrule.glass.verdicts.verdict import NAMES
from tests.bank.runs import Outcome, diagnosed
from tests.bank.scripts import BROKEN, HEALTHY, Script
from tests.bank.table import Results

LINES = 40
"""Lines of a script, at most: what a user shows when asking for help."""

UNSEEN = {"evaluation mode in training", "train and test overlap"}
"""Flaws that the score does not show: it is as good as without them, or better."""

Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The outcome of a script, which is run once, also where several processes share the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "bank"
    folder.mkdir(exist_ok=True)
    return lambda script, repaired=False: kept(folder, script, repaired)


def kept(folder: Path, script: Script, repaired: bool) -> Outcome:
    """The outcome in a file, or the one to be put there."""
    file = folder / f"{script.path.parent.name}-{script.name}-{repaired}.json"
    if not file.exists():
        written = file.with_suffix(f".{id(file)}")
        written.write_text(json.dumps(asdict(diagnosed(script, repaired))))
        written.replace(file)
    found = json.loads(file.read_text())
    lists = {name: tuple(found[name]) for name in ("verdicts", "failure") if found[name] is not None}
    return Outcome(**found | lists)


def each(scripts: tuple[Script, ...]) -> pytest.MarkDecorator:
    """A test for every script."""
    return pytest.mark.parametrize("script", scripts, ids=lambda script: script.name)


@each(BROKEN + HEALTHY)
def test_a_script_says_its_truth(script: Script) -> None:
    assert script.says.endswith((".", "”", '"'))
    assert len(script.source.splitlines()) <= LINES
    assert "diagnos" not in script.source.lower()
    assert script.broken == (script.path.parent.name == "broken") == bool(script.cause)
    assert script.cause in ("", *NAMES)
    assert script.broken == (script.source != script.repaired_source)
    assert (script.rule is not None) == (script.phase is not None) == (script.cause == "not finite")


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 50
    assert len(HEALTHY) >= 50
    assert all(sum(script.cause == name for script in BROKEN) >= 2 for name in NAMES)
    assert len({script.rule for script in BROKEN if script.rule}) >= 8
    assert {"forward", "backward", "update"} <= {script.phase for script in BROKEN}


@each(HEALTHY)
def test_a_healthy_script_learns(script: Script, run: Run) -> None:
    assert run(script).score >= script.learns


@each(BROKEN)
def test_a_broken_script_learns_once_it_is_repaired_and_not_before(script: Script, run: Run) -> None:
    assert run(script, repaired=True).score >= script.learns
    before = run(script).score
    assert script.cause in UNSEEN or math.isnan(before) or before < script.learns


def test_the_diagnosis_meets_its_targets(run: Run) -> None:
    results = Results(
        broken=[(script, run(script)) for script in BROKEN],
        repaired=[(script, run(script, repaired=True)) for script in BROKEN],
        healthy=[(script, run(script)) for script in HEALTHY],
    )
    assert not results.missed_targets, f"\n{results}"
