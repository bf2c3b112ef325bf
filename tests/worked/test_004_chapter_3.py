"""004, chapter 3: splits, early stopping, weight decay, dropout, initialisation, batch normalisation."""

from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule import data, losses
from chainrule.nn import init

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1
SINGLE = 1e-6  # of numbers that are float32, with 24 bits


def close(got, wanted, rtol=EXACT):
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)


# --- §3.3: splits and scaling ---------------------------------------------------------------------------


def minority(stratify, seed):
    """How many of 10 rare examples among 100 reach each part of a 70/15/15 split."""
    labels = (np.arange(100) >= 90).astype(np.int64)
    dataset = data.from_arrays(np.arange(100.0)[:, None], labels)
    return [int((part.y == 1).sum()) for part in data.split(dataset, seed=seed, stratify=stratify)]


def test_stratified_splits_keep_the_proportions():
    """Of 10 rare examples among 100 always 7, and 1 or 2, where a plain split may give none."""
    for seed in range(10):
        train, *rest = minority(True, seed)
        assert (train, sorted(rest)) == (7, [1, 2])
    assert any(0 in minority(False, seed) for seed in range(20))


def test_statistics_of_the_training_part_only():
    """§3.5.3: the test part is scaled by the training part's mean and deviation, and so is not 0 and 1."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 2, (50, 3)), rng.normal(5, 2, (20, 3))
    scaler = data.Standardize().fit(train)
    close(cr.mean(scaler.transform(train), axis=0), np.zeros(3))
    close(cr.std(scaler.transform(train), axis=0), np.ones(3))
    close(scaler.transform(test), (test - train.mean(axis=0)) / train.std(axis=0))
    assert abs(cr.mean(scaler.transform(test))) > 0.001


# --- §3.6.1: early stopping -----------------------------------------------------------------------------

LOSSES = [0.40, 0.38, 0.37, 0.375, 0.373, 0.376, 0.379, 0.382]  # example 2, epochs 10 to 17


@pytest.mark.parametrize(("patience", "stops_after"), [(2, 14), (4, 16)])
def test_early_stopping(patience, stops_after):
    """(55): the best epoch is 12. 14, below 13 but not below the best, is no improvement (E23)."""
    model = cr.nn.Linear(1, 1, bias=False)
    stopping = cr.train.EarlyStopping(patience=patience)
    run = SimpleNamespace(model=model, history=SimpleNamespace(rows=[]), stopped=None)
    run.stop = lambda why: setattr(run, "stopped", why)
    for run.epoch, loss in enumerate(LOSSES, start=10):
        model.weight.assign([[run.epoch]])
        run.history.rows.append({"validation_loss": loss})
        stopping.on_epoch(run)
        if run.stopped:
            break
    stopping.on_end(run)
    assert (run.epoch, stopping.best_epoch, model.weight.item()) == (stops_after, 12, 12)


# --- §3.6.3: weight decay as a prior --------------------------------------------------------------------


def test_the_strength_that_a_gaussian_prior_gives():
    """§3.6.3: γ = 1/σ² goes with a summed likelihood, 2σ_noise²/(Nσ²) with the mean of squares (E26)."""
    rng = np.random.default_rng(0)
    x, t, w = rng.standard_normal((20, 3)), rng.standard_normal(20), rng.standard_normal(3)
    noise, prior = 0.3**2, 2.0**2

    def negative_log_posterior(w):
        return losses.sse(x @ w, t, reduction="sum") / (2 * noise) + losses.half_l2([w], 1 / prior)

    def penalised(w):
        return losses.mse(x @ w, t) + losses.half_l2([w], 2 * noise / (20 * prior))

    close(cr.grad(penalised)(w), cr.grad(negative_log_posterior)(w) * 2 * noise / 20)


# --- §3.6.4: dropout ------------------------------------------------------------------------------------


def test_dropout_of_example_3():
    """p = 0.6 is the probability of keeping: the library's layer drops with 0.4, and scales in training."""
    h, keep, mask = np.array([0.4, 0.7, 0.3, 0.1, 0.9]), 0.6, [1, 0, 1, 0, 1]
    for number in range(1000):
        cr.seed(number)
        inverted = cr.dropout(h, 1 - keep)
        if ((inverted != 0) == mask).all():
            break
    assert np.round(inverted, 4).tolist() == [0.6667, 0, 0.5, 0, 1.5]
    close(keep * inverted, [0.4, 0, 0.3, 0, 0.9], rtol=SINGLE)
    close(cr.nn.Dropout(1 - keep).eval()(cr.tensor(h)), h)
    close(keep * h, [0.24, 0.42, 0.18, 0.06, 0.54])


# --- §3.7.1-3.7.3: saturation and initialisation --------------------------------------------------------


def test_exploding_factors():
    """§3.7.1: a factor 2 in each of 50 layers, 1.1259e15; 1e-10 becomes 1.126e5."""
    growth = cr.nn.Sequential(*[cr.nn.Linear(1, 1, bias=False, init=init.constant(2.0)) for _ in range(50)])
    assert f"{growth(np.ones((1, 1))).item():.4e}" == "1.1259e+15"
    assert f"{growth(np.full((1, 1), 1e-10)).item():.4g}" == "1.126e+05"


