"""Recurrent layers: the fused sequence is the cell repeated; masks, directions, states, truncation, summary."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.laws.domains import DOMAINS
from tests.laws.entries import Case, results
from tests.laws.recurrent_layers import CELL_OF, CELLS, LAYERS

ROUNDING = 1e-12  # sums in another order, and σ by way of tanh
KINDS = ["rnn", "lstm", "gru", "chung_gru", "residual_rnn", "highway_rnn", "highway"]
FUSED = [*KINDS, *(f"{name}_back" for name in KINDS)]
CASES = [case for name in FUSED for case in DOMAINS[name].cases(name)]


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def same(a, b):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=ROUNDING, atol=ROUNDING)


# --- fused against composed, to order 2 -------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])
def test_a_fused_recurrence_is_its_composition(case: Case):
    args = case.draw()
    f, point = case.function(args)

    def g(*xs):
        full = list(args)
        for i, x in zip(case.active, xs, strict=True):
            full[i] = x
        return results(case.primitive.composition(*full, **case.settings))

    bars = tuple(draw(*v.shape, seed=1) for v in f(*point))
    second = tuple(draw(*p.shape, seed=2) for p in point)
    for one, other in zip(f(*point), g(*point), strict=True):
        same(one, other)
    for one, other in zip(cr.vjp(f, *point)[1](bars), cr.vjp(g, *point)[1](bars), strict=True):
        same(one, other)
    twice = [cr.vjp(lambda *x, h=h: cr.vjp(h, *x)[1](bars), *point)[1](second) for h in (f, g)]
    for one, other in zip(*twice, strict=True):
        same(one, other)


def test_one_node_holds_the_whole_sequence():
    layer = nn.LSTM(3, 4)
    y, _ = layer(draw(2, 50, 3))
    assert [node.name for node in cr.graph(y)].count("lstm") == 1
    assert len(cr.graph(y)) < 15
    node = next(n for n in cr.graph(y) if n.name == "lstm")
    assert node.shape == ((2, 50, 4), (2, 50, 4), (2, 50, 16))  # states, cells, gates: there to be seen


# --- layers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_cell_repeated(name):
    layer = LAYERS[name]().astype("float64")
    cell = CELLS[CELL_OF[name]]().astype("float64")
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = draw(2, 5, 3)
    y, last = layer(x)
    looped, end = nn.Recurrent(cell)(x)
    same(y, looped)
    for a, b in zip(results(last), results(end), strict=True):
        same(a[0], b)


@pytest.mark.parametrize("name", LAYERS)
def test_a_mask_is_the_shorter_sequence(name):
    layer = LAYERS[name](num_layers=2, bidirectional=True).astype("float64")
    x, lengths = draw(3, 6, 3), [6, 2, 4]
    y, last = layer(x, lengths=np.array(lengths))
    masked, _ = layer(x, mask=np.arange(6) < np.array(lengths)[:, None])
    same(y, masked)
    for k, length in enumerate(lengths):
        alone, end = layer(x[k, :length])
        same(y[k, :length], alone)
        assert not np.asarray(y)[k, length:].any()
        for a, b in zip(results(last), results(end), strict=True):
            same(a[:, k], b)


@pytest.mark.parametrize("name", LAYERS)
def test_what_lies_behind_the_end_gets_no_gradient(name):
    layer = LAYERS[name](bidirectional=True).astype("float64")
    x = cr.tensor(draw(2, 5, 3), requires_grad=True)
    y, last = layer(x, lengths=[5, 2])
    (y.sum() + sum(v.sum() for v in results(last))).backward()
    assert not x.grad.data[1, 2:].any()
    assert x.grad.data[1, :2].all()


@pytest.mark.parametrize("name", LAYERS)
def test_sequence_first_is_the_same_turned(name):
    layer = LAYERS[name]().astype("float64")
    turned = LAYERS[name](batch_first=False).astype("float64")
    turned.load_state_dict(layer.state_dict())
    x = draw(2, 5, 3)
    same(turned(x.swapaxes(0, 1))[0], np.asarray(layer(x)[0]).swapaxes(0, 1))


@pytest.mark.parametrize("name", LAYERS)
def test_pieces_with_the_state_handed_on_are_the_whole(name):
    layer = LAYERS[name](num_layers=2).astype("float64")
    x = draw(2, 6, 3)
    y, _ = layer(x)
    first, state = layer(x[:, :4])
    second, _ = layer(x[:, 4:], state)
    same(y, cr.concatenate([first, second], 1))


def test_truncation_by_pieces_is_truncation_by_scan():
    """The gradient of pieces with detached states, summed, is that of `Recurrent(truncate=k)`."""
    layer = nn.RNN(3, 4).astype("float64")
    cell = nn.RNNCell(3, 4).astype("float64")
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, state = draw(2, 6, 3), None
    for start in (0, 2, 4):
        y, state = layer(x[:, start : start + 2], None if state is None else state.detach())
        (y * y).sum().backward()
    y, _ = nn.Recurrent(cell, truncate=2)(x)
    (y * y).sum().backward()
    for name, p in cell.named_parameters():
        same(p.grad, dict(layer.named_parameters())[f"{name}_l0"].grad)


@pytest.mark.parametrize("checkpoint", [True, 2])
def test_recurrent_with_segments_has_the_same_gradients(checkpoint):
    x = draw(2, 6, 3)
    for make in CELLS.values():
        cell = make().astype("float64")
        grads = []
        for option in (False, checkpoint):
            cell.zero_grad()
            nn.Recurrent(cell, checkpoint=option)(x)[0].sum().backward()
            grads.append([p.grad.data.copy() for p in cell.parameters()])
        for a, b in zip(*grads, strict=True):
            same(a, b)


@pytest.mark.parametrize("name", LAYERS)
def test_learned_states_learn(name):
    layer = LAYERS[name](learned_state=True, bidirectional=True).astype("float64")
    y, last = layer(draw(2, 5, 3))
    (y * y).sum().backward()
    starts = [p for n, p in layer.named_parameters() if n in ("h0", "c0")]
    assert len(starts) == len(results(last))
    assert all(p.shape == (2, 4) and p.grad.data.all() for p in starts)
    given = tuple(np.broadcast_to(p.data[:, None], (2, 2, 4)) for p in starts)
    same(layer(draw(2, 5, 3), given if len(given) > 1 else given[0])[0], y)


@pytest.mark.parametrize("name", LAYERS)
def test_dropout_is_between_layers_and_in_training_only(name):
    x = draw(2, 5, 3).astype(np.float32)
    one, two = LAYERS[name](dropout=0.5), LAYERS[name](num_layers=2, dropout=0.5)
    np.testing.assert_array_equal(one(x)[0], one(x)[0])
    assert (np.asarray(two(x)[0]) != np.asarray(two(x)[0])).any()
    two.eval()
    np.testing.assert_array_equal(two(x)[0], two(x)[0])


def test_the_forget_gate_starts_open():
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, forget_bias=1.0)
    for end in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        both = getattr(layer, f"bias_ih{end}").data + getattr(layer, f"bias_hh{end}").data
        np.testing.assert_array_equal(both[4:8], 1.0)
        assert (both[:4] != 1.0).all()
    np.testing.assert_array_equal(nn.LSTMCell(3, 4, forget_bias=2.0).bias.data[4:8], 2.0)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_example_by_example(name, bias):
    layer = LAYERS[name](bias=bias).astype("float64")
    x = draw(3, 4, 3)
    w = {n: p.data for n, p in layer.named_parameters()}

    def loss(w, sequence):
        return cr.sum(cr.sin(nn.functional_call(layer, w, sequence.reshape(1, 4, 3))[0]))

    each = cr.vmap(cr.grad(loss), in_axes=(None, 0))(w, x)
    for k in range(3):
        alone = cr.grad(loss)(w, cr.tensor(x[k]))
        for n in w:
            same(each[n][k], alone[n])


def test_a_checkpointed_layer_has_the_same_gradients():
    layer = nn.GRU(3, 4, num_layers=2).astype("float64")
    x, grads = draw(2, 5, 3), []
    for call in (layer, cr.checkpoint(layer)):
        layer.zero_grad()
        call(cr.tensor(x))[0].sum().backward()
        grads.append([p.grad.data.copy() for p in layer.parameters()])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("make", "parameters", "flops"),
    [
        (lambda: nn.RNN(100, 64), 64 * 100 + 64 * 64 + 2 * 64, 2 * 6 * (64 * 100 + 64 * 64) + 64),
        (lambda: nn.LSTM(100, 64), 4 * (64 * 100 + 64 * 64 + 2 * 64), 2 * 6 * 4 * (64 * 100 + 64 * 64) + 256),
    ],
)
def test_summary_from_shapes_alone(make, parameters, flops):
    summary = nn.summary(make(), (2, 3, 100))
    assert summary.n_parameters == parameters
    assert summary.flops == flops
    assert summary.rows[0].shape[0] == (2, 3, 64)


def test_highway_carries_its_input_through():
    layer = nn.Highway(3, gate_bias=-50.0)
    x = draw(2, 3).astype(np.float32)
    np.testing.assert_allclose(layer(x), x, atol=1e-6)  # σ(−50) is 2e-22
    assert cr.check_gradients(nn.Highway(3, "tanh").astype("float64"), draw(2, 3))


def test_one_node_holds_the_highway_layer():
    y = nn.Highway(3)(cr.tensor(draw(2, 4, 3).astype(np.float32), requires_grad=True))
    assert [node.name for node in cr.graph(y) if node.name != "leaf"] == ["reshape", "highway", "reshape"]
    node = next(n for n in cr.graph(y) if n.name == "highway")
    assert node.shape == ((8, 3),) * 3  # result, transform, gate: there to be seen


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_a_highway_layer_is_made_of_a_gate_and_a_transform(nonlinearity):
    layer = nn.Highway(3, nonlinearity).astype("float64")
    x, p = draw(2, 5, 3), layer.state_dict()
    gate = cr.sigmoid(cr.affine(x, p["gate_weight"], p["gate_bias"]))
    new = getattr(cr, nonlinearity)(cr.affine(x, p["weight"], p["bias"]))
    same(layer(x), gate * new + (1 - gate) * x)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RNN", {"nonlinearity": "relu"}),
        ("ResidualRNN", {"nonlinearity": "relu"}),
        ("HighwayRNN", {"nonlinearity": "relu"}),
        ("HighwayRNN", {"carry": "input"}),
    ],
)
def test_every_variant_of_a_layer_is_its_cell_repeated(name, options):
    layer = getattr(nn, name)(4, 4, **options).astype("float64")
    cell = getattr(nn, CELL_OF[name])(4, 4, **options).astype("float64")
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = draw(2, 5, 4)
    same(layer(x)[0], nn.Recurrent(cell)(x)[0])


def test_a_residual_layer_starts_as_a_sum_and_reaches_far_back():
    """With Q = I the cotangent of the first state is that of the last plus what went through φ: it does not fade."""
    layer = nn.ResidualRNN(1, 3).astype("float64")
    np.testing.assert_array_equal(layer.weight_skip_l0.data, np.eye(3))
    for p in (layer.weight_ih_l0, layer.weight_hh_l0):
        p.assign(np.zeros(p.shape))
    h0 = cr.tensor(draw(1, 1, 3), requires_grad=True)
    layer(np.zeros((1, 200, 1)), h0)[1].sum().backward()
    np.testing.assert_array_equal(h0.grad.data, 1.0)


def test_the_gate_of_a_highway_starts_where_it_is_told():
    layer = nn.HighwayRNN(3, 4, num_layers=2, bidirectional=True, gate_bias=-2.0)
    for end in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        bias = getattr(layer, f"bias_ih{end}").data
        np.testing.assert_array_equal(bias[:4], -2.0)
        assert (bias[4:] != -2.0).all()
    np.testing.assert_array_equal(nn.HighwayCell(3, 4, gate_bias=-3.0).bias.data[:4], -3.0)


def test_a_residual_cell_adds_its_state():
    cell = nn.ResidualRNNCell(3, 4).astype("float64")
    x, h = draw(2, 3), draw(2, 4)
    plain = cr.tanh(x @ cell.weight_ih.data.T + cell.bias_ih.data + h @ cell.weight_hh.data.T)
    same(cell(x, h), h + plain)


def test_a_highway_cell_gates_the_state_or_the_input():
    x, h = draw(2, 4, seed=1), draw(2, 4, seed=2)
    for carry, kept in (("state", h), ("input", x)):
        cell = nn.HighwayCell(4, 4, carry=carry).astype("float64")
        z = x @ cell.weight_ih.data.T + h @ cell.weight_hh.data.T + cell.bias_ih.data
        t = 1 / (1 + np.exp(-z[:, :4]))
        same(cell(x, h), t * np.tanh(z[:, 4:]) + (1 - t) * kept)
