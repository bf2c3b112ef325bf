"""A run that is killed at any moment, or stopped by Ctrl-C, ends as if nothing had happened: bit for bit."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import chainrule
from chainrule.base.files import read_arrays

EPOCHS = 30
# All that has a state of its own: running statistics, dropout, moments, a schedule, early stopping, and an
# accumulated gradient that an epoch does not divide.
MODEL = ["--hidden", "32", "--batch-norm", "--dropout", "0.2"]
UPDATE = ["--schedule", "cosine", "--accumulate", "3", "--patience", "30"]
TASK = ["digits", *MODEL, *UPDATE]
COURSE = ["--epochs", str(EPOCHS), "--checkpoint-every", "5"]

MOMENTS = [0, *(f"epoch {n}" for n in (1, 3, 7, 12, 18, 24, 29)), "model.safetensors", "learning_curve.png"]
"""Ten moments of a run: while Python starts, in early, middle, late epochs, while pictures are drawn."""

WHIM = 0.02
"""Seconds, at most, from such a moment to the kill: as long as an epoch, so that it falls anywhere in one."""

PATIENCE = 120
"""Seconds after which a process that does nothing is given up."""


COMMAND = """
from chainrule.cli import main
main()
"""


def start(*arguments) -> subprocess.Popen[str]:
    paths = {"PYTHONPATH": str(Path(chainrule.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "train", *map(str, arguments), "--json"],
        env=os.environ | paths,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def epochs_done(folder) -> int:
    history = folder / "history.csv"
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


def reached(folder, moment) -> bool:
    if isinstance(moment, str) and moment.startswith("epoch"):
        return epochs_done(folder) >= int(moment.removeprefix("epoch "))
    return moment == 0 or (folder / moment).exists()


def stop(process, folder, moment, signal_number, delay=0.0):
    """Send a signal at a moment of the run; what it printed."""
    until = time.monotonic() + PATIENCE
    while not reached(folder, moment) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal_number)
    return process.communicate(timeout=PATIENCE)


def finish(folder) -> dict[str, object]:
    """Resume to the end; the result."""
    out, err = start("--resume", folder).communicate(timeout=PATIENCE)
    assert out, err
    return json.loads(out)


def left(folder) -> tuple[dict[str, np.ndarray], list[dict[str, str]]]:
    """The final weights, and the history without what depends on the clock."""
    with open(folder / "history.csv", newline="") as lines:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(lines)]
    return read_arrays(folder / "model.safetensors")[0], rows


def bits(array: np.ndarray) -> tuple[object, ...]:
    return array.dtype, array.shape, array.tobytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    out, err = start(*TASK, *COURSE, "--out", folder).communicate(timeout=PATIENCE)
    assert out, err
    return folder, json.loads(out)


def assert_equal_to_undisturbed(folder, result, undisturbed):
    weights, rows = left(folder)
    wanted, wanted_rows = left(undisturbed[0])
    assert {name: bits(array) for name, array in weights.items()} == {k: bits(v) for k, v in wanted.items()}
    assert rows == wanted_rows
    clock = {"seconds", "folder"}
    assert {k: v for k, v in result.items() if k not in clock} == {
        k: v for k, v in undisturbed[1].items() if k not in clock
    }


def test_ten_kills_change_no_bit(undisturbed, tmp_path):
    """Two runs of five kills each, resumed after each kill, end as the undisturbed one."""
    chance = random.Random(0)
    for first in (0, 1):
        folder, begun, hits = tmp_path / f"run-{first}", False, 0
        for moment in MOMENTS[first::2]:
            process = start("--resume", folder) if begun else start(*TASK, *COURSE, "--out", folder)
            stop(process, folder, moment, signal.SIGKILL, delay=chance.uniform(0, WHIM))
            hits += process.returncode == -signal.SIGKILL
            begun = (folder / "settings.json").exists()
        assert hits == 5
        (folder / ".checkpoint.safetensors.0123abcd.tmp").write_bytes(b"half")  # as a kill in a write leaves it
        assert_equal_to_undisturbed(folder, finish(folder), undisturbed)
        assert list(folder.glob(".*")) == []  # what was half written is gone


def test_a_kill_before_there_is_a_run_says_so(tmp_path):
    folder = tmp_path / "run"
    process = start(*TASK, *COURSE, "--out", folder)
    stop(process, folder, 0, signal.SIGKILL)
    out, err = start("--resume", folder).communicate(timeout=PATIENCE)
    text = (
        f"{folder} is no run folder: it has no settings.json.\n"
        "  try     chainrule train TASK starts a run and prints its folder"
    )
    assert (json.loads(out), err) == ({"error": text}, f"CheckpointError: {text}\n")


def test_ctrl_c_finishes_the_step_and_keeps_the_checkpoint(undisturbed, tmp_path):
    folder = tmp_path / "run"
    process = start(*TASK, *COURSE, "--out", folder)
    out, err = stop(process, folder, "epoch 4", signal.SIGINT)
    assert process.returncode == 130
    assert json.loads(out) == {"stopped": "interrupted", "folder": str(folder)}
    assert err == f"Stopped. To continue: chainrule train --resume {folder}\n"
    assert (folder / "checkpoint.safetensors").exists()
    assert not (folder / "model.safetensors").exists()
    assert_equal_to_undisturbed(folder, finish(folder), undisturbed)


def test_a_finished_run_gives_its_result_again(undisturbed):
    folder, result = undisturbed
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert finish(folder) == result
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
