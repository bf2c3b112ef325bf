"""The tests of the worked examples keep their word: every id exists, and the verdicts are true."""

import numpy as np
import pytest

TABULATED_TIMES = {"000-11.3b": 1e5}  # the factor that a row's values are tabulated with

# Orders of magnitude: "about 10^-30", "about 0", "about 14000", "almost 4x".
ABOUT = {"000-15.Q2", "000-15.Q6b", "000-15.Q6", "002-5.3a"}


def numeric(inventory, verdict):
    return [i for i, row in inventory.items() if row["kind"] == "number" and row["verdict"] == verdict]


def test_every_marked_id_exists(request, inventory):
    marks = [(item.nodeid, mark) for item in request.session.items for mark in item.iter_markers("worked")]
    assert [(test, i) for test, mark in marks for i in mark.args if i not in inventory] == []
    assert [test for test, mark in marks if not mark.args] == []


def test_what_the_inventory_calls_wrong_is_wrong(inventory, worked):
    for row in map(worked, numeric(inventory, "wrong")):
        row.refute(row.right / TABULATED_TIMES.get(row["id"], 1))


def test_what_the_inventory_calls_right_is_right(inventory, worked):
    for row in map(worked, set(numeric(inventory, "agrees")) - ABOUT):
        for (printed, half_unit), value in zip(row.printed, np.ravel(row.right), strict=True):
            assert abs(printed - value) <= half_unit * (1 + 1e-6), row["id"]


def test_a_check_refuses_what_is_printed_wrong(inventory, worked):
    for row in map(worked, numeric(inventory, "wrong")):
        printed = np.reshape([number for number, _ in row.printed], row.right.shape)
        with pytest.raises(AssertionError, match=row["id"]):
            row.check(printed, tabulated_times=TABULATED_TIMES.get(row["id"], 1))
