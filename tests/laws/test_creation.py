"""Tensors from numbers, and random draws as a function of the seed."""

import numpy as np
import pytest

import chainrule as cr

RNG = np.random.default_rng(0)


def test_tensors_from_numbers():
    assert cr.tensor([0.1]).dtype == np.float32
    assert cr.tensor([1]).dtype == np.int64
    assert cr.tensor([True]).dtype == np.bool_
    assert cr.tensor(np.array([0.1])).dtype == np.float64
    assert cr.tensor([0.1], dtype=np.float64).numpy()[0] == 0.1
    assert cr.tensor(cr.tensor([1.0]), dtype=np.int64).tolist() == [1]
    assert cr.tensor([cr.tensor(1.0), cr.tensor(2.0)]).tolist() == [1.0, 2.0]


def test_tensors_are_copies():
    a = np.zeros(2)
    t = cr.tensor(a)
    a[0] = 7
    assert t.tolist() == [0.0, 0.0]


def test_makers():
    assert cr.zeros(2, 3).shape == (2, 3)
    assert cr.ones(2).tolist() == [1, 1]
    assert cr.full((2,), 3.5).tolist() == [3.5, 3.5]
    assert cr.arange(3).dtype == np.int64
    assert cr.arange(0.0, 1.0, 0.5).dtype == np.float32
    assert cr.linspace(0, 1, 3).tolist() == [0, 0.5, 1]
    assert cr.eye(2).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0,)])
def test_one_hot(shape):
    labels = RNG.integers(0, 4, shape)
    rows = cr.one_hot(labels, 4)
    assert rows.shape == (*shape, 4)
    np.testing.assert_array_equal(rows, np.eye(4)[labels])
    assert isinstance(cr.one_hot(cr.tensor(labels), 4), cr.Tensor)


# --- randomness -----------------------------------------------------------------------------------

N = 40_000
FIVE_SIGMA = 5  # a right generator fails one test in two million


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p):
    cr.seed(1)
    y = cr.dropout(cr.ones(N), p).numpy()
    kept = y != 0
    assert abs(kept.mean() - (1 - p)) < FIVE_SIGMA * np.sqrt(p * (1 - p) / N)
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-6)
    assert y.dtype == np.float32


def test_dropout_of_all_or_nothing():
    x = cr.ones(5)
    assert cr.dropout(x, 0) is x
    assert cr.dropout(x, 1).tolist() == [0] * 5
    assert cr.dropout(np.array([2, 2]), 0.5).dtype == np.float32


def test_the_mask_of_dropout_is_a_constant_of_the_derivative():
    x = cr.tensor(np.full(50, 2.0), requires_grad=True)
    y = cr.dropout(x * x, 0.5)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.numpy())  # 2x · m/(1−p) = 4 · m/(1−p) at x = 2


@pytest.mark.parametrize("draw", [lambda: cr.dropout(cr.ones(100)), lambda: cr.randn(100), lambda: cr.rand(100)])
def test_draws_are_a_function_of_the_seed(draw):
    cr.seed(3)
    first, second = draw().tolist(), draw().tolist()
    cr.seed(3)
    assert (draw().tolist(), draw().tolist()) == (first, second)
    cr.seed(4)
    assert draw().tolist() != first
    assert first != second


def test_a_stream_of_its_own_leaves_the_outer_one_alone():
    from chainrule.base.keys import Key

    cr.seed(3)
    wanted = [cr.rand(3).tolist(), cr.rand(3).tolist()]
    cr.seed(3)
    first = cr.rand(3).tolist()
    with cr.random_stream(Key(9)):
        inside = cr.rand(3).tolist()
    assert [first, cr.rand(3).tolist()] == wanted
    with cr.random_stream(Key(9)):
        assert cr.rand(3).tolist() == inside


def test_distributions():
    cr.seed(0)
    normal, uniform = cr.randn(N).numpy(), cr.rand(N).numpy()
    assert abs(normal.mean()) < FIVE_SIGMA / np.sqrt(N)
    assert abs(normal.var() - 1) < FIVE_SIGMA * np.sqrt(2 / N)
    assert abs(uniform.mean() - 0.5) < FIVE_SIGMA / np.sqrt(12 * N)
    assert uniform.min() >= 0
    assert uniform.max() <= 1  # rounding to float32 may reach 1
