"""000, chapters 7 to 9, 15, 16: batch normalisation, dropout, bias and variance, long products, clipping."""

from itertools import product

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, optim

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


# --- §7.4: batch normalisation --------------------------------------------------------------------------

BATCH = np.array([0.10, 0.26, 0.08, 0.22])


@pytest.mark.worked("000-7.16", "000-7.14a", "000-7.14", "000-7.14c", "000-7.14'", "000-7.14r")
def test_batch_norm(worked):
    """§7.4.2: mean, deviations, variance (1/B), √(σ² + ε) with ε = 10⁻⁵, and the normalised batch."""
    layer = cr.nn.BatchNorm1d(1, eps=1e-5, momentum=1.0, biased_running_var=True).astype(np.float64)
    normalised = layer(BATCH[:, None])[:, 0]
    worked("000-7.16").check(layer.running_mean[0])
    worked("000-7.14a").check(cr.square(BATCH - layer.running_mean))
    worked("000-7.14").check(layer.running_var[0])
    worked("000-7.14c").check(cr.sqrt(layer.running_var[0] + layer.eps))
    worked("000-7.14'").check(normalised[0])
    worked("000-7.14r").check(normalised)
    assert cr.mean(normalised).item() == pytest.approx(0, abs=EXACT)
    close(cr.var(normalised), 0.005875 / (0.005875 + 1e-5))


@pytest.mark.worked("000-7.15")
def test_the_batch_of_7_4_is_hypothetical():
    """In neuron 1 samples 1 to 3 have the pre-activations of chapter 6, sample 4 has 0.27 and not 0.22."""
    samples = np.array([[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]])
    close(cr.affine(samples, np.array([[0.1, 0.2]]), np.array([0.01]))[:, 0], [0.10, 0.26, 0.08, 0.27])


# --- §7.5: dropout --------------------------------------------------------------------------------------

HIDDEN = np.array([0.10, 0.25, 0.40])  # of sample 1
MASKS = [np.array(mask) for mask in product([0, 1], repeat=3)]


def output(hidden):
    """z₂ = W₂ h + b₂."""
    return cr.affine(hidden, np.array([[0.7, 0.8, 0.9]]), np.array([0.1]))[..., 0]


@pytest.fixture
def dropped():
    """Inverted dropout of `HIDDEN` with p = 0.5, in the first draw that drops the second unit alone."""
    for number in range(100):
        cr.seed(number)
        h = cr.dropout(HIDDEN, 0.5)
        if ((h != 0) == [1, 0, 1]).all():
            return h
    raise AssertionError("in 100 draws no mask was 1, 0, 1")


@pytest.mark.worked("000-7.17", "000-7.18", "000-8.28")
def test_dropout_in_training(worked, dropped):
    """§7.5.1: without scaling (7.17)-(7.18); §8.4.3 (8.28): inverted, 1/(1 − p) times as large."""
    plain = 0.5 * dropped
    worked("000-7.17").check(plain)
    worked("000-7.18").check(output(plain))
    worked("000-8.28").check(output(dropped))


@pytest.mark.worked("000-7.19")
def test_dropout_at_test_time(worked):
    """§7.5.2 (7.19): h (1 − p) stands for the mean over all masks; inverted dropout needs no scaling."""
    worked("000-7.19").check(output(0.5 * HIDDEN))
    close(cr.mean(output(np.stack(MASKS) * HIDDEN)), 0.415)
    close(cr.mean(output(np.stack(MASKS) * HIDDEN / 0.5)), 0.73)
    close(output(cr.nn.Dropout(0.5).eval()(cr.tensor(HIDDEN))), 0.73)


# --- §9.4.2: bias and variance --------------------------------------------------------------------------


@pytest.mark.worked("000-9.11")
def test_bias_variance_decomposition():
    """(9.11): E(f̂ − f*)² = (E f̂ − f*)² + E(f̂ − E f̂)², exact over the 32 data sets with noise ±0.3."""
    x = np.linspace(0, 1, 5)
    features = np.stack([np.ones(5), x], axis=1)
    truth = cr.sin(2 * x)
    at, f_star = np.array([1.0, 0.3]), cr.sin(np.float64(0.6))
    predictions = []
    for signs in product([-0.3, 0.3], repeat=5):
        target, theta = truth + np.array(signs), np.zeros(2)
        for _ in range(20):
            theta = theta - 0.3 * cr.grad(lambda w, t=target: losses.mse(features @ w, t))(theta)
        predictions.append(at @ theta)
    f_hat = np.array(predictions)
    bias, variance = cr.mean(f_hat) - f_star, cr.var(f_hat)
    assert abs(bias) > 0.01 < variance
    close(losses.mse(f_hat, np.full(32, f_star)), bias**2 + variance)


# --- chapters 15 and 16: long products, clipped gradients, a gate's sigmoid -----------------------------


@pytest.mark.worked("000-15.Q2", "000-15.Q6", "000-15.Q6b", "000-16.2")
def test_gradient_through_a_hundred_factors(worked):
    """§15.6-15.7, §16.1: through 100 steps of one factor a gradient shrinks or grows as its 100th power."""

    def gradient(factor):
        def chain(x):
            for _ in range(100):
                x = x * factor
            return x

        return cr.grad(chain)(np.float64(1))

    for row_id, factor in (("000-15.Q2", 0.5), ("000-15.Q6", 1.1), ("000-15.Q6b", 0.9), ("000-16.2", 0.9)):
        worked(row_id).check(gradient(factor))


@pytest.mark.worked("000-15.Q5")
def test_a_step_with_and_without_clipping(worked):
    """§15.7.1: a gradient of 10⁸ steps by 10⁵ at η = 0.001, clipped to norm 1 by 0.001."""
    steps = []
    for clipped in (False, True):
        w = cr.nn.Parameter(np.zeros(1))
        cr.sum(-1e8 * w).backward()
        if clipped:
            assert optim.clip_grad_norm([w], 1.0) == 1e8
        optim.SGD([w], lr=0.001).step()
        steps.append(w.item())
    worked("000-15.Q5").check(steps)


@pytest.mark.worked("000-16.12", "000-16.12b")
def test_sigmoid_of_a_bias(worked):
    """(16.12): a forget gate with bias 1 is open to 0.73, with bias 0 to one half."""
    worked("000-16.12").check(cr.sigmoid(np.float64(1)))
    worked("000-16.12b").check(cr.sigmoid(np.float64(0)))