def gradient_ratio(activation, start):
    """The gradient's norm in the first layer over that in the last, through 20 layers of 64."""
    cr.seed(0)
    layers = [cr.nn.Linear(64, 64, init=start) for _ in range(20)]
    model = cr.nn.Sequential(*[m for layer in layers for m in (layer, activation())]).astype(np.float64)
    cr.sum(cr.square(model(cr.randn(32, 64, dtype=np.float64)))).backward()
    return (cr.norm(layers[0].weight.grad) / cr.norm(layers[-1].weight.grad)).item()


def test_gradients_vanish_through_sigmoids():
    """§3.7.1: by about 1e-12 in 20 layers with Xavier's variance, and not through tanh, or ReLU with He's."""
    assert 1e-14 < gradient_ratio(cr.nn.Sigmoid, init.xavier_normal) < 1e-9
    assert 0.1 < gradient_ratio(cr.nn.Tanh, init.xavier_normal) < 10
    assert 0.1 < gradient_ratio(cr.nn.ReLU, init.he_normal) < 10


@pytest.mark.parametrize(
    ("draw", "variance"),
    [
        (init.lecun_normal, 1 / 300),
        (init.xavier_normal, 2 / 700),
        (init.xavier_uniform, 2 / 700),
        (init.he_normal, 2 / 300),
        (init.he_uniform, 2 / 300),
    ],
)
def test_variances_of_initialisers(draw, variance):
    """§3.7.3 (68), (70), (71) for 300 inputs and 400 units; mean 0."""
    w = draw((400, 300), cr.Key(0)).astype(np.float64)
    standard_error = np.sqrt(2 / w.size)  # relative, of a normal sample's variance; uniform ones stray less
    assert abs(w.var() / variance - 1) < 4 * standard_error
    assert abs(w.mean()) < 4 * np.sqrt(variance / w.size)


def variances(activation, scale):
    """Var z at layers 1, 10 and 50 of a network 256 wide, whose weights have the variance scale/n."""
    cr.seed(0)
    h, found = cr.randn(64, 256, dtype=np.float64).data, []
    for _ in range(50):
        w = init.draw(init.normal(np.sqrt(scale / 256)), (256, 256)).astype(np.float64)
        z = cr.affine(h, w)
        found.append(cr.var(z))
        h = activation(z)
    return found[0], found[9], found[49]


@pytest.mark.parametrize(
    ("activation", "scale", "expected"),
    [
        (cr.identity, 1.0, (1, 1, 1)),
        (cr.identity, 0.5, (0.5, 0.5**10, 0.5**50)),
        (cr.identity, 2.0, (2, 2.0**10, 2.0**50)),
        (cr.relu, 2.0, (2, 2, 2)),
        (cr.relu, 1.0, (1, 0.5**9, 0.5**49)),
        (cr.relu, 4.0, (4, 4 * 2.0**9, 4 * 2.0**49)),
        (cr.tanh, 1.0, (1, 0.06, 0.01)),
    ],
    ids=["1/n", "0.5/n", "2/n", "relu, He", "relu, 1/n", "relu, 4/n", "tanh, Xavier"],
)
def test_variance_through_fifty_layers(activation, scale, expected):
    """§3.7.3: kept by 1/n without an activation and by 2/n after ReLU, else a power; tanh's falls slowly.

    In one network of 256 units the variance of a layer strays by about √(2/256) = 9 % of the one before,
    after 50 layers by a factor of up to 2 or so.
    """
    np.testing.assert_allclose(np.log(variances(activation, scale)), np.log(expected), atol=np.log(3))


def test_the_backward_variance_takes_the_second_moment_of_the_slope():
    """§3.7.3, E29: through tanh a gradient's variance shrinks by E[g'²] = 0.465, not by Var[g'] = 0.097."""
    rng = np.random.default_rng(0)
    z, upstream = rng.standard_normal((2, 200_000))
    slope = cr.grad(lambda z: cr.sum(cr.tanh(z)))(z)
    (delta,) = cr.vjp(cr.tanh, z)[1](upstream)
    assert cr.mean(slope**2) == pytest.approx(0.465, abs=0.003)
    assert cr.var(slope) == pytest.approx(0.097, abs=0.003)
    assert cr.var(delta) == pytest.approx(0.465, abs=0.01)


# --- §3.7.4: batch normalisation ------------------------------------------------------------------------


def test_batch_norm_of_example_4():
    """μ = 2, σ = 3 and γ = 3, β = 2 give y = z, exactly so for ε = 0."""
    layer = cr.nn.BatchNorm1d(1, eps=0.0).astype(np.float64)
    layer.weight.assign([3.0])
    layer.bias.assign([2.0])
    z = np.array([[-1.0], [5.0], [2.0 + 3 * np.sqrt(1.5)], [2.0 - 3 * np.sqrt(1.5)], [2.0]])
    assert (z.mean(), z.std()) == (pytest.approx(2), pytest.approx(3))
    close(layer(z), z)


def test_running_statistics():
    """(78)-(79): μ_r ← (1 − α)μ_r + α μ_B, and the same for the biased σ_B²; inference uses them."""
    layer = cr.nn.BatchNorm1d(1, momentum=0.1, biased_running_var=True).astype(np.float64)
    mean, variance = 0.0, 1.0
    for batch in np.random.default_rng(0).normal(3, np.sqrt(10), (100, 32, 1)):
        layer(batch)
        mean, variance = 0.9 * mean + 0.1 * batch.mean(), 0.9 * variance + 0.1 * batch.var()
    close(layer.running_mean, [mean])
    close(layer.running_var, [variance])
    close(layer.eval()(np.array([[3.0]])), [[(3 - mean) / np.sqrt(variance + 1e-5)]])
