"""Initialisers: each draws what it says, within the error that sampling has; equal seeds, equal weights."""

from math import sqrt

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import ShapeError
from chainrule.base.keys import Key
from chainrule.nn import init

KEY = Key(0) / "initialisers"
SIGMAS = 5
"""A right initialiser leaves five standard errors once in a million draws; the draws here are fixed."""

SHAPES = [(300, 200), (80, 30, 5, 5), (20, 3000)]

VARIANCES = {
    "normal": lambda n_in, n_out: 0.01**2,
    "lecun_normal": lambda n_in, n_out: 1 / n_in,
    "lecun_uniform": lambda n_in, n_out: 1 / n_in,
    "xavier_normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "xavier_uniform": lambda n_in, n_out: 2 / (n_in + n_out),
    "he_normal": lambda n_in, n_out: 2 / n_in,
    "he_uniform": lambda n_in, n_out: 2 / n_in,
    "fan_in_uniform": lambda n_in, n_out: 1 / (3 * n_in),
}
EXACT = {"zeros", "orthogonal"}
"""Tested below by what they are rather than by statistics."""


def test_every_initialiser_is_tested():
    assert init.INITIALIZERS.keys() == VARIANCES.keys() | EXACT


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", VARIANCES)
def test_mean_and_variance(name, shape):
    """The mean of n draws errs by σ/√n, the sample variance by σ² √((κ − 1)/n): κ = 3 normal, 9/5 uniform."""
    w = init.INITIALIZERS[name](shape, KEY / name).astype(float)
    variance, excess = VARIANCES[name](*init.fans(shape)), 0.8 if name.endswith("uniform") else 2.0
    assert w.shape == shape
    assert abs(w.mean()) < SIGMAS * sqrt(variance / w.size)
    assert abs(w.var() / variance - 1) < SIGMAS * sqrt(excess / w.size)
    if name.endswith("uniform"):
        assert np.abs(w).max() <= sqrt(3 * variance) * (1 + 1e-6)
        assert np.abs(w).max() > sqrt(3 * variance) * (1 - 1e-3)
    else:
        assert abs((w**4).mean() / variance**2 - 3) < SIGMAS * sqrt(96 / w.size)  # fourth moment of the normal


def test_fans():
    assert init.fans((10, 20)) == (20, 10)
    assert init.fans((8, 4, 3, 5)) == (60, 120)
    with pytest.raises(ShapeError, match="two axes or more"):
        init.fans((3,))


def test_constants():
    assert not init.zeros((2, 3), KEY).any()
    assert (init.ones((2, 3), KEY) == 1).all()
    assert (init.constant(0.3)((2, 3), KEY) == np.float32(0.3)).all()


def test_settings_of_normal_and_uniform():
    w = init.normal(std=2.0, mean=5.0)((200, 200), KEY)
    assert abs(w.mean() - 5) < SIGMAS * 2 / 200
    assert abs(w.std() / 2 - 1) < SIGMAS / 200
    w = init.uniform(1.0, 3.0)((200, 200), KEY)
    assert 1 <= w.min() < 1.01
    assert 2.99 < w.max() <= 3


@pytest.mark.parametrize("shape", [(30, 30), (50, 20), (20, 50), (16, 4, 3, 3), (4, 16, 3, 3), (1, 7)])
def test_orthogonal(shape):
    """W Wᵀ = g² 1 on the smaller side."""
    w = init.orthogonal(gain=1.5)(shape, KEY).astype(float).reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 1.5**2 * np.eye(len(gram)), atol=1e-5)  # float32 rounds the weights


def test_orthogonal_is_uniform_over_the_group():
    """Both determinants come equally often, and no entry has a sign that it prefers."""
    draws = np.array([init.orthogonal()((3, 3), KEY / i) for i in range(2000)])
    assert abs(np.sign(np.linalg.det(draws)).mean()) < SIGMAS / sqrt(2000)
    assert np.abs(draws.mean(0)).max() < SIGMAS / sqrt(3 * 2000)


@pytest.mark.parametrize("name", init.INITIALIZERS)
def test_dtype_and_reproducibility(name):
    make = init.INITIALIZERS[name]
    assert make((4, 3), KEY).dtype == np.float32
    np.testing.assert_array_equal(make((4, 3), KEY), make((4, 3), KEY))
    if name != "zeros":
        assert not np.array_equal(make((4, 3), KEY), make((4, 3), KEY / 1))


def test_equal_seeds_give_equal_models():
    def model(seed):
        cr.seed(seed)
        return nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4, init="orthogonal")).state_dict()

    a, b, c = model(0), model(0), model(1)
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["0.weight"], c["0.weight"])
    assert not np.array_equal(a["0.bias"], c["0.bias"])


def test_layers_drawn_one_after_another_differ():
    cr.seed(0)
    a, b = nn.Linear(4, 4), nn.Linear(4, 4)
    assert not np.array_equal(a.weight.data, b.weight.data)


@pytest.mark.parametrize("start", [*init.INITIALIZERS, init.constant(0.5), init.normal(2.0)])
def test_a_layer_with_an_initialiser_starts_its_bias_at_zero(start):
    layer = nn.Linear(6, 4, init=start)
    assert layer.weight.shape == (4, 6)
    assert not layer.bias.data.any()


def test_he_keeps_the_second_moment_through_relu():
    """E[z²] stays through nine layers of width 500 (000 (11.6)); with LeCun's it halves at each."""
    for name, factor in (("he_normal", 1.0), ("lecun_normal", 0.5)):
        cr.seed(4)
        layers = [layer for _ in range(9) for layer in (nn.ReLU(), nn.Linear(500, 500, init=name))]
        first = nn.Linear(500, 500, init=name)(cr.randn(200, 500))
        last = nn.Sequential(*layers)(first)
        growth = float((last**2).mean()) / float((first**2).mean())
        assert 0.5 < growth / factor**9 < 2
