"""The table of primitives names them all, and has no empty cell."""

import subprocess
import sys

import chainrule as cr
from chainrule.ops import inventory
from tests.laws import laws


def test_no_cell_is_empty():
    rows = list(inventory.rows())
    assert all(all(row) and len(row) == len(inventory.COLUMNS) for row in rows)
    assert {row[0] for row in rows} == set(cr.PRIMITIVES)


def test_the_laws_of_the_table_are_those_that_the_suite_asks_for():
    """To write the file anew: python -m tests.laws.laws."""
    assert inventory.LAWS_FILE.read_text(encoding="utf-8") == laws.written()
    for name, *_, told in inventory.rows():
        asked = {law for law, _, primitive in laws.cells() if primitive == name}
        assert set(told.split()) == asked


def test_the_legend_gives_a_reason_for_all_that_is_not_asked():
    shown = inventory.legend()
    for law in laws.LAWS.values():
        assert law.name in shown
        assert all(reason in shown for reason in (*law.reasons, *law.excused.values()))


def test_one_command_prints_it():
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-m", "chainrule.ops.inventory"], capture_output=True, text=True, check=True
    ).stdout
    shown, _, told = shown.partition("primitives\n\n")
    titles, rule, *lines = f"{shown}primitives".splitlines()
    assert told == f"{inventory.legend()}\n"
    assert titles.split() == list(inventory.COLUMNS)
    assert set(rule) == {"-"}
    assert lines[-1] == f"{len(lines) - 2} primitives"
    assert any(line.startswith("einsum") or line.startswith("contract") for line in lines)
