"""Draws are functions of their key, have the moments they should, and pass derivatives to their parameters."""

import numpy as np
import pytest

import chainrule as cr

KEY = cr.Key(0) / "draws"
N = 20_000
SPREAD = 5 / np.sqrt(N)
"""Five standard errors of a mean of N draws of variance 1; the draws are fixed, so the tests cannot flicker."""

DRAWS = {
    "normal": lambda key: cr.normal(0.0, 1.0, (4,), key),
    "uniform": lambda key: cr.uniform(0.0, 1.0, (4,), key),
    "bernoulli": lambda key: cr.bernoulli(0.5, (40,), key),
    "gumbel": lambda key: cr.gumbel((4,), key=key),
    "categorical": lambda key: cr.categorical(np.zeros((40, 3)), key=key),
    "gumbel_softmax": lambda key: cr.gumbel_softmax(np.zeros((4, 3)), key=key),
    "noise": lambda key: cr.noise(np.zeros(4), 1.0, key),
}


@pytest.mark.parametrize("name", DRAWS)
def test_equal_keys_give_equal_draws(name):
    draw = DRAWS[name]
    np.testing.assert_array_equal(draw(KEY), draw(KEY))
    assert (np.asarray(draw(KEY)) != np.asarray(draw(KEY / 1))).any()


@pytest.mark.parametrize("name", DRAWS)
def test_without_a_key_the_stream_gives_the_next_one(name):
    cr.seed(3)
    first, second = DRAWS[name](None), DRAWS[name](None)
    assert (np.asarray(first) != np.asarray(second)).any()
    cr.seed(3)
    np.testing.assert_array_equal(DRAWS[name](None), first)


def test_moments():
    for draw, mean, variance in (
        (cr.normal(3.0, 2.0, (N,), KEY), 3, 4),
        (cr.uniform(1.0, 3.0, (N,), KEY), 2, 4 / 12),
        (cr.bernoulli(0.3, (N,), KEY), 0.3, 0.21),
        (cr.gumbel((N,), key=KEY), np.euler_gamma, np.pi**2 / 6),
        (cr.noise(np.full(N, 3.0), 0.5, KEY), 3, 0.25),
    ):
        assert abs(float(draw.mean()) - mean) < SPREAD * np.sqrt(variance)
        assert abs(float(draw.var()) / variance - 1) < 4 * SPREAD


def test_frequencies_of_a_categorical_draw():
    p = np.array([0.5, 0.3, 0.2, 0.0])
    with np.errstate(divide="ignore"):
        logits = np.log(p)
    draws = np.asarray(cr.categorical(np.broadcast_to(logits, (N, 4)), key=KEY))
    assert draws.dtype.kind == "i"
    np.testing.assert_allclose(np.bincount(draws, minlength=4) / N, p, atol=SPREAD)
    assert cr.categorical(np.zeros((3, 5)), axis=0, key=KEY).shape == (5,)


def test_a_reparameterised_draw_is_differentiable_in_its_parameters():
    mean, std = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    y, pull = cr.vjp(lambda m, s: cr.normal(m, s, key=KEY), mean, std)
    of_mean, of_std = pull(np.ones(2))
    np.testing.assert_array_equal(of_mean, 1)
    np.testing.assert_allclose(y, mean + std * of_std)
    _, pull = cr.vjp(lambda a, b: cr.uniform(a, b, key=KEY), mean, mean + std)
    of_low, of_high = pull(np.ones(2))
    np.testing.assert_allclose(of_low + of_high, 1)


def test_shapes_and_dtypes():
    assert cr.normal(np.zeros((2, 1)), np.ones(3)).shape == (2, 3)
    assert cr.normal(np.zeros(2)).dtype == np.float64
    assert cr.normal(0.0, 1.0, (2,)).dtype == np.float32
    assert cr.bernoulli(np.full(3, 0.5)).dtype == np.float64
    np.testing.assert_array_equal(cr.bernoulli(np.array([0.0, 1.0])), [0, 1])


def test_a_relaxed_choice_and_its_straight_through_form():
    logits = np.random.default_rng(0).standard_normal((5, 4))
    soft = cr.gumbel_softmax(logits, 0.7, key=KEY)
    hard = np.asarray(cr.gumbel_softmax(logits, 0.7, hard=True, key=KEY))
    np.testing.assert_allclose(np.asarray(soft).sum(-1), 1)
    np.testing.assert_allclose(hard, np.asarray(soft) == np.asarray(soft).max(-1, keepdims=True), atol=1e-15)
    weights = np.arange(4.0)
    slopes = [
        cr.grad(lambda z, hard=hard: cr.sum(cr.gumbel_softmax(z, 0.7, hard=hard, key=KEY) * weights))(logits)
        for hard in (False, True)
    ]
    np.testing.assert_allclose(*slopes)
    nearly = np.asarray(cr.gumbel_softmax(logits, 0.001, key=KEY))
    np.testing.assert_allclose(nearly, hard, atol=1e-6)


def test_straight_through():
    x = np.array([0.2, 0.7])
    f = lambda v: cr.sum(cr.straight_through(cr.round(v), v) * np.array([1.0, 3.0]))  # noqa: E731
    value, slope = cr.value_and_grad(f)(x)
    assert value == 3
    np.testing.assert_array_equal(slope, [1, 3])


def test_inside_a_model_of_many_examples():
    x = np.arange(3.0)
    y = cr.vmap(lambda v: cr.noise(v, 1.0, KEY))(x)
    np.testing.assert_allclose(np.asarray(y) - x, np.asarray(y)[0])  # the same draw for all, as vmap says


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cr.bernoulli(np.array([0.5, 1.5])), "A probability is between 0 and 1.\n  p       from 0.5 to 1.5"),
        (lambda: cr.gumbel_softmax(np.zeros(3), 0), "The temperature is above 0, not 0."),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.ChainruleError) as caught:
        call()
    assert str(caught.value) == text
