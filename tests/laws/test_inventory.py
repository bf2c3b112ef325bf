"""The table of primitives names them all, and has no empty cell."""

import subprocess
import sys

import chainrule as cr
from chainrule.ops import inventory
from tests.laws.domains import DOMAINS


def test_no_cell_is_empty():
    rows = list(inventory.rows())
    assert all(all(row) and len(row) == len(inventory.COLUMNS) for row in rows)
    assert {row[0] for row in rows} == set(cr.PRIMITIVES)


def test_the_laws_of_the_table_are_those_that_the_suite_runs():
    for row in inventory.rows():
        assert row[0] in DOMAINS, f"{row[0]} has no domain in tests/laws"
        smooth = cr.PRIMITIVES[row[0]].is_differentiable
        assert row[-1].startswith("adjoint differences order-2" if smooth else "zero")


def test_one_command_prints_it():
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-m", "chainrule.ops.inventory"], capture_output=True, text=True, check=True
    ).stdout
    titles, rule, *lines = shown.splitlines()
    assert titles.split() == list(inventory.COLUMNS)
    assert set(rule) == {"-"}
    assert lines[-1] == f"{len(lines) - 2} primitives"
    assert any(line.startswith("einsum") or line.startswith("contract") for line in lines)
