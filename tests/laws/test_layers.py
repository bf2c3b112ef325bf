"""What single layers obey: dropout's draws, batch norm's statistics, activations by name."""

from math import sqrt

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.keys import Key
from chainrule.core import random_stream

SIGMAS = 5
"""A right layer leaves five standard errors once in a million draws; the draws here are fixed anyway."""

SMOOTH = {"sigmoid", "log_sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "softplus", "softmax", "log_softmax"}
BENT = {"relu", "leaky_relu", "prelu", "elu", "selu", "identity", "step", "step_strict", "sign"}


def test_every_activation_has_a_name():
    classes = {c for c in vars(nn.activations).values() if isinstance(c, type) and issubclass(c, nn.Module)}
    assert set(nn.ACTIVATIONS.values()) == classes - {nn.Module, nn.Activation}
    assert nn.ACTIVATIONS.keys() == SMOOTH | BENT


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_an_activation_is_its_function(name):
    x = (Key(0) / "x").generator().standard_normal((5, 3)).astype(np.float32)
    settings = {"prelu": (np.float32(0.25),)}.get(name, ())
    np.testing.assert_array_equal(nn.activation(name)(x).data, getattr(cr, name)(x, *settings))
    assert type(nn.activation(name)) is nn.ACTIVATIONS[name]
    assert nn.activation(name) is not nn.activation(name)


# Dropout.


@pytest.mark.parametrize("p", [0.1, 0.4, 0.5, 0.9])
def test_dropout_drops_p_and_keeps_the_mean(p):
    n = 200_000
    cr.seed(0)
    y = nn.Dropout(p)(np.ones(n, np.float32)).data
    dropped = (y == 0).mean()
    assert abs(dropped - p) < SIGMAS * sqrt(p * (1 - p) / n)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)
    assert abs(y.mean() - 1) < SIGMAS * sqrt(p / (1 - p) / n)


def test_dropout_at_its_ends_and_in_evaluation():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(nn.Dropout(0)(x).data, x)
    np.testing.assert_array_equal(nn.Dropout(1)(x).data, 0 * x)
    np.testing.assert_array_equal(nn.Dropout(0.9).eval()(x).data, x)


def test_the_gradient_passes_where_the_value_did():
    x = cr.tensor(np.ones((50, 4)), requires_grad=True)
    y = nn.Dropout(0.4)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def drops(key):
    model = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5), inner=nn.Sequential(nn.Dropout(0.5)))
    with random_stream(key):
        x = np.ones((8, 8), np.float32)
        first, second, inner = (m(x).data for m in (*list(model)[:2], model.inner))
        return model(x).data, first, second, inner


def test_a_step_can_be_drawn_again():
    """Masks are a function of (seed, step, module path, count)."""
    key = Key(3) / "step"
    for a, b in zip(drops(key / 17), drops(key / 17), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(drops(key / 17)[1], drops(key / 18)[1])
    assert not np.array_equal(drops(key / 17)[1], drops(Key(4) / "step" / 17)[1])
    together = drops(key / 17)
    assert not np.array_equal(together[1], together[2])


def test_a_random_stream_leaves_the_outer_one_alone():
    cr.seed(5)
    layer, x = nn.Dropout(0.5), np.ones(64, np.float32)
    first, second = layer(x).data, layer(x).data
    assert not np.array_equal(first, second)
    cr.seed(5)
    np.testing.assert_array_equal(layer(x).data, first)
    with random_stream(Key(9)):
        layer(x)
    np.testing.assert_array_equal(layer(x).data, second)


# Batch norm.


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5)])
def test_batch_norm_gives_mean_0_and_variance_1_per_feature(shape):
    x = (Key(0) / "bn").generator().standard_normal(shape) * 3 + 5
    y = nn.BatchNorm1d(3, eps=0.0).astype("float64")(x).data
    axes = (0,) if len(shape) == 2 else (0, 2)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-12)


@pytest.mark.parametrize(("biased", "ddof"), [(True, 0), (False, 1)])
def test_the_running_variance_of_the_documents_and_of_pytorch(biased, ddof):
    """The documents' running variance takes the batch's biased variance, PyTorch's the unbiased one."""
    layer = nn.BatchNorm1d(3, momentum=0.25, biased_running_var=biased).astype("float64")
    mean, var = np.zeros(3), np.ones(3)
    for step in range(3):
        x = (Key(0) / "running" / step).generator().standard_normal((4, 3, 2)) + step
        layer(x)
        mean = 0.75 * mean + 0.25 * x.mean((0, 2))
        var = 0.75 * var + 0.25 * np.moveaxis(x, 1, 0).reshape(3, -1).var(1, ddof=ddof)
    np.testing.assert_allclose(layer.running_mean.data, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, var, rtol=1e-12)
    assert int(layer.num_batches_tracked) == 3


def test_evaluation_and_refused_batches_leave_the_running_statistics():
    layer = nn.BatchNorm1d(3)
    before = layer.state_dict()
    layer.eval()(np.ones((4, 3)))
    with pytest.raises(ValueError, match="two values a feature"):
        layer.train()(np.ones((1, 3)))
    assert all(np.array_equal(a, before[name]) for name, a in layer.state_dict().items())


def test_running_statistics_keep_no_history():
    layer = nn.BatchNorm1d(3)
    layer(cr.tensor(np.ones((4, 3), np.float32), requires_grad=True))
    assert layer.running_mean.node is None
    assert layer.running_var.node is None
    assert layer.running_mean.dtype == np.float32


def test_layer_norm_is_the_same_in_both_modes_and_for_each_sample_alone():
    layer = nn.LayerNorm(6)
    x = (Key(0) / "ln").generator().standard_normal((4, 6)).astype(np.float32)
    np.testing.assert_array_equal(layer(x).data, layer.eval()(x).data)
    np.testing.assert_allclose(layer(x[2:3]).data, layer(x).data[2:3], rtol=1e-6)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_channel_dropout_drops_whole_channels_and_keeps_the_mean(axes):
    x = np.ones((50, 40, *[2] * axes), np.float32)
    y = getattr(nn, f"Dropout{axes}d")(0.25)(x).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    flat = y.reshape(50, 40, -1)
    np.testing.assert_array_equal(flat.min(-1), flat.max(-1))
    assert abs(y.mean() - 1) < 0.05  # 2000 channels: 4 deviations of √(p/(1−p))/√2000


def test_drawn_slopes_lie_between_their_bounds():
    slopes = -nn.RReLU(0.2, 0.6)(-np.ones(10_000, np.float32)).numpy()
    assert 0.2 <= slopes.min() < 0.21
    assert 0.59 < slopes.max() < 0.6 + 1e-6
    np.testing.assert_allclose(nn.RReLU(0.2, 0.6).eval()(-np.ones(3)).numpy(), -0.4)
