"""002, chapters 1 to 5: shallow and deep networks, backpropagation, input noise, the MNIST network."""

from itertools import pairwise, product

import numpy as np
import pytest

import chainrule as cr
from chainrule import data, losses, metrics
from chainrule.core import PRIMITIVES, Spec

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


@pytest.fixture(scope="module")
def mnist_network():
    """784-256-128-10, §5.1."""
    dense = cr.nn.Linear
    return cr.nn.Sequential(
        cr.nn.Flatten(), dense(784, 256), cr.nn.ReLU(), dense(256, 128), cr.nn.ReLU(), dense(128, 10)
    )


# --- §1 and §2: networks --------------------------------------------------------------------------------


@pytest.mark.worked("002-1.3")
def test_parameters_of_a_shallow_network(worked):
    """§1.3: (d + 2) M numbers without an output bias, one more with it."""
    d, M = 7, 5
    hidden = cr.nn.Linear(d, M)
    worked("002-1.3").check(cr.nn.Sequential(hidden, cr.nn.Linear(M, 1, bias=False)).n_parameters)
    assert cr.nn.Sequential(hidden, cr.nn.Linear(M, 1)).n_parameters == 45 + 1


@pytest.mark.worked("002-fn4")
def test_products_from_squares():
    """Footnote 4: x₁x₂ = ((x₁ + x₂)² − (x₁ − x₂)²)/4, a network with two squaring units."""
    x = np.random.default_rng(0).standard_normal((50, 2))
    squares = cr.square(cr.affine(x, np.array([[1.0, 1.0], [1.0, -1.0]])))
    close(squares @ np.array([0.25, -0.25]), x[:, 0] * x[:, 1])


# --- §3: backpropagation ---------------------------------------------------------------------


@pytest.mark.worked("002-3.11")
def test_backward_loop_runs_down_to_layer_0():
    """§3.11: ∇W_l for l = L, ..., 0; the co-state p_l is needed only down to l = 1."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3)
    W = [rng.standard_normal(shape) for shape in ((4, 3), (2, 4), (1, 2))]

    def layer(x, w):
        return cr.tanh(w @ x)

    def loss(W):
        h = x
        for w in W:
            h = layer(h, w)
        return cr.sum(h**2)

    pulls, h = [], x
    for w in W:
        h, pull = cr.vjp(layer, h, w)
        pulls.append(pull)
    p, gradients = 2 * h, {}
    for l in reversed(range(3)):
        p, gradients[l] = pulls[l](p)
    wanted = cr.grad(loss)(W)
    for l in range(3):
        close(gradients[l], wanted[l])
    assert abs(wanted[0]).max() > 0.01  # the gradient that a loop down to l = 1 leaves out


@pytest.mark.worked("002-3.13")
def test_cost_of_the_backward_pass(worked):
    """§3.13: multiplications backward over forward for 784-256-128-10, between 1 and 2."""
    sizes = [784, 256, 128, 10]
    weights = [cr.tensor(np.ones(shape)).requires_grad_() for shape in pairwise(sizes)]
    h = cr.tensor(np.ones((1, 784)))
    for w in weights:
        h = cr.relu(h @ w)
    forward = multiplications(cr.graph(h))
    gradients = cr.gradients(cr.sum(h), weights, create_graph=True)
    worked("002-3.13").check((multiplications(cr.graph(h, *gradients)) - forward) / forward)


def multiplications(graph):
    """Those of the matrix products; each multiplication comes with an addition."""
    return sum(node.primitive.flops(*node.args) / 2 for node in graph if node.name == "matmul")


# --- §4: regularisation ---------------------------------------------------------------------------------

H, W, TARGET = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.5, -0.25]), 0.3  # as in exercise 5


@pytest.mark.worked("002-4.1")
def test_input_noise_is_ridge_for_linear_models(worked):
    """§4.1: E(w·(h + ε) − y*)² = (w·h − y*)² + σ²‖w‖², over the 8 sign patterns of ε = ±σ = ±0.3."""
    noisy = H + 0.3 * np.array(list(product([-1, 1], repeat=3)))
    worked("002-4.1").check(losses.mse(noisy @ W, np.full(8, TARGET)))
    ridge = losses.sse((H @ W)[None], np.array([TARGET])) + losses.l2([W], 0.3**2)
    worked("002-4.1").check(ridge)


# --- §5: MNIST ------------------------------------------------------------------------------------------


@pytest.mark.worked("002-5.1a", "002-5.1", "002-5.3a")
def test_size_of_the_mnist_network(worked, mnist_network):
    """§5.1: 28 × 28 inputs; 200,960 + 32,896 + 1,290 parameters, almost 4 for each training image."""
    image = cr.zeros(1, 28, 28)
    worked("002-5.1a").check(mnist_network[0](image).size)
    assert mnist_network(image).shape == (1, 10)
    assert [layer.n_parameters for layer in mnist_network[1::2]] == [200_960, 32_896, 1_290]
    worked("002-5.1").check(mnist_network.n_parameters)
    worked("002-5.3a").check(mnist_network.n_parameters / 60_000)


@pytest.mark.worked("002-5.2")
def test_updates_per_epoch(worked):
    """§5.2: 60,000 samples in batches of 128 are 469 updates, the last of 96; 468 without the rest."""
    samples = np.zeros((60_000, 1), np.uint8)
    loader = data.Loader(samples, samples[:, 0], batch_size=128)
    worked("002-5.2").check(len(loader))
    assert len(next(loader.epoch(0, start=468))[0]) == 96
    assert len(data.Loader(samples, samples[:, 0], batch_size=128, drop_last=True)) == 468


@pytest.mark.worked("002-5.3b", "002-5.3c")
def test_error_rates_as_mistakes(worked):
    """§5.3: 0.2 % of 10,000 test images are 20; the table's 2.3, 1.8, 7.2 and 12.7 % as mistakes."""
    truth = np.arange(10_000) % 10

    def mistakes(percent):
        """The number of wrong predictions that has this error rate."""
        errors = round(percent * 100)
        predictions = np.where(np.arange(10_000) < errors, (truth + 1) % 10, truth)
        assert metrics.error_rate(truth, predictions) == pytest.approx(percent / 100, rel=EXACT)
        confusion = metrics.confusion_matrix(truth, predictions)
        return confusion.sum() - confusion.trace()

    worked("002-5.3b").check(mistakes(0.2))
    worked("002-5.3c").check([mistakes(percent) for percent in (2.3, 1.8, 7.2, 12.7)])


@pytest.mark.worked("002-A.1")
def test_weights_to_a_large_image(worked):
    """§A.1: a dense layer of 1000 units on 1000 × 1000 pixels, by shapes alone: nothing is allocated."""
    pixels = PRIMITIVES["reshape"].spec(Spec((1, 1000, 1000), np.dtype("f4")), shape=(1, 10**6))
    weight, bias = Spec((1000, pixels.shape[1]), pixels.dtype), Spec((1000,), pixels.dtype)
    assert PRIMITIVES["affine"].spec(pixels, weight, bias).shape == (1, 1000)
    worked("002-A.1").check([pixels.size, weight.size])
