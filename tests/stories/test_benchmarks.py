"""The benchmark runs, notices who computes something else, and reads its own results; no time is promised here."""

import dataclasses
import json
import subprocess
import sys

import pytest

from benchmarks import chart, report
from benchmarks.agreement import TOLERANCE, deviations, void
from benchmarks.contenders import CONTENDERS, EAGER, NUMPY, PYTORCH, Contender
from benchmarks.steps import QUICK, Lane, chosen, measured, ratio
from benchmarks.targets import targets
from benchmarks.workloads import WORKLOADS

SHORT = dataclasses.replace(QUICK, rounds=2, seconds=0.005, steps=6, memory=False)


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    with (tmp_path_factory.mktemp("benchmarks") / "workers.log").open("w") as log:
        yield Lane(1, log, SHORT, {})


@pytest.fixture(scope="module")
def result(lane):
    weighing = dataclasses.replace(lane, pace=dataclasses.replace(SHORT, memory=True))
    return measured("tiny", chosen([NUMPY, EAGER]), weighing)


def test_every_contender_is_timed_weighed_and_compared(result):
    assert result["flops"] > 0 and result["rate"] > 0
    for entry in result["contenders"].values():
        assert len(entry["rounds"]) == SHORT.rounds and min(entry["rounds"]) > 0
        assert len(entry["losses"]) == SHORT.steps and entry["deviation"] < TOLERANCE
        assert 0 < entry["from_call"] < entry["from_start"]
        assert set(entry["memory"]) == {"first", "later"}


def test_a_wrong_contender_is_void_and_is_not_timed(lane):
    wrong = Contender("wrong", CONTENDERS[NUMPY].module, {"library": "numpy", "lr": 0.2})
    entries = measured("tiny", [CONTENDERS[NUMPY], CONTENDERS[EAGER], wrong], lane)["contenders"]
    assert entries["wrong"]["void"].startswith("void: losses differ by") and "rounds" not in entries["wrong"]
    assert "void" not in entries[NUMPY] and "void" not in entries[EAGER]


def test_of_two_that_disagree_both_are_void():
    assert sorted(void({"a": [1.0, 1.0], "b": [1.0, 1.1]})) == ["a", "b"]
    assert void({"a": [1.0, float("nan")], "b": [1.0, 1.0], "c": [1.0, 1.0]}).keys() == {"a"}
    assert deviations({"a": [2.0], "b": [2.0], "c": [2.2]})["c"] == pytest.approx(0.1)


def test_who_is_not_installed_or_fails_is_named(lane):
    absent = Contender("absent", "no_such_steps")
    broken = Contender("broken", CONTENDERS[NUMPY].module, {"library": "abacus"})
    entries = measured("tiny", [CONTENDERS[NUMPY], absent, broken], lane)["contenders"]
    assert entries["absent"]["refused"] == "benchmarks.contenders.no_such_steps is not installed"
    assert entries["broken"]["refused"] == "OptionError: There is no backend 'abacus'."
    assert "rounds" in entries[NUMPY]


@pytest.mark.parametrize("name", [w for w in WORKLOADS if w != "tiny"])
def test_every_model_is_chainrules_and_pytorchs(name):
    """The same losses from the same weights, on small versions of the workloads."""
    pytest.importorskip("torch")
    from benchmarks.contenders import chainrule_steps, torch_steps

    smaller = {
        "mlp": {},
        "cnn": {"channels": (1, 3, 4), "side": 8, "hidden": 5},
        "convblock": {"channels": 3, "side": 6, "blocks": 2},
        "lstm": {"inputs": 4, "hidden": 5, "time": 6},
        "gpt": {"layers": 2, "heads": 2, "width": 8, "context": 6, "vocabulary": 7},
    }
    workload = dataclasses.replace(WORKLOADS[name], batch=4)
    workload = dataclasses.replace(workload, sizes={**workload.sizes, **smaller[workload.kind]})
    losses = {}
    for module in (chainrule_steps, torch_steps):
        trainer = module.start(workload)
        losses[module.__name__] = [trainer.value(trainer.step(k)) for k in range(4)]
    assert void(losses) == {}


def test_the_report_and_the_chart_read_the_results(result, tmp_path):
    slow = {**result["contenders"][NUMPY], "rounds": [2 * s for s in result["contenders"][NUMPY]["rounds"]]}
    results = {"steps": {"tiny": {**result, "contenders": {**result["contenders"], PYTORCH: slow}}}}
    assert ratio(slow, result["contenders"][NUMPY]) == (2.0, 2.0, 2.0)
    text = report.whole(results)
    assert "cr numpy *" in text and "· not run" in text
    missed = next(t for t in targets(results) if t.promise.startswith("PyTorch eager / NumPy plan: tiny"))
    assert missed.met is False and missed.measured == "tiny 2x (!)"
    chart.draw(results, tmp_path / "steps.png")
    assert (tmp_path / "steps.png").stat().st_size > 10_000


def test_the_command_writes_its_results(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--part", "steps", "--only", "tiny", "--rounds", "1"]
    command += ["--contenders", NUMPY, "--threads", "1", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("tiny: ")
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["steps"]["tiny"]["contenders"][NUMPY]["rounds"]
