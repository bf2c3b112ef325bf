"""Convolution, pooling and norms of images in the documents: 000 ch. 12 and 14, 002 appendix A, 003 §14.5."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1

W, X = np.array([1.0, 2.0, 3.0]), np.array([1.0, -2.0, 3.0, 5.0, 4.0])
MODES = ["valid", "same", "full", "circular"]


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


def signals(*shapes):
    draw = np.random.default_rng(0)
    return [draw.standard_normal(shape) for shape in shapes]


@pytest.mark.worked("000-12.3")
def test_convolution_along_one_axis(worked):
    """(12.3): y_t = Σ w_s x_{t+s}."""
    worked("000-12.3").check(cr.correlate(np.array([1.0, 0.0, -1.0]), np.arange(1.0, 7.0)))


@pytest.mark.worked("002-A.3")
def test_true_convolution_commutes_and_cross_correlation_does_not():
    """A.3: w * x = x * w for the true one only."""
    for w, x in [signals(3, 7), signals((2, 3), (5, 4))]:
        close(cr.convolve(w, x), cr.convolve(x, w))
        there, back = cr.correlate(w, x, "full"), cr.correlate(x, w, "full")
        assert np.abs(there - back).max() > 0.1
        close(there, back[(slice(None, None, -1),) * x.ndim])  # exchanged, the result is turned around
    w, x = signals(4, 4)
    close(cr.convolve(w, x, "circular"), cr.convolve(x, w, "circular"))


@pytest.mark.worked("002-A.3")
def test_convolution_is_linear_and_adds_random_numbers():
    """A.3 and A.4: linear in x; the distribution of a sum of two dice; products of Fourier transforms."""
    w, x, z = signals(3, 6, 6)
    close(cr.convolve(w, 2 * x - 3 * z), 2 * cr.convolve(w, x) - 3 * cr.convolve(w, z))
    die = np.full(6, 1 / 6)
    close(cr.convolve(die, die) * 36, [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1])
    spectrum = np.fft.fft(np.pad(w, (0, 3))) * np.fft.fft(x)
    close(cr.convolve(w, x, "circular"), np.fft.ifft(spectrum).real)


@pytest.mark.worked("002-A.5")
def test_boundary_conditions(worked):
    """A.5: n − m + 1 = 3 places where w lies within x, n = 5 with zeros around."""
    worked("002-A.5").check(np.concatenate([cr.correlate(W, X), cr.correlate(W, X, "same")]))


@pytest.mark.worked("002-A.7")
def test_a_filter_on_an_image(worked):
    """A.7: letters a … l as 1 … 12, and as a layer."""
    image, kernel = np.arange(1.0, 13.0).reshape(4, 3), np.array([[1.0, 2.0], [3.0, 4.0]])
    worked("002-A.7").check(cr.correlate(kernel, image))
    worked("002-A.7").check(cr.conv2d(image[None, None], kernel[None, None])[0, 0])


@pytest.mark.worked("002-A.9")
def test_circular_convolution_is_a_circulant_matrix(worked):
    """A.9: the printed 5 x 5 matrix, and its product with x."""
    w0, w1, w2 = W
    printed = [
        [w0, w1, w2, 0, 0],
        [0, w0, w1, w2, 0],
        [0, 0, w0, w1, w2],
        [w2, 0, 0, w0, w1],
        [w1, w2, 0, 0, w0],
    ]
    matrix = cr.circulant_matrix(W, 5)
    np.testing.assert_array_equal(matrix, printed)
    worked("002-A.9").check(matrix @ X)
    worked("002-A.9").check(cr.correlate(W, X, "circular"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_a_convolution_is_a_matrix(m, mode):
    w, x = signals(m, 5)
    matrix = cr.toeplitz_matrix(w, 5, mode)
    close(matrix @ x, cr.correlate(w, x, mode))
    if mode != "circular":
        close(matrix[1:, 1:], matrix[:-1, :-1])  # constant along the diagonals
    x_bar = cr.grad(lambda x: cr.sum(cr.sin(cr.correlate(w, x, mode))))(x)
    close(x_bar, matrix.T @ np.cos(matrix @ x))
    jacobian = cr.jacobian(lambda w: cr.toeplitz_matrix(w, 5, mode))(w)
    close(jacobian @ w, matrix)


@pytest.mark.worked("002-A.9b", "003-14.5b")
def test_convolution_moves_with_its_input():
    """A.9: w ⋆ (T x) = T (w ⋆ x), exact for circular shifts, not where zeros come in at the ends."""
    shifted = np.roll(X, 2)
    close(cr.correlate(W, shifted, "circular"), np.roll(cr.correlate(W, X, "circular"), 2))
    assert np.abs(cr.correlate(W, shifted, "same") - np.roll(cr.correlate(W, X, "same"), 2)).max() > 1
    # 003 §14.5 calls this invariance; invariant is only what pools over all places:
    assert np.abs(cr.correlate(W, shifted, "circular") - cr.correlate(W, X, "circular")).max() > 1
    layer = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular").astype("float64")
    image = signals((1, 2, 6, 5))[0]
    there, here = layer(np.roll(image, (2, 1), (2, 3))), layer(image)
    close(there.data, np.roll(here.data, (2, 1), (2, 3)))
    close(cr.global_avg_pool(there).data, cr.global_avg_pool(here).data)
    close(cr.global_max_pool(there).data, cr.global_max_pool(here).data)


@pytest.mark.worked("002-A.11")
def test_max_pooling(worked):
    """A.11: 2 x 2 windows, stride 2."""
    image = np.array([[1.0, 2, 5, 3], [3, 0, 1, 2], [2, 1, 3, 4], [1, 1, 2, 0]])
    worked("002-A.11").check(cr.max_pool(image[None, None], 2)[0, 0])
    permuted = image.copy()
    permuted[:2, :2] = permuted[:2, :2][::-1, ::-1]  # "invariance to local deformations"
    worked("002-A.11").check(cr.max_pool(permuted[None, None], 2)[0, 0])


@pytest.mark.worked("002-A.11b")
def test_a_pooling_window_has_p_entries():
    """A.11 as printed: i from k p to (k + 1) p, one entry too many, and windows that overlap."""
    x, p = np.array([[[1.0, 2.0, 5.0, 3.0]]]), 2
    assert cr.max_pool(x, p).tolist() == [[[2.0, 5.0]]]
    assert cr.max_pool(x, p + 1, stride=p, ceil_mode=True).tolist() == [[[5.0, 5.0]]]
    assert cr.max_pool(x, p, stride=1).tolist() == [[[2.0, 5.0, 5.0]]]  # "un-strided pooling"


@pytest.mark.worked("000-14.7")
def test_group_norm_between_layer_norm_and_instance_norm():
    """§14.3-14.4: one group is layer norm over (c, h, w), a group a channel instance norm."""
    x = signals((3, 6, 4, 5))[0]
    normed = lambda layer: layer.astype("float64")(x).data  # noqa: E731
    close(normed(nn.GroupNorm(1, 6)), normed(nn.LayerNorm((6, 4, 5))))
    close(normed(nn.GroupNorm(6, 6)), normed(nn.InstanceNorm2d(6)))
    assert np.abs(normed(nn.GroupNorm(2, 6)) - normed(nn.GroupNorm(3, 6))).max() > 0.1


@pytest.mark.worked("003-14.5")
def test_the_largest_over_a_group_is_invariant():
    """§14.5: f(x) = max over φ of g(x φ), invariant where the transformations form a group, not otherwise."""
    g = lambda x: float(np.tanh(x) @ np.arange(5.0))  # noqa: E731
    largest = lambda x, shifts: max(g(np.roll(x, s)) for s in shifts)  # noqa: E731
    moved = np.roll(X, 1)
    assert largest(moved, range(5)) == pytest.approx(largest(X, range(5)), rel=EXACT)
    assert abs(largest(moved, [0, 1]) - largest(X, [0, 1])) > 0.1


@pytest.mark.worked("003-14.5c")
def test_a_kernel_of_5_sees_5_inputs_by_5_numbers():
    """§14.5: with one channel in and out, one axis, and no bias."""
    layer = nn.Conv1d(1, 1, 5, bias=False)
    assert layer.n_parameters == 5
    jacobian = cr.jacobian(lambda x: layer(x.reshape(1, 1, -1)).reshape(-1))(signals(12)[0]).data
    assert ((jacobian != 0).sum(1) == 5).all()
    assert nn.Conv2d(1, 1, 5, bias=False).n_parameters == 25
    assert nn.Conv2d(3, 8, 5).n_parameters == 25 * 3 * 8 + 8
