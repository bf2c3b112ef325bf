"""Summaries: shapes, parameters and operations without a number computed."""

import numpy as np
import pytest

from chainrule import nn
from chainrule.base.keys import Key
from chainrule.core import next_key
from tests.laws.sequence_layers import SEQUENCE_LAYERS

LAYERS = {
    "Linear": lambda: nn.Linear(4, 4),
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "Dropout": lambda: nn.Dropout(0.3),
    "Flatten": nn.Flatten,
    "Residual": lambda: nn.Residual(nn.Linear(4, 4)),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)),
    **{make.__name__: make for make in nn.ACTIVATIONS.values()},
    **SEQUENCE_LAYERS,
}
"""One of each layer, all from 4 features to 4."""


def rows(n=6, d=4, dtype=np.float64):
    return (Key(0) / "rows" / n / d).generator().standard_normal((n, d)).astype(dtype)


class Nested(nn.Module):
    """Modules as attributes, in lists, tuples and dicts, and inside of one another."""

    def __init__(self):
        self.first = nn.Linear(4, 4)
        self.blocks = [nn.Residual(nn.Linear(4, 4)), nn.BatchNorm1d(4)]
        self.heads = {"mean": nn.Linear(4, 1), "deep": [nn.Linear(4, 4), nn.Linear(4, 1)]}
        self.pair = (nn.PReLU(), nn.PReLU())
        self.scale = nn.Parameter([1.0])
        self.shifts = [nn.Parameter([0.0]), nn.Parameter([1.0])]

    def forward(self, x):
        for module in (self.first, *self.blocks, *self.pair):
            x = module(x)
        deep = self.heads["deep"][1](self.heads["deep"][0](x))
        return self.scale * (self.heads["mean"](x) + deep) + self.shifts[0] + self.shifts[1]


def test_the_lectures_network_has_235146_parameters():
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    table = nn.summary(model, (128, 784))
    assert table.n_parameters == model.n_parameters == 235_146
    assert str(table) == (
        "Sequential on (128, 784)\n"
        "layer  kind               output      parameters       FLOPs\n"
        "─────  ─────────────────  ──────────  ──────────  ──────────\n"
        "0      Linear(784 → 256)  (128, 256)     200,960  51,412,992\n"
        "1      ReLU()             (128, 256)           0      32,768\n"
        "2      Linear(256 → 128)  (128, 128)      32,896   8,404,992\n"
        "3      ReLU()             (128, 128)           0      16,384\n"
        "4      Linear(128 → 10)   (128, 10)        1,290     328,960\n"
        "235,146 parameters, 60,196,096 FLOPs forward"
    )


@pytest.mark.parametrize("name", LAYERS)
def test_a_summary_agrees_with_the_run(name):
    model = nn.Sequential(LAYERS[name](), nn.Linear(4, 3))
    before, draws = model.state_dict(), next_key().path[-1]
    table = nn.summary(model, (6, 4))
    assert model.training
    assert all(m.training for m in model.modules())
    assert all("forward" not in vars(m) for m in model.modules())
    assert all(np.array_equal(a, before[n]) for n, a in model.state_dict().items())
    assert next_key().path[-1] == draws + 1  # no random number was taken
    assert table.n_parameters == model.n_parameters
    assert table.rows[-1].shape == model.eval()(rows(dtype=np.float32)).shape
    assert str(nn.summary(model, rows(dtype=np.float32))) == str(table)


def test_a_summary_of_a_nested_model_counts_everything_once():
    model = Nested()
    model.blocks.append(model.first)
    model.unused = nn.Linear(3, 3)
    table = nn.summary(model, (2, 4))
    assert table.n_parameters == model.n_parameters
    found = {row.path: row for row in table.rows}
    assert found["unused"].shape is None
    assert found["first"].flops == 2 * (2 * 2 * 4 * 4 + 2 * 4)  # called twice
    assert found[""].parameters == 3  # its own, not those below
    assert found["blocks.0.inner"].shape == (2, 4)


def test_a_summary_of_many_inputs_and_of_huge_ones():
    class Sum(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(4, 2), nn.Linear(3, 2)

        def forward(self, x, y):
            return self.a(x) + self.b(y)

    table = nn.summary(Sum(), (10**9, 4), (10**9, 3))  # 28 GB of input that never exist
    assert table.rows[0].shape == (10**9, 2)
    assert str(table).startswith("Sum on (1000000000, 4) and (1000000000, 3)\n")
