"""What convolution and its kin obey: fast kernels equal their definition, transposes are transposes, ties share."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import numpy_convolution
from tests.laws.domains import CASES
from tests.laws.entries import by_label

EQUAL = 1e-12  # the same sums in another order
OVERRIDDEN = {"conv", "conv_transpose", "conv_weight", "fold", "max_pool_spread", "pad", "unfold"}


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EQUAL, atol=EQUAL)


def normal(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape)


@pytest.mark.parametrize(**by_label([c for c in CASES if c.name in OVERRIDDEN]))
def test_the_fast_kernel_equals_the_definition(case):
    args = case.draw()
    fast = case.primitive.kernel_for(np.ndarray, args[0])
    assert fast is not case.primitive.kernel
    close(fast(*args, **case.settings), case.primitive.kernel(*args, **case.settings))


@pytest.mark.parametrize("block_bytes", [1, 1 << 14, 1 << 30])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
def test_the_size_of_blocks_does_not_matter(monkeypatch, block_bytes, stride):
    """One example at a time, a few with a smaller last block, all at once."""
    x, w = normal(7, 4, 9, 8), normal(6, 2, 3, 3)
    settings = {"stride": stride, "padding": ((1, 1), (0, 2)), "dilation": (1, 1), "groups": 2}
    wanted = numpy_convolution.conv(x, w, **settings)
    x_bar = numpy_convolution.conv_transpose(wanted, w, size=(9, 8), **settings)
    w_bar = numpy_convolution.conv_weight(x, wanted, kernel=(3, 3), **settings)
    monkeypatch.setattr(numpy_convolution, "BLOCK_BYTES", block_bytes)
    close(numpy_convolution.conv(x, w, **settings), wanted)
    close(numpy_convolution.conv_transpose(wanted, w, size=(9, 8), **settings), x_bar)
    close(numpy_convolution.conv_weight(x, wanted, kernel=(3, 3), **settings), w_bar)


def test_a_convolution_is_a_product_with_unfolded_windows():
    x, w = normal(2, 3, 6, 5), normal(4, 3, 3, 2)
    columns = cr.unfold(x, (3, 2), padding=1, stride=2)
    y = cr.conv2d(x, w, padding=1, stride=2)
    close(cr.matmul(w.reshape(4, -1), columns).reshape(y.shape), y)


def test_fold_counts_how_many_windows_an_entry_is_in():
    ones = np.ones((1, 1, 4, 4))
    counts = cr.fold(cr.unfold(ones, 3), (4, 4), 3)
    np.testing.assert_array_equal(counts[0, 0], np.outer([1, 2, 2, 1], [1, 2, 2, 1]))


def test_true_convolution_as_numpy_has_it():
    w, x = normal(3), normal(7, 1)[:, 0]
    close(cr.convolve(w, x), np.convolve(w, x))
    close(cr.convolve(w, x, "valid"), np.convolve(w, x, "valid"))
    close(cr.convolve(w, x, "same"), np.convolve(w, x, "same"))
    close(cr.correlate(w, x), np.correlate(x, w, "valid"))


@pytest.mark.parametrize("mode", ["constant", "circular", "reflect", "replicate"])
def test_padding_as_numpy_has_it(mode):
    x, widths = normal(2, 4, 5), ((0, 0), (2, 3), (1, 0))
    named = {"circular": "wrap", "replicate": "edge"}.get(mode, mode)
    np.testing.assert_array_equal(cr.pad(x, widths, mode), np.pad(x, widths, named))
    assert cr.check_gradients(lambda x: cr.pad(x, widths[1:], mode), x, order=2)


def test_padding_with_a_number():
    np.testing.assert_array_equal(cr.pad(np.ones(1), [(1, 2)], value=7.0), [7, 1, 7, 7])


def test_ties_share_the_derivative_of_max_pooling():
    """As in `cr.max`; PyTorch gives all to the first."""
    x = np.array([[[[2.0, 2.0], [1.0, 2.0]]]])
    share = cr.grad(lambda x: cr.max_pool(x, 2).sum())(x)
    close(share[0, 0], np.array([[1, 1], [0, 1]]) / 3)
    close(share, cr.grad(lambda x: cr.max(x, (2, 3)).sum())(x))
    close(cr.jvp(lambda x: cr.max_pool(x, 2), (x,), (np.array([[[[3.0, 6.0], [9.0, 0.0]]]]),))[1], 3.0)


def test_overlapping_windows_add_their_shares():
    x = np.array([[[1.0, 5.0, 2.0, 5.0]]])
    share = cr.grad(lambda x: (cr.max_pool(x, 3, stride=1) * np.array([1.0, 10.0])).sum())(x)
    close(share[0, 0], [0, 1 + 5, 0, 5])


@pytest.mark.parametrize("pool", [cr.max_pool, cr.avg_pool])
def test_pooling_of_pooling_is_pooling(pool):
    x = normal(2, 3, 8, 8)
    close(pool(pool(x, 2), 2), pool(x, 4))


def test_what_pools_alike():
    x = normal(2, 3, 6, 4)
    close(cr.adaptive_avg_pool(x, (3, 2)), cr.avg_pool(x, 2))
    close(cr.adaptive_max_pool(x, (3, 2)), cr.max_pool(x, 2))
    close(cr.adaptive_avg_pool(x, (None, 1)), x.mean(3, keepdims=True))
    close(cr.global_avg_pool(x), cr.adaptive_avg_pool(x, 1)[:, :, 0, 0])
    close(cr.global_max_pool(x), cr.adaptive_max_pool(x, 1)[:, :, 0, 0])
    close(cr.avg_pool(cr.upsample(x, scale_factor=2), 2), x)


def test_depthwise_is_a_convolution_channel_by_channel():
    x, w = normal(2, 5, 6, 6), normal(5, 1, 3, 3)
    alone = [cr.conv2d(x[:, c : c + 1], w[c : c + 1]) for c in range(5)]
    close(cr.conv2d(x, w, groups=5), np.concatenate(alone, 1))


def test_gradients_of_the_weights_example_by_example():
    x, w = normal(4, 2, 6, 5), normal(3, 2, 3, 3)
    loss = lambda w, x: cr.sum(cr.sin(cr.conv2d(x[None], w, padding=1)))  # noqa: E731
    each = cr.vmap(cr.grad(loss), in_axes=(None, 0))(w, x)
    for k in range(4):
        close(each[k], cr.grad(loss)(w, cr.tensor(x[k])))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_hessian_of_a_convolution_by_all_four_nestings(axes):
    x, w = normal(1, 1, *[3] * axes), normal(1, 1, *[2] * axes)
    f = lambda w: cr.sum(cr.tanh(cr.conv(x, w)) ** 2)  # noqa: E731
    modes = itertools.product(["forward", "reverse"], repeat=2)
    hessians = [cr.jacobian(cr.jacobian(f, mode=a), mode=b)(w) for a, b in modes]
    for hessian in hessians[1:]:
        np.testing.assert_allclose(hessian, hessians[0], rtol=1e-10, atol=1e-10)
