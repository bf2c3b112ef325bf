"""004, chapter 2 (§1.1 for the metrics): activations, softmax, gradient descent, backpropagation, likelihood.

Its losses are in `test_losses_worked.py`, its single neurons in `test_neurons_004.py`.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, metrics, optim

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1


def close(got, wanted, rtol=EXACT):
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=EXACT)


def printed(got, digits):
    return np.round(np.asarray(got), digits).tolist()


def slope(f, x):
    """The derivative of an element-wise function at some points."""
    return cr.grad(lambda x: cr.sum(f(x)))(np.array(x, np.float64))


# --- §1.1, §2.3.3.1: metrics ----------------------------------------------------------------------------


def test_metrics_of_four_predictions():
    """Example 4/5: errors 1, −1, 2, −1."""
    targets, predictions = [2, 5, 6, 3], [3, 4, 8, 2]
    assert metrics.mse(targets, predictions) == 1.75
    assert metrics.mae(targets, predictions) == 1.25
    assert metrics.accuracy([1, 0, 1, 0], [1, 0, 0, 0]) == 0.75


# --- §2.3.2: activation functions -----------------------------------------------------------------------


def test_a_stack_of_linear_layers_is_one_matrix():
    """§2.3.2: g(W₂ g(W₁x)) = W₂W₁x for linear g."""
    stack = cr.nn.Sequential(cr.nn.Linear(3, 5, bias=False), cr.nn.Identity(), cr.nn.Linear(5, 2, bias=False))
    stack.astype(np.float64)
    x = np.random.default_rng(0).standard_normal((10, 3))
    close(stack(x), x @ (stack[2].weight @ stack[0].weight).T)


def test_both_ties_of_the_step():
    """§2.2.2 gives 0 at 0, §2.2.3 and §2.3.2.2 give 1 (E02); §2.6 leaves sign(0) open."""
    a = np.array([-1.0, 0.0, 1.0])
    assert cr.step_strict(a).tolist() == [0, 0, 1]
    assert cr.step(a).tolist() == [0, 1, 1]
    assert cr.sign(a).tolist() == [-1, 0, 1]


def test_sigmoid_and_its_slope():
    """§2.3.2.2 (13)-(14), f' = f − f² and not f − 2f (E10); saturation beyond 5."""
    assert printed(cr.sigmoid(np.array([0.0, 5.0])), 4) == [0.5, 0.9933]
    assert printed(slope(cr.sigmoid, [0, 3, -3]), 4) == [0.25, 0.0452, 0.0452]
    assert printed(slope(cr.sigmoid, [5, -5]), 5) == [0.00665, 0.00665]


def test_tanh_is_a_scaled_sigmoid():
    """§2.3.2.3 (15)-(16): tanh a = 2σ(2a) − 1, with slope 1 − f², 1 at 0."""
    a = np.linspace(-4, 4, 33)
    close(cr.tanh(a), 2 * cr.sigmoid(2 * a) - 1)
    close(slope(cr.tanh, a), 1 - cr.tanh(a) ** 2)
    assert slope(cr.tanh, 0) == 1


@pytest.mark.parametrize(
    ("f", "values", "slopes"),
    [
        (cr.relu, [0, 0, 2], [0, 0, 1]),
        (lambda z: cr.leaky_relu(z, slope=0.01), [-0.02, 0, 2], [0.01, 0.01, 1]),
        (lambda z: cr.leaky_relu(z, slope=3.0), [-6, 0, 2], [3, 3, 1]),
        (lambda z: cr.prelu(z, np.array(0.25)), [-0.5, 0, 2], [0.25, 0.25, 1]),
        (lambda z: cr.elu(z, alpha=1.0), [np.expm1(-2), 0, 2], [np.exp(-2), 1, 1]),
        (lambda z: cr.elu(z, alpha=0.5), [0.5 * np.expm1(-2), 0, 2], [0.5 * np.exp(-2), 0.5, 1]),
    ],
    ids=["relu", "leaky", "leaky, slope above 1 (E28)", "prelu", "elu", "elu, with a kink (E28)"],
)
def test_rectifiers(f, values, slopes):
    """§3.7.2 (62)-(66) at −2, 0 and 2; the slope at 0 is that of the left side."""
    z = np.array([-2.0, 0.0, 2.0])
    close(f(z), values)
    close(slope(f, z), slopes)


