"""003, §5 to §14: linear regions, linear regression, Jacobians, initialisation, implicit regularisation."""

from itertools import combinations, permutations

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.nn import init

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1
SINGLE = 1e-6  # initialisers draw float32, of 24 bits


def close(got, wanted, rtol=EXACT):
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)


def shallow(n_in, hidden, n_out):
    return cr.nn.Sequential(cr.nn.Linear(n_in, hidden), cr.nn.ReLU(), cr.nn.Linear(hidden, n_out))


# --- §5.4, §7.2, §13.4: sizes and linear regions --------------------------------------------------------


@pytest.mark.worked("003-13.4a", "003-13.4b", "003-7.2")
def test_parameter_counts(worked):
    """§13.4: the 1-6-1 and the 1-500-1 network; §7.2: the 1-4-2 network."""
    worked("003-13.4a").check(shallow(1, 6, 1).n_parameters)
    worked("003-13.4b").check(shallow(1, 500, 1).n_parameters)
    worked("003-7.2").check(shallow(1, 4, 2).n_parameters)


@pytest.mark.worked("003-13.4c", "003-13.4d")
def test_linear_regions_of_a_line(worked):
    """§13.4: M units cut a line into at most M + 1 pieces; here every unit has a kink of its own."""
    for row_id, units in (("003-13.4c", 6), ("003-13.4d", 500)):
        model = shallow(1, units, 1).astype(np.float64)
        model[0].weight.assign(np.ones((units, 1)))
        model[0].bias.assign(-np.arange(1.0, units + 1))
        model[2].weight.assign(np.ones((1, units)))
        between_kinks = np.arange(units + 1)[:, None] + 0.5
        slopes = cr.grad(lambda x, model=model: cr.sum(model(x)))(cr.tensor(between_kinks))
        worked(row_id).check(len(np.unique(slopes)))


@pytest.mark.worked("003-13.4c")
def test_no_line_has_more_regions(worked):
    """Eight or nine pieces, which §13.4 allows, need more than 6 kinks: no draw has them."""
    x = cr.tensor(np.linspace(-50, 50, 20_001)[:, None])
    for number in range(20):
        cr.seed(number)
        units = cr.step(shallow(1, 6, 1).astype(np.float64)[0](x))
        assert 1 + np.any(np.diff(units, axis=0), axis=1).sum() <= worked("003-13.4c").right


