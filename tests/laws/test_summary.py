"""Summaries: shapes, parameters and operations without a number computed."""

import numpy as np
import pytest

import chainrule as cr
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
        "layer  kind               output      parameters       FLOPs    backward     kept\n"
        "─────  ─────────────────  ──────────  ──────────  ──────────  ──────────  ───────\n"
        "0      Linear(784 → 256)  (128, 256)     200,960  51,412,992  51,412,736      0 B\n"
        "1      ReLU()             (128, 256)           0      32,768      65,536   131 kB\n"
        "2      Linear(256 → 128)  (128, 128)      32,896   8,404,992  16,793,472      0 B\n"
        "3      ReLU()             (128, 128)           0      16,384      32,768  65.5 kB\n"
        "4      Linear(128 → 10)   (128, 10)        1,290     328,960     656,630      0 B\n"
        "235,146 parameters, 60,196,096 FLOPs forward, 68,961,142 backward, 197 kB kept in between"
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


# --- FLOPs forward and backward, and what is kept, by hand --------------------------------------------


def test_a_perceptron_by_hand():
    """Products of 2nml operations; a bias is added once an entry, its gradient a sum; tanh' = 1 − y² takes three."""
    n = 4
    first, act, last = nn.summary(nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)), (n, 5)).rows
    assert (first.flops, first.backward) == (2 * n * 5 * 7 + n * 7, 2 * n * 5 * 7 + (n - 1) * 7)
    assert (act.flops, act.backward) == (n * 7, 3 * n * 7)
    assert (last.flops, last.backward) == (2 * n * 7 * 3 + n * 3, 2 * (2 * n * 7 * 3) + (n - 1) * 3)
    assert (first.activations, act.activations, last.activations) == (0, n * 7 * 4, 0)  # y of tanh, float32


def test_a_convolution_by_hand():
    """An output entry takes 2 · channels · window operations; the first layer has a gradient of its weights only."""
    n, side = 2, 6  # 8 − 3 + 1
    first, last = nn.summary(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 4, 3)), (n, 2, 8, 8)).rows
    y, product = n * 3 * side * side, 2 * n * 3 * side * side * 2 * 9
    assert (first.flops, first.backward) == (product + y, product + y - 3)
    assert first.activations == y * 4  # the input of the next
    y, product = n * 4 * 4 * 4, 2 * n * 4 * 4 * 4 * 3 * 9
    weights, inputs = product, 2 * n * 3 * side * side * 4 * 9  # every entry of x̄ gathers a full window
    assert last.flops == product + y
    assert last.backward in (weights + inputs + y - 4, 2 * product + y - 4)
    assert last.activations == 0


def test_an_lstm_by_hand():
    """Four gates; kept are states, cells and gates of every step, for x and the weights are there anyway."""
    n, t, d, h = 3, 6, 5, 7
    (row,) = nn.summary(nn.LSTM(d, h, batch_first=True), (n, t, d)).rows
    of_inputs, of_states = 2 * n * t * 4 * h * d, 2 * n * t * 4 * h * h
    assert row.flops == of_inputs + of_states + 4 * h  # and the two biases added
    assert of_inputs + 2 * of_states <= row.backward <= of_inputs + 2 * of_states + n * t * h + 4 * h
    assert row.activations == 4 * (n * t * (h + h + 4 * h))


def test_attention_by_hand():
    """Projections, scores and mixtures are products; softmax and scaling a few operations a score."""
    n, t, d, heads = 3, 6, 8, 2
    x = (n, t, d)
    attention, out = nn.summary(SelfAttention(d, heads), x).rows
    entries, scores = n * t * d, n * heads * t * t
    projections, products = 2 * n * t * d * 3 * d, 2 * scores * (d // heads)
    least = projections + 3 * entries + 2 * products
    assert least <= attention.flops <= least + 10 * scores
    least = projections + 3 * (n * t - 1) * d + 4 * products
    assert least <= attention.backward <= least + 10 * scores
    assert (out.flops, out.backward) == (2 * entries * d + entries, 2 * (2 * entries * d) + (n * t - 1) * d)
    assert attention.activations == 4 * (3 * entries + scores + entries)  # q, k, v; weights; what out_proj reads


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


PLANNED = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 10)), (8, 20)),
    "cnn": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)),
            (4, 2, 8, 8)),
    "lstm": (lambda: nn.Sequential(nn.Linear(4, 5), nn.LSTM(5, 7, batch_first=True)), (3, 6, 4)),
    "transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), (3, 6, 8)),
}  # fmt: skip
"""Models and the shapes of their inputs."""


@pytest.mark.parametrize("name", PLANNED)
def test_a_summary_agrees_with_the_plan(name):
    make, shape = PLANNED[name]
    model = make().eval()

    def step(x):
        y = model(x)
        y = y[0] if isinstance(y, tuple) else y
        loss = (y * y).sum()
        loss.backward()
        return loss

    plan = cr.compile(step)
    plan(np.ones(shape, np.float32))
    table = nn.summary(model, shape)
    result = model(np.ones(shape, np.float32))
    y = (result[0] if isinstance(result, tuple) else result).size
    of_loss = 5 * y  # y y and its sum, and backward two products and their sum
    assert 0 <= plan.memory().bytes("activation") - table.activations <= 4 * y  # the loss keeps y
    assert table.flops + table.backward == pytest.approx(plan.cost().flops - of_loss, abs=2 * y)


def test_recomputing_costs_operations_and_saves_memory():
    class Blocks(nn.Module):
        def __init__(self, run):
            self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(4)])
            self.run = run

        def forward(self, x):
            for block in self.blocks:
                x = self.run(block, x)
            return x

    plain = nn.summary(Blocks(lambda block, x: block(x)), (5, 8))
    again = nn.summary(Blocks(lambda block, x: cr.checkpoint(block)(x)), (5, 8))
    assert again.flops == plain.flops
    assert again.backward == plain.backward + plain.flops
    assert again.activations <= plain.activations


def test_frozen_layers_have_no_backward_pass():
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    table = nn.summary(model, (3, 4))
    assert [row.backward for row in table.rows] == [0, 0, 2 * 3 * 6 * 2 + 2 * 2]
    assert table.activations == 3 * 6 * 4


def test_draws_and_changes_of_buffers_are_left_out():
    class Noisy(nn.Module):
        def __init__(self):
            self.seen = nn.Buffer(np.zeros(4, np.float32))

        def forward(self, x):
            self.seen.assign(cr.mean(x, 0))
            return x + cr.normal(0.0, 1.0, x.shape)

    model, draws = Noisy(), next_key().path[-1]
    assert nn.summary(model, (3, 4)).rows[0].shape == (3, 4)
    assert next_key().path[-1] == draws + 1
    np.testing.assert_array_equal(model.seen, 0)