def test_the_slope_of_prelu_is_learned():
    """§3.7.2 (65): the derivative in a is z where z ≤ 0."""
    z = np.array([-2.0, 0.0, 2.0])
    assert cr.grad(lambda a: cr.sum(cr.prelu(z, a)))(np.array(0.25)) == -2


def test_selu_keeps_mean_and_variance():
    """§3.7.2 (67), λ ≈ 1.0507 and α ≈ 1.6733: a standard normal input gives mean 0 and variance 1."""
    assert printed(cr.selu(np.array([1.0])), 4) == [1.0507]
    assert printed(cr.selu(np.array([-50.0])), 4) == [round(-1.0507009873554805 * 1.6732632423543772, 4)]
    nodes, weights = np.polynomial.legendre.leggauss(60)
    z = np.concatenate([6 * nodes - 6, 6 * nodes + 6])  # two panels, on either side of the kink
    density = 6 * np.tile(weights, 2) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    assert density @ cr.selu(z) == pytest.approx(0, abs=1e-8)  # the constants have 16 digits
    assert density @ cr.selu(z) ** 2 == pytest.approx(1, abs=1e-8)


# --- §2.3.3.3: softmax ----------------------------------------------------------------------------------


def test_softmax_of_example_7():
    """(23): logits 2, 1, 0.1."""
    logits = np.array([2.0, 1.0, 0.1])
    assert printed(cr.exp(logits), 3) == [7.389, 2.718, 1.105]
    assert printed(cr.exp(cr.logsumexp(logits)), 7) == 11.2125088
    assert printed(cr.softmax(logits), 8) == [0.65900114, 0.24243297, 0.09856589]


