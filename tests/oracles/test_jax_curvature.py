"""Jacobians and the Hessian of a small network agree with JAX in float64."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass
from chainrule.glass.spectra.surface import Surface

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

EXACT = 1e-6  # as the matrix gives them: float64 has far more digits
LANCZOS = 1e-4  # values found to a residual of 1e-8
DRAW = np.random.default_rng(0)
X, LABELS = DRAW.standard_normal((10, 3)), np.arange(10) % 3


@pytest.fixture(autouse=True, scope="module")
def float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def model():
    cr.seed(4)
    return cr.models.MLP(3, 6, 5, 3, activation="tanh")


def network(flat, shapes, x):
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(flat[start : start + size].reshape(shape))
        start += size
    for i in range(0, 6, 2):
        x = x @ parts[i].T + parts[i + 1]
        x = jnp.tanh(x) if i < 4 else x
    return x


def numbers(model):
    arrays = [p.numpy().astype(np.float64) for p in model.parameters()]
    return jnp.concatenate([jnp.asarray(a.ravel()) for a in arrays]), [a.shape for a in arrays]


def hessian(model):
    flat, shapes = numbers(model)

    def loss(flat):
        return -jnp.mean(jax.nn.log_softmax(network(flat, shapes, X))[np.arange(10), LABELS])

    return np.asarray(jax.hessian(loss)(flat))


def test_the_networks_jacobian(model):
    flat, shapes = numbers(model)
    expected = jax.vmap(jax.jacobian(lambda x: network(flat, shapes, x)))(X)
    np.testing.assert_allclose(glass.network_jacobian(model, X), expected, atol=1e-12)
    values = jnp.linalg.svd(expected[0], compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(glass.network_jacobian(model, X), compute_uv=False)[0], values, atol=EXACT)


def test_the_hessians_products_eigenvalues_and_moments(model):
    H, surface = hessian(model), Surface(model, (X, LABELS))
    products = np.stack([surface.hessian_product(e) for e in np.eye(surface.size)])
    np.testing.assert_allclose(products, H, atol=1e-12)
    exact = np.linalg.eigvalsh(H)
    largest = glass.hessian_eigenvalues(model, (X, LABELS), k=5)
    np.testing.assert_allclose(largest, exact[::-1][:5], atol=LANCZOS * exact[-1])
    smallest = glass.hessian_eigenvalues(model, (X, LABELS), k=5, end="smallest")
    np.testing.assert_allclose(smallest, exact[:5], atol=LANCZOS * exact[-1])
    trace = glass.hessian_trace(model, (X, LABELS), probes=300)
    assert abs(trace.value - np.trace(H)) < 3.5 * trace.standard_error
    density = glass.hessian_density(model, (X, LABELS), probes=300, steps=6)
    for power in (1, 2, 3):
        moment = density.moment(power, confidence=0.999)
        assert moment.low < np.sum(exact**power) / len(H) < moment.high


def test_gradients_of_examples(model):
    flat, shapes = numbers(model)

    def loss(flat, x, label):
        return -jax.nn.log_softmax(network(flat, shapes, x))[label]

    G = np.asarray(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(flat, X, LABELS))
    scale = glass.gradient_noise_scale(model, (X, LABELS))
    assert scale.trace == pytest.approx(np.trace(np.cov(G.T)), rel=EXACT)
    assert scale.squared_gradient == pytest.approx(np.sum(G.mean(0) ** 2) - scale.trace / 10, rel=EXACT)
