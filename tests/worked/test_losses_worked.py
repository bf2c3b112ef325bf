"""Worked numbers of losses and penalties: 000 chapter 7, 002 §3.2 and §5.2, 003 §2.5, 004 §2.3.3 and §2.4."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.losses import L2, HalfL2, half_l2, l2

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1

# 000 chapter 6: the four samples in rows, their labels, and the 2-3-1 network.
X = np.array([[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]])
LABELS = np.array([0.0, 1.0, 0.0, 1.0])
W1, B1 = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.array([0.01, 0.02, 0.03])
W2, B2 = np.array([[0.7, 0.8, 0.9]]), 0.1
HIDDEN = np.maximum(X @ W1.T + B1, 0)
LOGITS = (HIDDEN @ W2.T)[:, 0] + B2


def close(got, wanted, digits=None):
    got = np.asarray(got)
    np.testing.assert_allclose(got if digits is None else got.round(digits), wanted, rtol=EXACT, atol=EXACT)


# --- 000 chapters 6 and 7 --------------------------------------------------------------------------------


@pytest.mark.worked("000-6.23", "000-6.32", "000-6.33a", "000-6.33b", "000-6.36")
def test_losses_of_the_four_samples(worked):
    """§6.4-6.6: −ln(1 − ŷ) or −ln ŷ, and their mean."""
    each = losses.binary_cross_entropy_with_logits(LOGITS, LABELS, reduction="none")
    for row_id, loss in zip(("000-6.23", "000-6.32", "000-6.33a", "000-6.33b"), each, strict=True):
        worked(row_id).check(loss)
    close(losses.binary_cross_entropy(cr.sigmoid(LOGITS), LABELS, reduction="none"), each)
    worked("000-6.36").check(losses.binary_cross_entropy_with_logits(LOGITS, LABELS))


@pytest.mark.worked("000-7.4", "000-7.5", "000-7.6", "000-7.7")
def test_penalty_of_chapter_7(worked):
    """§7.2.2 (7.4)-(7.7): λ Σ ‖W‖², λ = 0.01, without a half."""
    worked("000-7.4").check(l2([W1], 1.0))
    worked("000-7.5").check(l2([W2], 1.0))
    worked("000-7.6").check(l2([W1, W2], 0.01))
    worked("000-7.7").check(losses.binary_cross_entropy_with_logits(LOGITS, LABELS) + l2([W1, W2], 0.01))


@pytest.mark.worked("000-7.8")
def test_gradient_of_the_penalised_loss(worked):
    """§7.2.3: ∂L/∂W₂ + 2 λ W₂."""

    def loss(w):
        logits = (HIDDEN @ w.T)[:, 0] + B2
        return losses.binary_cross_entropy_with_logits(logits, LABELS) + l2([w], 0.01)

    worked("000-7.8").check(cr.grad(loss)(W2)[0])


@pytest.mark.worked("000-7.4/8.22", "002-21")
def test_two_conventions_of_the_penalty():
    """Chapter 7 with λ is chapter 8 (and 002, 003) with 2 λ; the gradients are 2 λ W and λ W."""
    close(l2([W1, W2], 0.01), half_l2([W1, W2], 0.02))
    close(cr.grad(lambda w: l2([w], 0.01))(W1), 0.02 * W1)
    close(cr.grad(lambda w: half_l2([w], 0.01))(W1), 0.01 * W1)


@pytest.mark.worked("002-21")
def test_weight_decay_of_all_parameters():
    """002 §4.2 (20)-(21): θ ← (1 − η λ) θ − η ∇R, biases included; 000 and 003 decay the weights only."""

    class Model:
        def __init__(self, *parameters):
            self.parameters = lambda: iter(parameters)

    eta, lam = 0.1, 0.5
    shrunk = B1 - eta * cr.grad(lambda b: HalfL2(lam, of="all")(Model(W1, b)))(B1)
    close(shrunk, (1 - eta * lam) * B1)
    assert L2(lam)(Model(W1, B1)) == L2(lam)(Model(W1))


# --- 002, 003 --------------------------------------------------------------------------------------------


@pytest.mark.worked("002-3.2")
def test_binary_cross_entropy_is_cross_entropy_of_two_classes():
    """002 §3.2: with the logits (0, z)."""
    both = np.stack([np.zeros(4), LOGITS], axis=1)
    two = losses.cross_entropy(both, LABELS.astype(int), reduction="none")
    close(losses.binary_cross_entropy_with_logits(LOGITS, LABELS, reduction="none"), two)


@pytest.mark.worked("002-24", "003-9.3")
def test_sum_and_mean_differ_by_the_number_of_examples():
    """002 (24) sums, 002 (10) takes the mean; so do 003 §8 and §9.3: gradients differ by the factor N."""

    def gradient(reduction):
        return cr.grad(lambda z: losses.binary_cross_entropy_with_logits(z, LABELS, reduction=reduction))(LOGITS)

    close(gradient("sum"), 4 * gradient("mean"))


@pytest.mark.worked("003-2.5")
def test_cross_entropy_of_three_logits(worked):
    """003 §2.5, §12.3: logits (2, 1, −1), the second class."""
    worked("003-2.5").check(losses.cross_entropy(np.array([2.0, 1.0, -1.0]), 1))


# --- 004 §2.3.3, §2.4 ------------------------------------------------------------------------------------

PREDICTED, TRUE = np.array([3.0, 4.0, 8.0, 2.0]), np.array([2.0, 5.0, 6.0, 3.0])


@pytest.mark.parametrize(
    ("loss", "value", "gradient"),
    [
        (losses.sse, 7.0, [2.0, -2.0, 4.0, -2.0]),
        (losses.mse, 1.75, [0.5, -0.5, 1.0, -0.5]),
        (losses.mae, 1.25, [0.25, -0.25, 0.25, -0.25]),
    ],
)
def test_errors_of_four_predictions(loss, value, gradient):
    """§2.3.3.1, (17)-(20), and (40)."""
    assert loss(PREDICTED, TRUE) == value
    close(cr.grad(lambda y: loss(y, TRUE))(PREDICTED), gradient)


def test_the_best_constant_is_the_mean_or_the_median():
    """§2.3.3.1 (d): for 1, 2, 3, 4, 100 it is 22 under MSE and 3 under MAE."""
    t = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    for loss, best in ((losses.mse, 22.0), (losses.mae, 3.0)):
        close(cr.grad(lambda c, loss=loss: loss(cr.broadcast_to(c, shape=(5,)), t))(np.array(best)), 0)


def test_binary_cross_entropy_of_four_probabilities():
    """§2.3.3.2, (21)-(22)."""
    p, t = np.array([0.9, 0.2, 0.4, 0.6]), np.array([1.0, 0.0, 1.0, 0.0])
    close(losses.binary_cross_entropy(p, t, reduction="none"), [0.105, 0.223, 0.916, 0.916], digits=3)
    close(losses.binary_cross_entropy(p, t), 0.5402713827, digits=10)
    logits = np.log(p / (1 - p))
    slope = cr.grad(lambda z: losses.binary_cross_entropy_with_logits(z, t, reduction="sum"))(logits)
    close(slope, p - t)


def test_softmax_and_cross_entropy_of_three_logits():
    """§2.3.3.3, (23)-(26)."""
    z = np.array([[2.0, 1.0, 0.1]])
    close(losses.cross_entropy(z, [0]), 0.41703, digits=5)
    slope = cr.grad(lambda z: losses.cross_entropy(z, [0]))(z)
    close(slope, [[-0.34100, 0.24243, 0.09857]], digits=5)


def test_half_squared_error_of_example_9():
    """§2.4.4: E = ½ (t − y)², there called MSE; by (17) that would be twice as much (E14)."""
    y, t = np.array([0.4340938861]), np.array([0.5])
    close(losses.half_squared(y, t), 0.0021718079, digits=10)
    close(cr.grad(lambda y: losses.half_squared(y, t))(y), [-0.0659061139], digits=10)
    close(losses.mse(y, t), 0.0043436, digits=7)


def test_the_perceptron_criterion_moves_weights_from_zero():
    """§2.6, E18: with ≤ in the definition of a mistake, the first step on AND is Σ t x; with < it is 0."""
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    t = np.array([-1.0, -1.0, -1.0, 1.0])

    def criterion(w, w0):
        return losses.perceptron_criterion(cr.sum(x * w, axis=1) + w0, t, reduction="sum")

    slope = cr.grad(lambda v: criterion(v[:2], v[2]))(np.zeros(3))
    close(slope, -np.append(t @ x, t.sum()))
