"""The Hessian by its products: eigenvalues, trace and density against NumPy's on the whole matrix."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass, losses, nn
from chainrule.base.keys import Key
from chainrule.glass.spectra.lanczos import largest_eigenvalues, tridiagonal
from chainrule.glass.spectra.quadrature import spectral_quadrature
from chainrule.glass.spectra.surface import Surface, flat
from chainrule.glass.spectra.trace import hutchinson, sign_vector

EXACT = 1e-10  # float64 and products that are exact
LANCZOS = 1e-4  # values found to a residual of 1e-8
DRAW = np.random.default_rng(0)
X, LABELS, VALUES = DRAW.standard_normal((12, 3)), np.arange(12) % 2, DRAW.standard_normal((12, 2))


def mlp(activation="tanh"):
    cr.seed(2)
    return cr.models.MLP(3, 5, 2, activation=activation)


def whole(surface):
    """The Hessian, as `cr.hessian` makes it: blocks by name, put together."""
    blocks = cr.hessian(surface.whole)(surface.parameters)
    sizes = {name: p.size for name, p in surface.parameters.items()}
    rows = [[np.reshape(blocks[a][b], (sizes[a], sizes[b])) for b in sizes] for a in sizes]
    return np.block(rows)


def symmetric(eigenvalues, n):
    Q = np.linalg.qr(DRAW.standard_normal((n, len(eigenvalues))))[0]
    return Q * np.array(eigenvalues) @ Q.T


CASES = {"cross-entropy": (X, LABELS), "mse": (X, VALUES), None: (X, LABELS)}


# --- products --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", CASES)
def test_products_and_gradients_are_those_of_the_whole(loss):
    surface = Surface(mlp(), CASES[loss], loss)
    H, v = whole(surface), DRAW.standard_normal(surface.size)
    np.testing.assert_allclose(surface.hessian_product(v), H @ v, atol=EXACT)
    step = 1e-6 * v
    ahead, behind = (surface.whole(surface.parts(flat(surface.parameters) + s)) for s in (step, -step))
    np.testing.assert_allclose(surface.gradient() @ v, (ahead - behind) / 2e-6, atol=1e-8)


@pytest.mark.parametrize("loss", CASES)
def test_gradients_of_examples(loss):
    surface = Surface(mlp(), CASES[loss], loss)
    x, y = surface.x, surface.y
    gradients = [flat(cr.grad(surface.of_one)(surface.parameters, x[i], np.asarray(y[i]))) for i in range(12)]
    np.testing.assert_allclose(surface.squared_norms(), [g @ g for g in gradients], rtol=EXACT)
    np.testing.assert_allclose(np.mean(gradients, axis=0), surface.gradient(), atol=EXACT)
    v = DRAW.standard_normal(surface.size)
    np.testing.assert_allclose(surface.slopes(v), [g @ v for g in gradients], atol=EXACT)


def test_only_what_learns_counts_and_nothing_is_changed():
    model = mlp()
    model.fc1.requires_grad_(False)
    before = model.state_dict()
    assert Surface(model, (X, LABELS)).size == 12
    glass.hessian_trace(model, (X, LABELS), probes=2)
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training and all(p.grad is None for p in model.parameters())


# --- eigenvalues -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", CASES)
@pytest.mark.parametrize("k", [1, 4, 32])
def test_eigenvalues_of_a_network(loss, k):
    exact = np.linalg.eigvalsh(whole(Surface(mlp(), CASES[loss], loss)))
    scale = np.abs(exact).max()
    found = glass.hessian_eigenvalues(mlp(), CASES[loss], loss, k)
    np.testing.assert_allclose(found, exact[::-1][:k], atol=LANCZOS * scale)
    lowest = glass.hessian_eigenvalues(mlp(), CASES[loss], loss, k, "smallest")
    np.testing.assert_allclose(lowest, exact[:k], atol=LANCZOS * scale)


@pytest.mark.parametrize(
    "values",
    [[1.0] * 8, [3.0, 3.0, 3.0, 1.0, 1.0, -2.0], [*np.linspace(-1, 1, 40)], [-3.0, -2.0, -1.0], [5.0], [0.0]],
    ids=["equal", "three times", "many", "negative", "rank one", "zero"],
)
def test_eigenvalues_that_are_there_several_times(values):
    A = symmetric(values, 60)
    exact = np.linalg.eigvalsh(A)[::-1][:6]
    for seed in range(5):
        found = largest_eigenvalues(lambda v: A @ v, 60, 6, Key(seed))
        np.testing.assert_allclose(found, exact, atol=LANCZOS * max(map(abs, values)))


def test_few_products_find_the_largest():
    A, products = symmetric(1.2 ** -np.arange(100.0), 500), []

    def times(v):
        products.append(1)
        return A @ v

    found = largest_eigenvalues(times, 500, 3, Key(0))
    np.testing.assert_allclose(found, 1.2 ** -np.arange(3.0), rtol=LANCZOS)
    assert len(products) < 100  # of 500


def test_the_tridiagonal_matrix_has_the_eigenvalues_of_the_whole():
    A = symmetric([*np.linspace(-1, 2, 20)], 20)
    T = tridiagonal(lambda v: A @ v, DRAW.standard_normal(20), 20)
    assert T.shape == (20, 20) and not np.triu(T, 2).any()
    np.testing.assert_allclose(np.linalg.eigvalsh(T), np.linspace(-1, 2, 20), atol=EXACT)
    assert tridiagonal(lambda v: 3 * v, np.ones(20), 20) == pytest.approx(3 * np.eye(1))


# --- trace and density -----------------------------------------------------------------------------------


def test_hutchinson_is_within_its_interval_as_often_as_it_says():
    A = symmetric([*np.linspace(-1, 3, 30)], 30)
    inside = sum(
        bounds.low <= np.trace(A) <= bounds.high
        for bounds in (hutchinson(lambda v: A @ v, 30, 20, Key(seed)).interval(0.9) for seed in range(300))
    )
    assert 0.9 - 0.06 < inside / 300 < 0.9 + 0.06  # 3.5 standard deviations of a share of 300


def test_the_standard_error_is_the_spread_of_the_estimates():
    A = symmetric([*np.linspace(-1, 3, 30)], 30)
    variance = 2 * (np.sum(A**2) - np.sum(np.diag(A) ** 2))  # of one sample
    many = hutchinson(lambda v: A @ v, 30, 4000, Key(0))
    assert many.standard_error == pytest.approx(np.sqrt(variance / 4000), rel=0.05)
    assert repr(hutchinson(lambda v: 2 * v, 3, 4, Key(0))) == "TraceEstimate(6 ± 0, 4 samples)"


def test_a_diagonal_matrix_needs_one_probe():
    one = hutchinson(lambda v: np.arange(5.0) * v, 5, 1, Key(7))
    assert one.value == 10 and np.isnan(one.standard_error)


@pytest.mark.parametrize("loss", CASES)
def test_the_trace_of_a_network(loss):
    exact = np.trace(whole(Surface(mlp(), CASES[loss], loss)))
    estimate = glass.hessian_trace(mlp(), CASES[loss], loss, 400)
    assert abs(estimate.value - exact) < 3.5 * estimate.standard_error


def test_moments_of_the_density_are_those_of_the_probes():
    """Gaussian quadrature of s nodes is exact up to the power 2s − 1."""
    A = symmetric([*np.linspace(-1, 2, 20)], 20)
    density = spectral_quadrature(lambda v: A @ v, 20, 5, 4, Key(3))
    signs = [sign_vector(Key(3), i, 20) for i in range(5)]
    assert density.nodes.shape == density.weights.shape == (5, 4)
    for power in range(8):
        expected = np.mean([v @ np.linalg.matrix_power(A, power) @ v / 20 for v in signs])
        assert density.moment(power).estimate == pytest.approx(expected, abs=EXACT)


def test_moments_of_a_networks_hessian():
    surface = Surface(mlp(), (X, LABELS))
    H = whole(surface)
    density = glass.hessian_density(mlp(), (X, LABELS), probes=200, steps=10)
    assert density.size == 32
    for power in (1, 2, 3, 4):
        moment = density.moment(power, confidence=0.999)
        assert moment.low < np.trace(np.linalg.matrix_power(H, power)) / 32 < moment.high
    first = glass.hessian_trace(mlp(), (X, LABELS), probes=200)
    assert density.moment(1).estimate == pytest.approx(first.value / 32, abs=EXACT)  # the same probes


def test_the_smoothed_density_integrates_to_one_and_has_its_mass_where_the_eigenvalues_are():
    A = np.diag([0.0] * 15 + [1.0] * 5)
    density = spectral_quadrature(lambda v: A @ v, 20, 30, 10, Key(0))
    grid = np.linspace(-1, 2, 3001)
    phi = density.density(grid, width=0.02)
    assert np.trapezoid(phi, grid) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(phi[grid > 0.5], grid[grid > 0.5]) == pytest.approx(0.25, abs=1e-6)  # diagonal: exact
    assert np.trapezoid(density.density(grid), grid) == pytest.approx(1, abs=1e-6)


def test_keys_fix_the_draws():
    a, b, other = (glass.hessian_trace(mlp(), (X, LABELS), probes=3, key=Key(seed)).samples for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, other)


# --- the noise of gradients ------------------------------------------------------------------------------


def noisy(n, key, dimension=8, spread=2.0):
    """w with the loss ½‖w − xᵢ‖²: gᵢ = w − xᵢ, so Σ is the covariance of x, and G = w − the mean of x."""
    draw = key.generator()
    return (np.zeros((n, 1)), draw.standard_normal((n, dimension)) * spread + 1.0)


class Constant(nn.Module):
    def __init__(self, dimension=8):
        self.w = nn.Parameter(np.zeros(dimension, np.float32))

    def forward(self, x):
        return cr.broadcast_to(self.w, shape=(x.shape[0], self.w.shape[0]))


def half_square(z, y):
    return 0.5 * cr.sum((z - y) ** 2) / z.shape[0]


def test_the_noise_scale_of_a_known_covariance():
    scale = glass.gradient_noise_scale(Constant(), noisy(4000, Key(0)), half_square)
    assert scale.trace == pytest.approx(32, rel=0.03)  # 8 · 2²
    assert scale.squared_gradient == pytest.approx(8, rel=0.1)  # 8 · 1²
    assert scale.interval.low < 4 < scale.interval.high
    assert scale.value == scale.trace / scale.squared_gradient


def test_the_interval_holds_the_noise_scale_as_often_as_it_says():
    found = [glass.gradient_noise_scale(Constant(), noisy(100, Key(s)), half_square, 0.9) for s in range(200)]
    inside = sum(scale.interval.low <= 4 <= scale.interval.high for scale in found)
    assert 0.9 - 0.075 < inside / 200 < 0.9 + 0.075  # 3.5 standard deviations of a share of 200


def test_without_a_gradient_the_interval_has_no_upper_end():
    x, y = noisy(50, Key(1))
    scale = glass.gradient_noise_scale(Constant(), (x, y - y.mean(axis=0)), half_square)
    assert scale.squared_gradient < 0
    assert (scale.value, scale.interval.low, scale.interval.high) == (np.inf, 0, np.inf)
    small = glass.gradient_noise_scale(Constant(), (x, y - y.mean(axis=0) + 0.35), half_square)
    assert small.squared_gradient > 0 and 1 < small.interval.low < small.value < small.interval.high == np.inf


def test_the_estimates_are_those_of_the_covariance_matrix():
    surface = Surface(mlp(), (X, LABELS))
    G = np.stack([flat(cr.grad(surface.of_one)(surface.parameters, X[i], LABELS[i])) for i in range(12)])
    scale = glass.gradient_noise_scale(mlp(), (X, LABELS), losses.cross_entropy)
    trace = np.trace(np.cov(G.T))
    assert scale.trace == pytest.approx(trace, rel=EXACT)
    assert scale.squared_gradient == pytest.approx(np.sum(G.mean(0) ** 2) - trace / 12, rel=EXACT)


def test_the_noise_scale_of_small_and_large_batches():
    small, large = [], []
    for s in range(400):
        y = noisy(64, Key(s))[1]
        small.append(np.sum(y[:4].mean(0) ** 2))
        large.append(np.sum(y.mean(0) ** 2))
    scale = glass.noise_scale_of_batches(small, large, 4, 64)
    assert scale.interval.low < 4 < scale.interval.high
    assert scale.interval.high - scale.interval.low < 1
    assert scale.trace == pytest.approx(32, rel=0.1) and scale.squared_gradient == pytest.approx(8, rel=0.1)