def test_one_hot_coding():
    """Cat, dog and bird."""
    assert cr.one_hot(np.array([0, 1, 2]), 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_softmax_of_two_logits_is_the_sigmoid_of_their_difference():
    a, b = np.linspace(-3, 3, 13), np.linspace(2, -4, 13)
    close(cr.softmax(np.stack([a, b], axis=1))[:, 0], cr.sigmoid(a - b))


# --- §2.4.3: gradient descent ---------------------------------------------------------------------------


def bowl(w):
    """Figs. 9 and 11: E = (w₁ − 2)² + 2(w₂ + 1)²."""
    return (w[0] - 2) ** 2 + 2 * (w[1] + 1) ** 2


def descend(error, start, lr, steps):
    """Plain gradient descent with the library's optimiser."""
    w = cr.nn.Parameter(np.array(start, np.float64))
    optimizer = optim.SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        error(w).backward()
        optimizer.step()
    return w.data


def test_descent_converges_below_twice_the_inverse_curvature():
    """(42): curvatures 2 and 4, so η < 0.5 converges; at 0.5 w₂ swings for ever, at 0.51 it diverges."""
    close(descend(bowl, [0, 0], lr=0.4, steps=100), [2, -1])
    assert descend(bowl, [0, 0], lr=0.5, steps=100).tolist() == [2, 0]
    assert descend(bowl, [0, 0], lr=0.5, steps=101).tolist() == [2, -2]
    assert abs(descend(bowl, [0, 0], lr=0.51, steps=200)[1]) > 1000


def wavy(w1, w2):
    """Fig. 12: E = (w₁ − 1)² + (w₂ + 0.5)² + 0.6 sin 3w₁ sin 3w₂."""
    return (w1 - 1) ** 2 + (w2 + 0.5) ** 2 + 0.6 * cr.sin(3 * w1) * cr.sin(3 * w2)


def test_the_wavy_surface_has_one_minimum():
    """Fig. 12's caption sees many (E13); descent from a 41 × 41 grid of starts ends at one point."""
    start = np.stack(np.meshgrid(np.linspace(-2, 4, 41), np.linspace(-3.5, 2.5, 41)))
    ends = descend(lambda w: cr.sum(wavy(w[0], w[1])), start, lr=0.05, steps=600)
    np.testing.assert_allclose(ends[0], 0.65483, atol=5e-6)
    np.testing.assert_allclose(ends[1], -0.51684, atol=5e-6)
    assert round(float(wavy(ends[0, 0, 0], ends[1, 0, 0])), 5) == -0.43456


def test_the_wavy_surface_is_not_convex():
    """E13: its smallest curvature is −3.4, here 2 − 5.4, by derivatives of derivatives."""
    point = (np.float64(np.pi / 6), np.float64(np.pi / 6))
    curvature = [
        cr.jvp(cr.grad(wavy, argnums=(0, 1)), point, direction)[1]
        for direction in ((np.float64(1), np.float64(0)), (np.float64(0), np.float64(1)))
    ]
    assert np.linalg.eigvalsh(np.array(curvature)).min() == pytest.approx(2 - 5.4)


# --- §2.4.4: backpropagation ----------------------------------------------------------------------------


def test_chain_rule_example():
    """y = (2x + 3)², dy/dx = 8x + 12."""
    x = np.linspace(-3, 3, 7)
    close(slope(lambda x: (2 * x + 3) ** 2, x), 8 * x + 12)


@pytest.fixture
def chain():
    """Example 9: a 1-1-1 network, sigmoid then linear."""
    model = cr.nn.Sequential(cr.nn.Linear(1, 1), cr.nn.Sigmoid(), cr.nn.Linear(1, 1)).astype(np.float64)
    for parameter, value in zip(model.parameters(), (0.4, 0.3, 0.5, 0.1), strict=True):
        parameter.assign(np.full(parameter.shape, value))
    return model


def train(model, steps):
    """Steps of η = 0.1 on E = ½ (t − y)², x = 1, t = 0.5."""
    optimizer = optim.SGD(model, lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        losses.half_squared(model(np.ones((1, 1))), np.full((1, 1), 0.5)).backward()
        optimizer.step()
    return model(np.ones((1, 1))).item()


def test_forward_pass_of_example_9(chain):
    a = chain[0](np.ones((1, 1)))
    h = chain[1](a)
    assert printed([a.item(), h.item(), chain[2](h).item()], 10) == [0.7, 0.6681877722, 0.4340938861]
    assert printed(slope(cr.sigmoid, 0.7), 10) == 0.2217128733


def test_backward_pass_of_example_9(chain):
    """δ⁽²⁾ = ∂E/∂b⁽²⁾, ∂E/∂w⁽²⁾ = δ⁽²⁾h, δ⁽¹⁾ = δ⁽²⁾w⁽²⁾g'(a) = ∂E/∂w⁽¹⁾ = ∂E/∂b⁽¹⁾."""
    losses.half_squared(chain(np.ones((1, 1))), np.full((1, 1), 0.5)).backward()
    gradients = [p.grad.item() for p in chain.parameters()]
    assert printed(gradients, 10) == [-0.0073061169, -0.0073061169, -0.0440376594, -0.0659061139]


def test_steps_of_example_9(chain):
    """The four parameters after a step, y after 1, 10, 50 and 200 steps: the target 0.5, not y = x (E14)."""
    y = train(chain, 1)
    updated = [p.item() for p in chain.parameters()]
    assert printed(updated, 9) == [0.400730612, 0.300730612, 0.504403766, 0.106590611]
    assert printed([y, (0.5 - y) ** 2 / 2], 10) == [0.4437904126, 0.0015797589]
    assert round(train(chain, 9), 5) == 0.48662
    assert round(train(chain, 40), 7) == 0.4999776
    assert round(train(chain, 150), 7) == 0.5


# --- §2.5: maximum likelihood ---------------------------------------------------------------------------


def test_the_likeliest_mean_is_the_mean():
    """(50): the slope of the Gaussian log-likelihood in μ is zero at the mean, and minus half the SSE's."""
    x = np.array([1.2, 0.7, 3.1, 2.4])

    def log_likelihood(mu):
        return cr.sum(-0.5 * cr.square(x - mu) - 0.5 * np.log(2 * np.pi))

    def error(mu):
        return losses.sse(cr.broadcast_to(mu, shape=(4,)), x, reduction="sum")

    close(cr.grad(log_likelihood)(np.array(x.mean())), 0)
    close(cr.grad(error)(np.array(0.3)), -2 * cr.grad(log_likelihood)(np.array(0.3)))
