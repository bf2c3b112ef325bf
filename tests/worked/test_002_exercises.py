"""002, exercises 1 to 5, and weight decay (§4.2)."""

from itertools import product

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.models.neurons import is_linearly_separable

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1
FOUR_STANDARD_ERRORS = 4  # of a mean over random draws

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0, 1, 1, 0])


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


# --- exercise 1: XOR ------------------------------------------------------------------------------------


@pytest.mark.worked("002-Ex1a")
def test_xor_is_not_separable():
    """(a): (0,1,1) + (1,0,1) = (0,0,1) + (1,1,1), so no (w, b) is above 0 on one side alone."""
    augmented = np.hstack([CORNERS, np.ones((4, 1))])
    close(augmented[XOR == 1].sum(axis=0), augmented[XOR == 0].sum(axis=0))
    assert not is_linearly_separable(CORNERS, XOR)


def two_unit_network(W0, b0, beta, b1):
    """f(x) = β·relu(W₀x + b₀) + b₁."""
    model = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.ReLU(), cr.nn.Linear(2, 1)).astype(np.float64)
    values = {"0.weight": W0, "0.bias": b0, "2.weight": [beta], "2.bias": [b1]}
    model.load_state_dict({name: np.array(value, np.float64) for name, value in values.items()})
    return model(CORNERS)[:, 0]


@pytest.mark.worked("002-Ex1b", "002-Ex1c")
def test_xor_by_two_rectifiers(worked):
    """(b), (c): f > 0 exactly on class 1; without the output bias f is exactly 0 on class 0."""
    f = two_unit_network([[1, 1], [1, 1]], [0, -1], [1, -2], -0.5)
    worked("002-Ex1b").check(f)
    first = two_unit_network([[1, 1], [1, 1]], [0, -1], [1, -2], 0)
    second = two_unit_network([[1, -1], [-1, 1]], [0, 0], [1, 1], 0)
    worked("002-Ex1c").check([first, second])
    for scores in (f, first, second):
        np.testing.assert_array_equal(cr.step_strict(scores), XOR)


# --- exercise 2: three activations ----------------------------------------------------------------------


@pytest.mark.worked("002-Ex2")
def test_slopes_of_three_activations(worked):
    """σ' fades at 5 and 10, the hard threshold passes no gradient anywhere, ReLU a full one for x > 0."""
    x = np.array([0.0, 5.0, 10.0])
    slope = {f: cr.grad(lambda x, f=f: cr.sum(f(x)))(x) for f in (cr.sigmoid, cr.step, cr.relu)}
    worked("002-Ex2").check(slope[cr.sigmoid])
    np.testing.assert_array_equal(slope[cr.step], [0, 0, 0])
    np.testing.assert_array_equal(slope[cr.relu], [0, 1, 1])


# --- exercise 3: backpropagation by hand ----------------------------------------------------------------


@pytest.mark.worked("002-Ex3")
@pytest.mark.parametrize("loss", ["half_squared", "cross_entropy"])
def test_backpropagation_by_hand(loss):
    """p₂ = x₂ − y or softmax(x₂) − y, ∇W₁ = p₂x₁ᵀ, ∇b₁ = p₂;

    δ = W₁ᵀp₂ ⊙ x₁ ⊙ (1 − x₁), ∇W₀ = δx₀ᵀ, ∇b₀ = δ.
    """
    rng = np.random.default_rng(0)
    x0, y = rng.standard_normal(3), np.array([0.0, 1.0])
    W0, b0, W1, b1 = (rng.standard_normal(shape) for shape in ((4, 3), 4, (2, 4), 2))

    def risk(W0, b0, W1, b1):
        x2 = cr.affine(cr.sigmoid(cr.affine(x0[None], W0, b0)), W1, b1)
        return getattr(losses, loss)(x2, y[None], reduction="sum")

    x1 = cr.sigmoid(W0 @ x0 + b0)
    x2 = W1 @ x1 + b1
    p2 = (x2 if loss == "half_squared" else cr.softmax(x2)) - y
    delta = (W1.T @ p2) * x1 * (1 - x1)
    by_hand = [np.outer(delta, x0), delta, np.outer(p2, x1), p2]
    for got, wanted in zip(cr.grad(risk, argnums=(0, 1, 2, 3))(W0, b0, W1, b1), by_hand, strict=True):
        close(got, wanted)
    assert cr.check_gradients(risk, W0, b0, W1, b1)


# --- exercise 4: gradient descent finds the solution of least norm --------------------------------------

A, b = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), np.array([1.0, 2.0])
STEPS = 400  # 0.3 · λ₂ is 0.3 and 0.9: the slower error shrinks by 0.7 a step, to below 1e-60


def descend(x):
    """Gradient descent on ½‖Ax − b‖² with η = 0.3 < 2/3."""
    slope = cr.grad(lambda x: losses.half_squared(A @ x, b, reduction="sum"))
    for _ in range(STEPS):
        x = x - 0.3 * slope(x)
    return x


@pytest.mark.worked("002-Ex4d", "002-Ex4e")
def test_gradient_descent_finds_the_nearest_solution(worked):
    """(d): from 0 the solution of least norm, x* = Aᵀ(AAᵀ)⁻¹b. (e): from x₀, x* plus x₀ in the null space."""
    x_star = descend(np.zeros(3))
    worked("002-Ex4d").check(x_star)
    close(x_star, np.linalg.pinv(A) @ b)
    start = np.array([1.0, 1.0, 0.0])
    worked("002-Ex4e").check(descend(start))
    close(descend(start), x_star + start - np.linalg.pinv(A) @ A @ start)


# --- exercise 5: dropout is a weighted ridge penalty ----------------------------------------------------

H, W, TARGET, KEEP = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.5, -0.25]), 0.3, 0.8


@pytest.mark.worked("002-Ex5")
def test_expected_loss_under_dropout(worked):
    """(b): E(y − y*)² = (w·h − y*)² + (1 − p)/p Σ wⱼ²hⱼ², p the probability of keeping; over all 8 masks."""
    masks = np.array(list(product([0, 1], repeat=3)))
    chances = np.prod(np.where(masks, KEEP, 1 - KEEP), axis=1)
    each = losses.mse((masks * H / KEEP) @ W, np.full(8, TARGET), reduction="none")
    worked("002-Ex5").check(chances @ each)
    bias = losses.mse((H @ W)[None], np.array([TARGET]))
    worked("002-Ex5").check(bias + losses.l2([W * H], (1 - KEEP) / KEEP))


def test_dropout_layer_has_that_expected_loss():
    """The layer's p is the probability of dropping, 0.2; its draws average to (a) h and (b) 0.8275."""
    cr.seed(0)
    n = 20_000
    dropped = cr.dropout(np.tile(H, (n, 1)), p=1 - KEEP)
    error_of_mean = cr.std(dropped, axis=0) / np.sqrt(n)
    assert (abs(cr.mean(dropped, axis=0) - H) < FOUR_STANDARD_ERRORS * error_of_mean).all()
    each = losses.mse(dropped @ W, np.full(n, TARGET), reduction="none")
    assert abs(cr.mean(each) - 0.8275) < FOUR_STANDARD_ERRORS * cr.std(each) / np.sqrt(n)
