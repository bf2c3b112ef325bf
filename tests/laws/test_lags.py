"""Jacobians along time: steps, their products, and the gradient over the lag."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass, nn
from chainrule.glass.spectra.recurrence import Steps
from chainrule.glass.still import interposed

EXACT = 1e-12  # float64, a few dozen products
X = np.random.default_rng(0).standard_normal((3, 7, 2))
LAYERS = {
    "RNN": lambda: nn.RNN(2, 4),
    "two layers": lambda: nn.RNN(2, 4, num_layers=2, dropout=0.5),
    "LSTM": lambda: nn.LSTM(2, 4, num_layers=2),
    "GRU": lambda: nn.GRU(2, 4, learned_state=True),
    "time first": lambda: nn.GRU(2, 4, batch_first=False),
    "cell": lambda: nn.Recurrent(nn.LSTMCell(2, 4)),
    "residual": lambda: nn.Recurrent(nn.ResidualRNNCell(2, 4)),
}


def made(name):
    cr.seed(1)
    layer = LAYERS[name]()
    return layer, X.swapaxes(0, 1) if name == "time first" else X


class Last(nn.Module):
    """The last state of a layer, or the mean of all, read by a dense one; sequences come batch first."""

    def __init__(self, layer, states="last"):
        self.rnn, self.head, self.states = layer, nn.Linear(4, 2), states

    def forward(self, x):
        if getattr(self.rnn, "batch_first", True):
            y = self.rnn(x)[0]
        else:
            y = cr.transpose(self.rnn(cr.transpose(x, 1, 0, 2))[0], 1, 0, 2)
        return self.head(y[:, -1]) if self.states == "last" else cr.mean(self.head(y), axis=1)


# --- steps -----------------------------------------------------------------------------------------------


def test_the_plain_networks_step_is_its_slopes_times_its_weight():
    """000 (15.24): ∂hₜ/∂hₜ₋₁ = diag(φ'(zₜ)) W_hh."""
    layer, x = made("RNN")
    h = layer.astype("float64")(x)[0].numpy()  # (n, T, 4)
    expected = (1 - h**2)[..., None] * layer.weight_hh_l0.numpy()
    np.testing.assert_allclose(glass.step_jacobians(layer, x), expected.swapaxes(0, 1), atol=EXACT)


@pytest.mark.parametrize("name", LAYERS)
def test_products_of_steps_are_the_derivative_of_the_whole(name):
    """The last state after all steps, as the layer itself computes them, by central differences in the first."""
    layer, x = made(name)
    lags = glass.lag_jacobians(glass.step_jacobians(layer, x))
    steps = Steps(layer, x)
    layer.astype("float64").eval()
    size = lags.shape[-1]
    np.testing.assert_array_equal(lags[0], np.broadcast_to(np.eye(size), (3, size, size)))

    def last(s):
        return steps.packed(layer(x, steps.unpacked(s))[1]).numpy()

    for i, unit in enumerate(np.eye(size) * 1e-6):
        column = (last(steps.first + unit) - last(steps.first - unit)) / 2e-6
        np.testing.assert_allclose(lags[-1][:, :, i], column, atol=1e-8)


def test_the_direct_path_of_an_lstm_is_its_forget_gate_and_the_total_derivative_is_not():
    """004 §4.6.1: ∂cₜ/∂cₜ₋₁ is fₜ where hₜ₋₁ is held fixed. A step's state is (h, c), so it is here."""
    cr.seed(1)
    layer = nn.LSTM(2, 4)
    J = glass.step_jacobians(layer, X)
    direct = J[0, :, 4:, 4:]
    np.testing.assert_allclose(direct * (1 - np.eye(4)), 0, atol=EXACT)
    gates = X[:, 0] @ layer.weight_ih_l0.numpy().T + layer.bias_ih_l0.numpy() + layer.bias_hh_l0.numpy()
    f = 1 / (1 + np.exp(-gates[:, 4:8].astype(float)))
    np.testing.assert_allclose(np.diagonal(direct, axis1=1, axis2=2), f, atol=1e-6)  # biases are added in float32
    two = glass.lag_jacobians(J)[2][:, 4:, 4:]
    assert np.abs(two - J[-1, :, 4:, 4:] @ J[-2, :, 4:, 4:]).max() > 1e-4  # the way by h


def test_a_given_state():
    layer, x = made("RNN")
    h = np.full((1, 3, 4), 0.5)
    J = glass.step_jacobians(layer, x, h)
    assert not np.allclose(J[0], glass.step_jacobians(layer, x)[0])


# --- radii -----------------------------------------------------------------------------------------------


def silent(W):
    """A tanh network without input, whose states stay 0: the Jacobian of τ steps is Wᵗ exactly."""
    layer = nn.RNN(1, len(W), bias=False)
    layer.weight_hh_l0.assign(np.asarray(W))
    return layer, np.zeros((1, 6, 1))


def test_a_matrix_that_is_not_normal_grows_before_it_decays():
    """004 §4.5.4 (its note): eigenvalues ½, norms of the powers 10.0, 10.0, 7.5, and then smaller."""
    W = [[0.5, 10.0], [0.0, 0.5]]
    assert glass.spectral_radius(W) == 0.5
    norms = np.linalg.norm(glass.lag_jacobians(glass.step_jacobians(*silent(W)))[:, 0], 2, axis=(1, 2))
    np.testing.assert_allclose(norms, [np.linalg.norm(np.linalg.matrix_power(W, t), 2) for t in range(7)], rtol=1e-6)
    assert [round(float(v), 1) for v in norms[1:4]] == [10.0, 10.0, 7.5]


def test_radii_one_a_gate():
    cr.seed(0)
    layer = nn.LSTM(2, 3, num_layers=2)
    radii = glass.recurrent_radii(layer)
    assert list(radii) == ["weight_hh_l0", "weight_hh_l1"]
    W = layer.weight_hh_l1.numpy()[3:6].astype(float)
    assert radii["weight_hh_l1"][1] == pytest.approx(np.abs(np.linalg.eigvals(W)).max(), rel=1e-12)
    assert list(glass.recurrent_radii(nn.Recurrent(nn.GRUCell(2, 3)))) == ["cell.weight_hh"]


# --- the gradient over the lag ---------------------------------------------------------------------------


@pytest.mark.parametrize("states", ["last", "all"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_gradient_at_the_first_state_is_that_of_the_whole_model(name, states):
    layer, x = made(name)
    model, y = Last(layer, states), np.random.default_rng(1).standard_normal((3, 2))
    curve = glass.lag_curve(model, (X, y), half_square, "rnn")
    steps = Steps(layer, x)
    model.astype("float64").eval()

    def loss(s):
        with interposed(layer, lambda x, forward=layer.forward: forward(cr.tensor(x), steps.unpacked(s))):
            return half_square(model(X), y)

    np.testing.assert_allclose(curve.gradients[-1], cr.grad(loss)(steps.first), atol=1e-10)
    assert curve.gradients.shape == (8, 3, steps.first.shape[1])
    assert curve.norms[-1] == pytest.approx(np.linalg.norm(curve.gradients[-1]))


def half_square(z, y):
    return 0.5 * cr.sum((z - y) ** 2)


def test_of_the_last_state_alone_it_is_the_products_transposed():
    layer, x = made("GRU")
    curve = glass.lag_curve(Last(layer), (x, np.ones((3, 2))), half_square, "rnn")
    lags = glass.lag_jacobians(glass.step_jacobians(layer, x))
    expected = np.einsum("tnij,ni->tnj", lags, curve.gradients[0])
    np.testing.assert_allclose(curve.gradients, expected, atol=EXACT)


def test_the_rate_of_a_silent_network_is_its_spectral_radius_and_the_bound_holds():
    Q = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    layer, x = silent(0.8 * Q)
    curve = glass.lag_curve(Last(layer), (x, np.ones((1, 2))), half_square, "rnn")
    assert curve.rate == pytest.approx(0.8, rel=1e-6)
    assert curve.radii["weight_hh_l0"] == pytest.approx((0.8,), rel=1e-6)
    layer, x = made("RNN")
    curve = glass.lag_curve(Last(layer), (x, np.ones((3, 2))), half_square, "rnn")
    bound = np.linalg.norm(layer.weight_hh_l0.numpy(), 2) ** np.arange(8)  # 004 §4.5.4, |tanh'| ≤ 1
    assert (curve.norms <= curve.norms[0] * bound * (1 + EXACT)).all()


def test_a_layer_alone():
    layer, x = made("LSTM")
    curve = glass.lag_curve(layer, (x, np.zeros((3, 1))), lambda z, y: cr.sum(z[1][1] ** 2))  # of the last c
    lags = glass.lag_jacobians(glass.step_jacobians(layer, x))
    np.testing.assert_allclose(curve.gradients, np.einsum("tnij,ni->tnj", lags, curve.gradients[0]), atol=EXACT)
    assert not curve.gradients[0][:, :8].any() and curve.gradients[0][:, 8:].all()
