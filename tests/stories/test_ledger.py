"""A ledger in the terminal, as arrays and as a frame."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass.ledgers.table import LONGEST


def chain():
    """1-1-1 with a sigmoid, half the squared error: 004 §2.4.4, Example 9."""
    model = nn.Sequential(fc1=nn.Linear(1, 1), act1=nn.Sigmoid(), fc2=nn.Linear(1, 1)).astype(np.float64)
    numbers = {"fc1.weight": [[0.4]], "fc1.bias": [0.3], "fc2.weight": [[0.5]], "fc2.bias": [0.1]}
    model.load_state_dict({name: np.array(value) for name, value in numbers.items()})
    return model, cr.ledger(model, [[1.0]], [[0.5]], cr.losses.half_squared, cr.optim.SGD(model, lr=0.1))


def test_the_table():
    _, book = chain()
    lines = str(book).splitlines()
    assert lines[0].split() == ["path", "kind", "quantity", "shape", "mean", "std", "min", "max"]
    assert lines[1].split() == ["fc1", "Linear", "z", "1", "×", "1", "0.7", "0", "0.7", "0.7"]
    assert lines[3].split() == ["a", "1", "×", "1", "0.6682", "0", "0.6682", "0.6682"]
    assert len({line.index("×") for line in lines if "×" in line}) == 1
    assert len(lines) == 1 + sum(map(len, book.values()))
    assert repr(book) == "<Ledger of 3 layers, loss 0.00217181: fc1, act1, fc2>"


def test_the_numbers_of_the_document():
    """fc2: δ = ŷ − y = −0.0659, dL/dw = δ a = −0.044; one step at rate 0.1 (004 §2.4.4)."""
    _, book = chain()
    assert book["fc2"].delta.round(4).tolist() == [[-0.0659]]
    assert book["fc2"].dW.round(4).tolist() == [[-0.044]]
    np.testing.assert_allclose(book["fc2"]["update.weight"], -0.1 * book["fc2"].dW, rtol=1e-12)
    np.testing.assert_allclose(book["fc2"]["ratio.weight"], 0.1 * abs(book["fc2"].dW[0, 0]) / 0.5, rtol=1e-12)


def test_a_long_table_is_elided():
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(20)])
    book = cr.ledger(model, np.ones((3, 2)), np.ones((3, 2)), cr.losses.mse)
    lines = str(book).splitlines()
    total = sum(map(len, book.values()))
    assert len(lines) == LONGEST + 2
    assert f"… {total - LONGEST} rows more: ledger.frame()" in lines
    assert lines[1].startswith("0 ")
    assert lines[-1].split()[0] == "dbias"


def test_the_frame():
    pandas = pytest.importorskip("pandas")
    _, book = chain()
    frame = book.frame()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == sum(map(len, book.values()))
    row = frame[(frame["path"] == "fc1") & (frame["quantity"] == "z")].iloc[0]
    assert (row["kind"], row["shape"], round(row["mean"], 6)) == ("Linear", (1, 1), 0.7)
