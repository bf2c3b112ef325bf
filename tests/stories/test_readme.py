"""The README's code runs and prints what the README says."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d+\.\d*(e-\d\d)?| +(?=[-\d\]])")
"""Digits that another processor may round otherwise; what they must be is said below, by name."""

SPREAD = 0.02
"""Another processor rounds otherwise; 20 epochs later a few of 269 images may fall on the other side."""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_screen_prints_what_it_says():
    code, shown = blocks("python")[0], blocks("text")[0]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert [NUMBER.sub("", line)[:20] for line in run.stdout.splitlines()] == [
        NUMBER.sub("", line)[:20] for line in shown.splitlines()
    ]
    assert abs(accuracy(run.stdout) - accuracy(shown)) < SPREAD
    assert run.stdout.count("✓") == 3


def accuracy(text):
    return float(re.search(r"test accuracy (0\.\d+)", text).group(1))


def test_the_loop_written_by_hand_runs():
    first, loop = blocks("python")[:2]
    code = first.split("cr.fit(")[0] + loop.replace("range(20)", "range(2)") + "\nassert float(loss) < 3\n"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def test_the_plan_watches_and_tells_its_price():
    first, _, plan = blocks("python")
    code = first.split("cr.fit(")[0] + "optimizer = cr.optim.Adam(model, lr=0.005)\n" + plan
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert "arena" in run.stdout and "GFLOP/s" in run.stdout and run.stdout.endswith("plan 1: the first call\n")


def test_the_commands_are_the_two_that_the_gate_runs():
    gate = (Path(__file__).parents[2] / ".ci" / "run").read_text(encoding="utf-8")
    install, test = blocks("sh")[0].splitlines()
    assert install == "pip install -e . && chainrule train digits"
    assert f'"{test}"' in gate
