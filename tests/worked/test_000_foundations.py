"""000, chapters 1, 3, 4 and 5: matrix calculus, networks, losses, backpropagation."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1

A, B = np.random.default_rng(0).standard_normal((2, 3, 3))
VECTOR, POINT = np.random.default_rng(1).standard_normal((2, 3))


def jacobian(f, x):
    """∂f/∂x row by row, each the pull-back of a unit vector."""
    y, pull = cr.vjp(f, x)
    return np.stack([pull(e)[0] for e in np.eye(len(y))])


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


# --- chapter 1: mathematical preliminaries --------------------------------------------------------------


@pytest.mark.worked("000-1.18")
def test_chain_rule(worked):
    """§1.2.1 (1.18): d/dx sin x² = 2x cos x²."""
    slope = cr.grad(lambda x: cr.sin(x**2))
    worked("000-1.18").check(slope(np.float64(1.3)))
    close(slope(np.float64(1.3)), 2 * 1.3 * cr.cos(np.float64(1.3**2)))


def valley(x):
    """f(x, y) = x² + xy + 3y²."""
    return x[0] ** 2 + x[0] * x[1] + 3 * x[1] ** 2


@pytest.mark.worked("000-1.24", "000-1.21")
def test_gradient_and_directional_derivative(worked):
    """§1.2.2: the gradient by reverse mode (1.24), its product with a direction by forward mode (1.21)."""
    point = np.array([1.0, 2.0])
    worked("000-1.24").check(cr.grad(valley)(point))
    worked("000-1.21").check(cr.jvp(valley, (point,), (np.array([3.0, 4.0]) / 5,))[1])


@pytest.mark.worked("000-1.26")
@pytest.mark.parametrize(
    ("f", "x", "gradient"),
    [
        (lambda x: VECTOR @ x, POINT, VECTOR),
        (lambda x: x @ A @ x, POINT, (A + A.T) @ POINT),
        (lambda x: cr.sum(cr.eye(3) * (x.T @ B)), A, B),
        (lambda w: 0.5 * cr.norm(VECTOR - w @ POINT) ** 2, A, np.outer(A @ POINT - VECTOR, POINT)),
    ],
    ids=["a.x", "x.Ax", "tr(A'B)", "half squared error"],
)
def test_matrix_calculus(f, x, gradient):
    """§1.2.3, identities 1-4 and (1.26)."""
    close(cr.grad(f)(x), gradient)
    assert cr.check_gradients(f, x)


# --- chapter 3: feed-forward networks -------------------------------------------------------------------


@pytest.mark.worked("000-3.11")
def test_parameter_counts(worked):
    """§3.2.1 (3.11): the 2-2-1 network of §3.4 and the 2-3-1 network of chapter 6."""
    networks = [cr.nn.Sequential(cr.nn.Linear(2, n), cr.nn.ReLU(), cr.nn.Linear(n, 1)) for n in (2, 3)]
    worked("000-3.11").check([network.n_parameters for network in networks])


@pytest.mark.worked("000-3.23", "000-15.tanh")
def test_steepest_slopes(worked):
    """§3.3.6 (3.23), §5.5: σ' is at most 1/4. §15.5.2 prints the same for tanh', which reaches 1."""
    z = np.linspace(-8, 8, 1601)
    for row_id, function in (("000-3.23", cr.sigmoid), ("000-15.tanh", cr.tanh)):
        slope = cr.grad(lambda x, f=function: cr.sum(f(x)))(z)
        worked(row_id).check(slope.max())
        assert z[slope.argmax()] == 0


# --- chapter 4: losses ----------------------------------------------------------------------------------

LOGITS, LABEL = np.array([[0.0, 1.2, 1.9]]), [1]
TRUTH = np.array([[0.0, 1.0, 0.0]])
TARGET = np.array([1.0, 0.0, 1.0, 0.0])
LOGIT = np.array([0.3, -1.2, -0.4, 2.0])


def summed(loss, target):
    return lambda prediction: loss(prediction, target, reduction="sum")


@pytest.mark.worked("000-4.x")
@pytest.mark.parametrize(
    ("f", "x", "gradient"),
    [
        (summed(losses.sse, TARGET), LOGIT, 2 * (LOGIT - TARGET)),
        (summed(losses.half_squared, TARGET), LOGIT, LOGIT - TARGET),
        (summed(losses.binary_cross_entropy_with_logits, TARGET), LOGIT, cr.sigmoid(LOGIT) - TARGET),
        (summed(losses.cross_entropy, LABEL), LOGITS, cr.softmax(LOGITS) - TRUTH),
        (summed(losses.cross_entropy, TRUTH), LOGITS, cr.softmax(LOGITS) - TRUTH),
        (summed(losses.huber, TARGET), LOGIT, np.array([-0.7, -1.0, -1.0, 1.0])),
    ],
    ids=["(4.4)", "half squared", "(4.8)", "(4.18) label", "(4.18) one-hot", "(4.20)"],
)
def test_gradients_of_losses(f, x, gradient):
    """§4.2-4.5: each gradient as stated, and by finite differences."""
    close(cr.grad(f)(x), gradient)
    assert cr.check_gradients(f, x)


@pytest.mark.worked("000-4.x")
def test_gradient_of_binary_cross_entropy_in_the_probability():
    """(4.7): (ŷ − y) / (ŷ (1 − ŷ))."""
    p = cr.sigmoid(LOGIT)
    gradient = cr.grad(summed(losses.binary_cross_entropy, TARGET))(p)
    np.testing.assert_allclose(gradient, (p - TARGET) / (p * (1 - p)), rtol=1e-10)


@pytest.mark.worked("000-4.x", "003-2.5b")
def test_softmax_couples_all_logits():
    """000 (4.13), 003 §2.5: the Jacobian is diag(p) − p pᵀ, which no element-wise function has."""
    p = cr.softmax(LOGITS[0])
    J = jacobian(cr.softmax, LOGITS[0])
    close(J, np.diag(p) - np.outer(p, p))
    assert (J != 0).all()


@pytest.mark.worked("000-4.17")
def test_what_follows_from_4_16():
    """(4.16) gives −yⱼ + pⱼ; the printed middle term has the same value, its terms do not mean it."""
    p, y = cr.softmax(LOGITS[0]), TRUTH[0]
    over_classes = -y @ (np.eye(3) - p)
    close(over_classes, p - y)
    close(-p + p * 1 + (p - y), p - y)
    close(cr.grad(summed(losses.cross_entropy, LABEL))(LOGITS)[0], over_classes)
    assert over_classes[0] == pytest.approx(0.090859, abs=5e-7)


# --- chapter 5: backpropagation -------------------------------------------------------------------------


@pytest.mark.worked("000-5.6")
def test_output_delta_of_softmax():
    """§5.2.2 (5.6): δ = Jᵀ ∇ₐL = p − y; the element-wise form with p(1 − p) is another vector."""
    p, y = cr.softmax(LOGITS[0]), TRUTH[0]
    in_probabilities = cr.grad(lambda a: -cr.sum(y * cr.log(a)))(p)
    delta = cr.vjp(cr.softmax, LOGITS[0])[1](in_probabilities)[0]
    close(delta, p - y)
    np.testing.assert_allclose(delta, [0.090859437, -0.69833604, 0.60747661], rtol=1e-7)
    elementwise = in_probabilities * p * (1 - p)
    np.testing.assert_allclose(elementwise, [0, -0.69833604, 0], rtol=1e-7)


@pytest.mark.worked("000-5.32")
def test_delta_of_the_first_layer():
    """§5.5 (5.32): δ⁽¹⁾ = σ'(z⁽¹⁾) ⊙ W⁽²⁾ᵀ (σ'(z⁽²⁾) ⊙ W⁽³⁾ᵀ δ⁽³⁾) in a 2-3-2-1 network of sigmoids.

    As printed, σ' is taken at layers 2 to L: once too often at L, and never at layer 1.
    """
    W2, W3 = A[:2], B[:1, :2]

    def output(z1):
        return cr.sigmoid(W3 @ cr.sigmoid(W2 @ cr.sigmoid(z1)))

    z1 = np.array([2.0, -3.0, 0.5])
    z2 = W2 @ cr.sigmoid(z1)
    z3 = W3 @ cr.sigmoid(z2)
    slope1, slope2, slope3 = (cr.grad(lambda z: cr.sum(cr.sigmoid(z)))(z) for z in (z1, z2, z3))
    delta1 = cr.grad(lambda z: losses.half_squared(output(z), np.ones(1)))(z1)
    delta3 = (output(z1) - 1) * slope3
    close(delta1, slope1 * (W2.T @ (slope2 * (W3.T @ delta3))))
    printed = W2.T @ (slope2 * (W3.T @ (slope3 * delta3)))
    assert (abs(printed - delta1) > 0.1 * abs(delta1)).all()


@pytest.mark.worked("000-5.20")
def test_one_division_by_the_batch_size():
    """§5.3.3 (5.17)-(5.24): either Δ = ∂L/∂Z of the mean and no 1/m, or per-sample deltas and one 1/m."""
    X = np.array([[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]])
    y = np.array([0.0, 1.0, 0.0, 1.0])
    hidden = cr.relu(X @ np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]).T + np.array([0.01, 0.02, 0.03]))
    w = np.array([0.7, 0.8, 0.9])
    gradient = cr.grad(lambda w: losses.binary_cross_entropy_with_logits(hidden @ w + 0.1, y))(w)

    of_the_mean = cr.grad(losses.binary_cross_entropy_with_logits)(hidden @ w + 0.1, y)
    of_each = cr.sigmoid(hidden @ w + 0.1) - y
    close(of_the_mean, of_each / 4)
    close(gradient, of_the_mean @ hidden)
    close(gradient, of_each @ hidden / 4)
    assert (abs(of_the_mean @ hidden / 4 - gradient) > 0.5 * abs(gradient)).all()