@pytest.mark.worked("003-5.4")
def test_linear_regions_of_the_plane(worked):
    """§5.4, Zaslavsky's bound Σ_{i ≤ 2} C(M, i): attained by lines that touch the unit circle."""
    axis = np.linspace(-6, 6, 601)
    plane = cr.tensor(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    counts = []
    for units in (3, 4, 6):
        layer = cr.nn.Linear(2, units).astype(np.float64)
        angles = 0.5 * np.arange(units)
        layer.weight.assign(np.stack([np.cos(angles), np.sin(angles)], axis=1))
        layer.bias.assign(-np.ones(units))
        patterns = cr.step(layer(plane)).data @ 2 ** np.arange(units)
        counts.append(len(np.unique(patterns)))
    worked("003-5.4").check(counts)


# --- §9.2: linear regression by gradient descent --------------------------------------------------------

FEATURES = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
TARGETS = np.array([1.0, 3.0, 2.0])


def total(theta):
    """L = Σᵢ (θ₀ + θ₁xᵢ − yᵢ)²."""
    return losses.sse(FEATURES @ theta, TARGETS, reduction="sum")


@pytest.mark.worked("003-9.2")
def test_linear_regression(worked):
    """§9.2: ∇L = (Σ 2rᵢ, Σ 2rᵢxᵢ); descent ends at the least-squares solution (1.5, 0.5)."""
    theta = np.array([0.5, 0.25])
    worked("003-9.2").check(cr.grad(total)(theta))
    for _ in range(500):  # η λ is 0.14 for the smaller curvature: the error shrinks by 0.86 a step
        theta = theta - 0.1 * cr.grad(total)(theta)
    close(theta, [1.5, 0.5])


@pytest.mark.worked("003-9.3")
def test_the_stochastic_gradient_estimates_the_mean():
    """§9.3: a mean over a batch estimates ∇L/n, not ∇L, where L is a sum over the samples."""
    theta = np.array([0.5, 0.25])
    batches = [list(batch) for batch in combinations(range(3), 2)]
    estimates = [cr.grad(lambda w, rows=rows: losses.mse(FEATURES[rows] @ w, TARGETS[rows]))(theta) for rows in batches]
    close(cr.mean(np.stack(estimates), axis=0), cr.grad(total)(theta) / 3)


# --- §10.6: vector-Jacobian products --------------------------------------------------------------------


@pytest.mark.worked("003-10.6", "003-10.6b")
def test_vector_jacobian_products():
    """§10.6: Ā = P̄Bᵀ and B̄ = AᵀP̄ for A (M, H), B (H, N), P (M, N); sums pass P̄, activations h̄ ⊙ φ'(z)."""
    M, H, N = 2, 3, 4
    rng = np.random.default_rng(0)
    A, B, P_bar = (rng.standard_normal(shape) for shape in ((M, H), (H, N), (M, N)))
    A_bar, B_bar = cr.vjp(cr.matmul, A, B)[1](P_bar)
    close(A_bar, P_bar @ B.T)
    close(B_bar, A.T @ P_bar)
    assert (A_bar.shape, B_bar.shape) == ((M, H), (H, N))
    for share in cr.vjp(cr.add, A, A)[1](A):
        close(share, A)
    close(cr.vjp(cr.tanh, A)[1](A)[0], A * (1 - cr.tanh(A) ** 2))
    assert cr.check_gradients(cr.matmul, A, B)


# --- §11: initialisation --------------------------------------------------------------------------------


@pytest.mark.worked("003-11.2")
def test_variance_of_uniform_initialisers(worked):
    """§11.2-11.3: ±√(3/N) has the variance a²/3 = 1/N, ±√(6/N) has 2/N."""
    N, key = 50, cr.Key(0)
    unit = init.uniform(-1, 1)((7, N), key)
    bounds = [np.median(draw((7, N), key) / unit) for draw in (init.lecun_uniform, init.he_uniform)]
    worked("003-11.2").check([N * float(a) ** 2 / 3 for a in bounds], rel=SINGLE)


@pytest.mark.worked("003-11.2b")
@pytest.mark.parametrize(("n_in", "n_out"), [(50, 50), (50, 150)])
def test_lecun_and_glorot(n_in, n_out):
    """§11.2: variance 1/n_in is LeCun's; Glorot's is 2/(n_in + n_out). They agree for square layers."""
    key = cr.Key(0)
    ratio = init.xavier_normal((n_out, n_in), key) / init.lecun_normal((n_out, n_in), key)
    close(ratio**2, np.full((n_out, n_in), 2 * n_in / (n_in + n_out)), rtol=10 * SINGLE)


@pytest.mark.worked("003-11.3")
def test_relu_halves_the_second_moment_not_the_variance(worked):
    """§11.3: E[relu(p)²] = Var(p)/2; the variance of relu(p) is (1/2 − 1/2π) Var(p)."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    p = np.concatenate([6 * nodes - 6, 6 * nodes + 6])  # two panels, on either side of the kink
    density = 6 * np.tile(weights, 2) * np.exp(-(p**2) / 2) / np.sqrt(2 * np.pi)
    rectified = cr.relu(p)
    mean, second_moment = density @ rectified, density @ rectified**2
    close(second_moment, 0.5)
    worked("003-11.3").check(second_moment - mean**2)


# --- §14.3: implicit regularisation ---------------------------------------------------------------------


def flow(slope, theta, time, steps=200):
    """θ' = −slope(θ) for some time, by the classical Runge-Kutta method."""
    h = time / steps
    for _ in range(steps):
        k1 = -slope(theta)
        k2 = -slope(theta + h / 2 * k1)
        k3 = -slope(theta + h / 2 * k2)
        k4 = -slope(theta + h * k3)
        theta = theta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return theta


@pytest.mark.worked("003-14.3")
def test_a_step_is_a_flow_on_a_penalised_loss(worked):
    """§14.3: one step of size λ on θ²/2 follows the flow on L + λ/4 ‖∇L‖², to O(λ³), not that on L."""

    def ends(lam):
        def loss(theta):
            return theta**2 / 2

        def penalised(theta):
            return loss(theta) + lam / 4 * cr.grad(loss)(theta) ** 2

        start = np.float64(1)
        step = start - lam * cr.grad(loss)(start)
        return np.array([step, flow(cr.grad(loss), start, lam), flow(cr.grad(penalised), start, lam)])

    large, small = ends(0.1), ends(0.05)
    worked("003-14.3").check(large)
    shrink = (large[1:] - large[0]) / (small[1:] - small[0])
    close(shrink, [4, 8], rtol=0.05)  # the next order in λ


@pytest.mark.worked("003-14.3b")
def test_batches_add_a_penalty_on_their_scatter():
    """§14.3: an epoch over B batches follows, on average over their order, the flow of time Bλ on

    L + λ/4 ‖∇L‖² + λ/(4B) Σ ‖g_t − ∇L‖², with B the number of batches and not their size.
    """
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3, 2)), rng.standard_normal(3)
    batches, batch_size = [[0], [1], [2]], 1

    def part(theta, rows):
        return losses.half_squared(x[rows] @ theta, y[rows])

    def slope(theta, rows):
        return cr.grad(part)(theta, rows)

    def whole(theta):
        return part(theta, [0, 1, 2])

    def after_an_epoch(lam):
        ends = []
        for order in permutations(batches):
            theta = np.zeros(2)
            for rows in order:
                theta = theta - lam * slope(theta, rows)
            ends.append(theta)
        return np.mean(ends, axis=0)

    def after_the_flow(lam, divisor):
        def penalised(theta):
            g = cr.grad(whole)(theta)
            scatter = sum(cr.sum((slope(theta, rows) - g) ** 2) for rows in batches)
            return whole(theta) + lam / 4 * cr.sum(g**2) + lam / (4 * divisor) * scatter

        return flow(cr.grad(penalised), np.zeros(2), len(batches) * lam, steps=10)

    def error(lam, divisor):
        return np.linalg.norm(after_an_epoch(lam) - after_the_flow(lam, divisor))

    by_number, by_size = (error(0.02, d) / error(0.01, d) for d in (len(batches), batch_size))
    assert by_number == pytest.approx(8, rel=0.1)  # O(λ³)
    assert by_size == pytest.approx(4, rel=0.1)  # O(λ²)
