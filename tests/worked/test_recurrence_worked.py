"""The recurrent examples: 000 chapters 15, 16 and 21, 003 §16, 002 A.17, with their right values."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

CLAIM = 1e-6  # the digits that the inventory gives of a number in a statement

W_XH = np.array([[0.5, 0.6], [0.3, 0.4], [0.2, 0.1]])
W_HH = np.array([[0.1, 0.2, 0.3], [0.4, 0.1, 0.2], [0.2, 0.3, 0.1]])
W_HY = np.array([0.7, 0.5, 0.3])
B_H, B_Y = np.array([0.1, 0.0, 0.1]), np.array(0.05)
X = np.array([[0.5, 0.2], [0.3, 0.4], [0.2, 0.5]])


class Walk:
    """000 ch. 21 step by step: z, h and the output logit of every step, and the weights, all to be differentiated."""

    def __init__(self):
        given = {"w_xh": W_XH, "w_hh": W_HH, "w_hy": W_HY, "b_h": B_H, "b_y": B_Y}
        self.weights = {name: cr.tensor(a, requires_grad=True) for name, a in given.items()}
        w, h = self.weights, cr.tensor(np.zeros(3))
        self.z, self.h, self.logit = [], [], []
        for x in X:
            self.z.append(w["w_xh"] @ x + w["w_hh"] @ h + w["b_h"])
            h = cr.tanh(self.z[-1])
            self.h.append(h)
            self.logit.append(cr.dot(w["w_hy"], h) + w["b_y"])
        self.losses = [-cr.log_sigmoid(v) for v in self.logit]  # target 1 at every step
        self.loss = self.losses[2]

    def bar(self, *tensors):
        return [np.asarray(g) for g in cr.gradients(self.loss, list(tensors))]


@pytest.fixture(scope="module")
def walk():
    return Walk()


def slope(z):
    return cr.grad(lambda v: cr.sum(cr.tanh(v)))(z.data)


@pytest.mark.worked("000-21.2", "000-21.5", "000-21.6", "000-21.7a", "000-21.7b", "000-21.8a", "000-21.8b", "000-21.8c")
@pytest.mark.worked("000-21.9a", "000-21.9b", "000-21.9c", "000-21.10")
def test_forward_through_three_steps(walk, worked):
    for t, (z, h, y) in enumerate(
        [
            ("000-21.5", "000-21.6", "000-21.7b"),
            ("000-21.8a", "000-21.8b", "000-21.8c"),
            ("000-21.9a", "000-21.9b", "000-21.9c"),
        ]
    ):
        worked(z).check(walk.z[t].data)
        worked(h).check(walk.h[t].data)
        worked(y).check(cr.sigmoid(walk.logit[t]).data)
    worked("000-21.7a").check(walk.logit[0].data)
    worked("000-21.10").check(walk.loss.data)


def layer():
    rnn = nn.RNN(2, 3).astype("float64")
    weights = {"weight_ih_l0": W_XH, "weight_hh_l0": W_HH, "bias_ih_l0": B_H, "bias_hh_l0": 0 * B_H}
    rnn.load_state_dict(weights)
    return rnn


@pytest.mark.worked("000-21.6", "000-21.8b", "000-21.9b", "000-21.17", "000-21.17b", "000-21.17x")
def test_the_fused_layer_gives_the_same_walk(worked):
    rnn = layer()
    h, _ = rnn(X[None])
    for t, row in enumerate(["000-21.6", "000-21.8b", "000-21.9b"]):
        worked(row).check(h.data[0, t])
    (-cr.log_sigmoid(cr.dot(cr.tensor(W_HY), h[0, 2]) + B_Y)).backward()
    worked("000-21.17").check(rnn.weight_hh_l0.grad.data)
    worked("000-21.17x").check(rnn.weight_ih_l0.grad.data)
    worked("000-21.17b").check(rnn.bias_ih_l0.grad.data)


@pytest.mark.worked(
    "000-21.11", "000-21.13a", "000-21.13b", "000-21.13c", "000-21.15a", "000-21.15b", "000-21.15c", "000-21.16"
)
def test_deltas_backwards_through_time(walk, worked):
    delta_y, h3, h2 = walk.bar(walk.logit[2], walk.h[2], walk.h[1])
    z1, z2, z3 = walk.bar(*walk.z)
    worked("000-21.11").check(delta_y)
    worked("000-21.13a").check(h3)
    worked("000-21.13b").check(slope(walk.z[2]))
    worked("000-21.13c").check(z3)
    worked("000-21.15a").check(h2)
    worked("000-21.15b").check(slope(walk.z[1]))
    worked("000-21.15c").check(z2)
    worked("000-21.16").check(z1)


@pytest.mark.worked("000-21.17", "000-21.17x", "000-21.17y", "000-21.17b", "000-21.17u")
def test_gradients_of_the_shared_weights(walk, worked):
    w = walk.weights
    w_hh, w_xh, w_hy, b_y, b_h = walk.bar(w["w_hh"], w["w_xh"], w["w_hy"], w["b_y"], w["b_h"])
    worked("000-21.17").check(w_hh)
    worked("000-21.17x").check(w_xh)
    worked("000-21.17y").check(np.append(w_hy, b_y))
    worked("000-21.17b").check(b_h)
    p = nn.Parameter(W_HH)
    p.grad = w_hh
    cr.optim.SGD([p], lr=0.1).step()
    worked("000-21.17u").check(p.data)


@pytest.mark.worked("000-15.18")
def test_a_target_at_every_step(walk, worked):
    total = sum(walk.losses, cr.tensor(np.zeros(())))
    w_hh = np.asarray(cr.gradients(total, walk.weights["w_hh"]))
    worked("000-15.18").check(np.append(total.data, w_hh))


# --- chapter 15: what products of Jacobians do ------------------------------------------------------


def slope_over_steps(factor, steps=100):
    """The derivative of the last state of h ← factor · h by the first."""
    return cr.grad(lambda h: cr.scan(lambda h, _: (factor * h, None), h, length=steps)[0])(np.array(1.0))


@pytest.mark.worked("000-15.Q2", "000-15.Q6", "000-15.Q6b", "000-16.2")
def test_a_hundred_steps(worked):
    worked("000-15.Q2").check(slope_over_steps(0.5))
    worked("000-15.Q6").check(slope_over_steps(1.1))
    worked("000-15.Q6b").check(slope_over_steps(0.9))
    worked("000-16.2").check(slope_over_steps(0.9))


@pytest.mark.worked("000-15.tanh")
def test_the_largest_slope_of_tanh(worked):
    z = np.linspace(-3, 3, 601)
    worked("000-15.tanh").check(cr.grad(lambda v: cr.sum(cr.tanh(v)))(z).max())


@pytest.mark.worked("000-15.28")
def test_a_spectral_radius_below_one_does_not_bound_the_norms():
    w = np.array([[0.5, 10.0], [0.0, 0.5]])
    five = cr.jacobian(lambda h: cr.scan(lambda h, _: (w @ h, None), h, length=5)[0])(np.zeros(2))
    assert max(abs(np.linalg.eigvals(w))) == 0.5
    assert np.linalg.norm(w, 2) == pytest.approx(10.024938, rel=CLAIM)
    assert np.linalg.norm(five, 2) == pytest.approx(3.125312, rel=CLAIM)
    assert np.linalg.norm(w, 2) ** 5 == pytest.approx(1.013e5, rel=1e-3)
    far = cr.jacobian(lambda h: cr.scan(lambda h, _: (w @ h, None), h, length=60)[0])(np.zeros(2))
    assert np.linalg.norm(far, 2) < 1e-12  # it does vanish in the end


@pytest.mark.worked("000-15.Q3a", "000-15.Q3b")
def test_the_memory_of_the_states(worked):
    for row, n in (("000-15.Q3a", 1), ("000-15.Q3b", 32)):
        shapes = ((n, 1000, 8), (n, 512), (512, 8), (512, 512), (512,))
        specs = [cr.Spec(shape, np.dtype(np.float32)) for shape in shapes]
        states = cr.PRIMITIVES["rnn"].spec(*specs, nonlinearity="tanh", reverse=False)
        worked(row).check(np.float64(states.nbytes / 1e6))


@pytest.mark.worked("000-15.Q5")
def test_one_exploded_gradient_and_the_clipped_one(worked):
    updates = []
    for clipped in (False, True):
        p = nn.Parameter(np.zeros(1))
        p.grad = np.array([1e8])
        if clipped:
            cr.optim.clip_grad_norm([p], 1.0)
        cr.optim.SGD([p], lr=0.001).step()
        updates.append(-float(p.data[0]))
    worked("000-15.Q5").check(np.array(updates))


@pytest.mark.worked("000-18.Q15")
def test_the_path_from_position_1_to_100(worked):
    x = cr.tensor(np.ones((1, 100, 1)), requires_grad=True)
    y, _ = nn.Recurrent(nn.RNNCell(1, 1).astype("float64"))(x)
    states = [node for node in cr.graph(y) if node.name == "tanh"]
    worked("000-18.Q15").check(np.array(len(states) - 1))


# --- chapter 16 and 21.2: the LSTM ------------------------------------------------------------------

XS = np.array([[0.5, 0.2], [0.3, 0.4]])
EYE = 0.1 * np.eye(2)
W = np.concatenate([EYE] * 4)
B = np.array([0, 0, 1, 1, 0, 0, 0, 0], float)  # i, f, g, o: the forget gate's bias is 1


@pytest.mark.worked("000-21.LSTM")
def test_two_steps_of_an_lstm(worked):
    h = c = np.zeros((1, 2))
    rows = []
    for x in XS:
        h, c = cr.lstm_cell(x[None], h, c, W, W, B)
        rows += [c[0], h[0]]
    worked("000-21.LSTM").check(np.array(rows))
    zero = np.zeros((1, 2))
    ys, (last, cell) = cr.lstm(XS[None], (zero, zero), W, W, B)
    worked("000-21.LSTM").check(np.array([rows[0], ys[0, 0], cell[0], last[0]]))


class TwoSteps:
    """The instance of 000 §21.2 with everything on the way at hand."""

    def __init__(self):
        self.b = cr.tensor(B, requires_grad=True)
        zero = cr.tensor(np.zeros((1, 2)))
        self.h1, self.c1 = cr.lstm_cell(XS[:1], zero, zero, W, W, self.b)
        self.h2, self.c2 = cr.lstm_cell(XS[1:], self.h1, self.c1, W, W, self.b)
        self.loss = self.h2.sum()

    def bars(self, *tensors):
        return [np.asarray(g) for g in cr.gradients(self.loss, list(tensors))]


@pytest.mark.worked("000-21.LSTMg", "000-21.18")
def test_the_gradient_of_the_memory(worked):
    steps = TwoSteps()
    c2, c1, h1, b = steps.bars(steps.c2, steps.c1, steps.h1, steps.b)
    worked("000-21.LSTMg").check(np.array([c2[0], c1[0], b[2:4], b[4:6]]))
    zero = np.zeros((1, 2))
    _, _, gates = cr.PRIMITIVES["lstm"](XS[None], zero, zero, W, W, B, reverse=False)
    o1, f2, squashed = gates[0, 0, 6:], gates[0, 1, 2:4], np.tanh(steps.c1.data[0])
    recursion = h1[0] * o1 * (1 - squashed**2) + c2[0] * f2  # h1 is the TOTAL derivative
    np.testing.assert_allclose(c1[0], recursion, rtol=1e-12)


@pytest.mark.worked("000-16.4")
def test_the_forget_gate_is_the_direct_path_only():
    steps = TwoSteps()
    c1, h1 = steps.c1.data, steps.h1.data
    o1 = h1 / np.tanh(c1)

    def direct(c):
        return cr.lstm_cell(XS[1:], h1, c, W, W, B)[1]

    def total(c):
        return cr.lstm_cell(XS[1:], o1 * cr.tanh(c), c, W, W, B)[1]

    f2 = 1 / (1 + np.exp(-(0.1 * XS[1] + 0.1 * h1[0] + 1)))
    np.testing.assert_allclose(cr.jacobian(direct)(c1).reshape(2, 2), np.diag(f2), rtol=1e-12)
    through_h = cr.jacobian(total)(c1).reshape(2, 2) - np.diag(f2)
    assert (np.diag(through_h) > 0.02).all()  # the path through h(t−1) into all four gates


def forget_gate(bias):
    layer = nn.LSTM(2, 1, forget_bias=bias).astype("float64")
    zero = np.zeros((1, 1))
    b = layer.bias_ih_l0.data + layer.bias_hh_l0.data
    weights = layer.weight_ih_l0.data, layer.weight_hh_l0.data
    return cr.PRIMITIVES["lstm"](np.zeros((1, 1, 2)), zero, zero, *weights, b, reverse=False)[2][0, 0, 1]


@pytest.mark.worked("000-16.12", "000-16.12b")
def test_the_forget_gate_at_the_start(worked):
    worked("000-16.12").check(forget_gate(1.0))
    worked("000-16.12b").check(forget_gate(0.0))


@pytest.mark.worked("000-16.Q7")
def test_the_gradient_factor_is_the_product_of_the_gates(worked):
    f = np.array([0.9, 0.8, 0.7])
    x = np.log(f / (1 - f)).reshape(1, 3, 1)
    w, u, zero = np.array([[0.0], [1.0], [0.0], [0.0]]), np.zeros((4, 1)), np.zeros((1, 1))
    factor = cr.grad(lambda c: cr.sum(cr.lstm(x, (zero, c), w, u)[1][1]))(zero)
    worked("000-16.Q7").check(factor[0, 0])


# --- 003 §16, 002 A.17 ------------------------------------------------------------------------------


@pytest.mark.worked("003-16.6")
def test_two_steps_of_the_documents_gru(worked):
    weights = np.concatenate([EYE] * 3)
    y, _ = cr.chung_gru(XS[None], np.zeros((1, 2)), weights, weights)
    worked("003-16.6").check(y[0])
    other, _ = cr.gru(XS[None], np.zeros((1, 2)), weights, weights)  # PyTorch's keeps with z what this one takes
    assert np.abs(other - y).max() > 1e-3


@pytest.mark.worked("003-16.8")
def test_a_highway_cell_that_gates_with_its_input_needs_equal_sizes():
    with pytest.raises(cr.OptionError):
        nn.HighwayCell(2, 3, carry="input")
    x, h = np.ones((1, 2)), np.full((1, 2), 5.0)
    for carry, kept in (("input", x), ("state", h)):
        cell = nn.HighwayCell(2, 2, carry=carry).astype("float64")
        for p in cell.parameters():
            p.assign(np.zeros(p.shape))
        np.testing.assert_array_equal(cell(x, h), kept / 2)  # gate 1/2, candidate 0


@pytest.mark.worked("002-A.17")
def test_the_recursion_starts_at_step_1_from_a_given_state():
    rnn = layer()
    h0 = np.full((1, 1, 3), 0.3)
    states, last = rnn(X[None], h0)
    assert states.shape == (1, 3, 3)  # h₁, h₂, h₃; h₀ is not among them
    np.testing.assert_allclose(states.data[0, 0], np.tanh(W_XH @ X[0] + W_HH @ h0[0, 0] + B_H), rtol=1e-12)
    np.testing.assert_array_equal(states.data[:, -1], last.data[0])
