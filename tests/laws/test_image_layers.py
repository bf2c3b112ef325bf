"""What every layer on images obeys: right derivatives, shapes known beforehand, state that comes back."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.laws.image_layers import IMAGE_LAYERS


def drawn(name, dtype=np.float64):
    make, shape = IMAGE_LAYERS[name]
    cr.seed(0)
    entries = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape)  # no ties
    return make().astype(dtype), (entries * 0.02 - 1).astype(dtype)


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_derivatives_are_right(name):
    layer, x = drawn(name)
    names = [n for n, _ in layer.named_parameters()]

    def f(x, *values):
        return nn.functional_call(layer, dict(zip(names, values, strict=True)), x)

    assert cr.check_gradients(f, x, *(p.data for p in layer.parameters()))


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_the_shape_is_known_before_the_value(name):
    layer, x = drawn(name, np.float32)
    assert nn.summary(layer.eval(), x.shape).rows[0].shape == layer(x).shape
    assert layer(x).dtype == np.float32


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_state_comes_back(name):
    layer, x = drawn(name)
    layer(x)
    other = IMAGE_LAYERS[name][0]().astype("float64")
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.eval()(x).data, layer.eval()(x).data)


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_a_layer_says_what_it_is(name):
    layer, _ = drawn(name)
    assert repr(layer).startswith(f"{name}(")
    assert type(layer).__doc__
    assert "{" not in type(layer).__doc__
    assert type(layer).__name__ == name


def test_a_depthwise_separable_block_costs_what_it_should():
    """Depthwise 3 x 3 and then 1 x 1: 9 + c_out multiplications a channel and place, in place of 9 c_out."""
    whole = nn.summary(nn.Conv2d(8, 16, 3, bias=False), (1, 8, 10, 10))
    apart = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.Conv2d(8, 16, 1, bias=False))
    assert whole.flops == 2 * 9 * 8 * 16 * 64
    assert nn.summary(apart, (1, 8, 10, 10)).flops == 2 * (9 + 16) * 8 * 64
