"""What every penalty obeys: its formula, its derivative, and which parameters it counts."""

from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule.losses import L1, L2, PENALTIES, ElasticNet, HalfL2, elastic_net, half_l2, l1, l2, weights

ROUNDING = 1e-12  # a handful of float64 operations
W = np.array([[0.5, -1.0], [2.0, 0.25]])
B = np.array([3.0, -4.0])
SETTINGS = {"l1": (0.1,), "l2": (0.1,), "half-l2": (0.1,), "elastic-net": (0.1, 0.2)}
SLOPES = {
    "l1": 0.1 * np.sign(W),
    "l2": 0.2 * W,
    "half-l2": 0.1 * W,
    "elastic-net": 0.1 * np.sign(W) + 0.4 * W,
}


def model(*parameters):
    return SimpleNamespace(parameters=lambda: iter(parameters))


def test_every_penalty_is_tested():
    assert set(SETTINGS) == set(SLOPES) == set(PENALTIES)


def test_values():
    assert l1([W, B], 0.1) == pytest.approx(0.1 * (3.75 + 7), rel=ROUNDING)
    assert l2([W, B], 0.1) == pytest.approx(0.1 * (5.3125 + 25), rel=ROUNDING)
    assert half_l2([W, B], 0.1) == pytest.approx(0.05 * (5.3125 + 25), rel=ROUNDING)
    assert elastic_net(iter([W, B]), 0.1, 0.2) == pytest.approx(0.1 * 10.75 + 0.2 * 30.3125, rel=ROUNDING)


@pytest.mark.parametrize("name", PENALTIES)
def test_derivatives(name):
    penalty = PENALTIES[name](*SETTINGS[name])
    assert cr.check_gradients(lambda w: penalty(model(w, B)), W, order=2)
    np.testing.assert_allclose(cr.grad(lambda w: penalty(model(w, B)))(W), SLOPES[name], rtol=ROUNDING)


@pytest.mark.parametrize("name", PENALTIES)
def test_weights_or_all(name):
    of_weights = PENALTIES[name](*SETTINGS[name])
    of_all = PENALTIES[name](*SETTINGS[name], of="all")
    assert of_weights(model(W, B)) == of_weights(model(W))
    assert of_all(model(W, B)) > of_weights(model(W, B))
    assert len(of_weights.latex) == 2


def test_weights_have_two_axes():
    assert weights([W, B]) == [W]


def test_l2_is_half_l2_of_twice_the_strength():
    assert L2(0.3)(model(W)) == HalfL2(0.6)(model(W))


def test_elastic_net_has_both_as_limits():
    assert ElasticNet(0.3, 0)(model(W)) == L1(0.3)(model(W))
    assert ElasticNet(0, 0.3)(model(W)) == L2(0.3)(model(W))


def test_l1_is_flat_at_zero():
    assert cr.grad(lambda w: l1([w], 1.0))(np.array([0.0])) == 0


def test_a_penalty_adds_to_a_loss():
    w = cr.tensor(W, requires_grad=True)
    (cr.sum(w) + HalfL2(0.1)(model(w))).backward()
    np.testing.assert_allclose(w.grad.data, 1 + 0.1 * W, rtol=ROUNDING)
