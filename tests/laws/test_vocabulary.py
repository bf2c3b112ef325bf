"""Edges of the vocabulary: zeros, infinities, ties, equal eigenvalues, singular matrices; and its mistakes."""

import numpy as np
import pytest

import chainrule as cr

EQUAL = 1e-12  # a few operations in float64
INF = np.inf


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- zeros and infinities ---------------------------------------------------------------------------


@pytest.mark.parametrize("zeros", [[0], [1, 3], [0, 1, 2, 3]])
def test_products_with_zeros_have_all_their_derivatives(zeros):
    x = np.array([2.0, -1.0, 3.0, 0.5])
    x[zeros] = 0
    others = [np.prod(np.delete(x, i)) for i in range(4)]
    np.testing.assert_allclose(cr.grad(cr.prod)(x), others, rtol=EQUAL)
    hessian = [[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(cr.hessian(cr.prod)(x), hessian, rtol=EQUAL)
    assert cr.check_gradients(lambda v: cr.cumprod(v, 0), x, order=2)


def test_a_row_of_minus_infinity():
    x = np.array([[-INF, -INF, -INF], [-INF, 0.0, -INF], [1.0, 2.0, 3.0]])
    y, slope = cr.value_and_grad(lambda v: cr.sum(cr.where(cr.isfinite(v), 1, 0)) + cr.logsumexp(v)[1])(x)
    assert y == 4
    np.testing.assert_array_equal(slope, [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(cr.logsumexp(x)[:2], [-INF, 0])
    pulled = cr.vjp(cr.logsumexp, x)[1](np.ones(3))[0]
    np.testing.assert_array_equal(pulled[:2], [[0, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(cr.jvp(cr.logsumexp, (x,), (np.ones_like(x),))[1], [0, 1, 1], rtol=EQUAL)
    assert cr.logsumexp(np.array([INF, 0.0])) == INF


def test_log_of_a_sum_of_two_at_the_ends():
    pairs = np.array([[-INF, -INF], [-INF, 0.0], [1e4, 1e4], [0.0, 0.0]])
    y = cr.logaddexp(pairs[:, 0], pairs[:, 1])
    np.testing.assert_allclose(y, [-INF, 0, 1e4 + np.log(2), np.log(2)])
    a_bar, b_bar = cr.vjp(cr.logaddexp, pairs[:, 0], pairs[:, 1])[1](np.ones(4))
    np.testing.assert_allclose(a_bar, [0.5, 0, 0.5, 0.5])
    np.testing.assert_allclose(a_bar + b_bar, 1)
    assert cr.check_gradients(cr.logaddexp, np.zeros(2), np.zeros(2), order=2)
    running = cr.logcumsumexp(np.array([-INF, -INF, 0.0, 0.0]))
    np.testing.assert_allclose(running, [-INF, -INF, 0, np.log(2)])


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, INF])
def test_norms_at_zero_have_a_derivative(p):
    y, slope = cr.value_and_grad(lambda x: cr.norm(x, p))(np.zeros(3))
    assert y == 0
    np.testing.assert_array_equal(slope, 0)
    assert np.isfinite(cr.grad(lambda x: cr.sum(cr.normalize(x, p)))(np.zeros(3))).all()


def test_directions_at_zero():
    zero, one = np.zeros(2), np.array([3.0, 4.0])
    np.testing.assert_array_equal(cr.normalize(one), one / 5)
    assert cr.cosine_similarity(zero, one) == 0
    for f in (cr.hypot, cr.atan2):
        bars = cr.vjp(f, zero, zero)[1](np.ones(2))
        np.testing.assert_array_equal(bars, 0)
    np.testing.assert_allclose(cr.hypot(3e200, np.float64(4e200)), 5e200, rtol=EQUAL)


def test_the_complement_of_the_error_function_keeps_its_digits():
    assert 1 - cr.erf(np.float64(10)) == 0 < cr.erfc(np.float64(10)) < 1e-44


def test_the_other_triangle_may_hold_anything():
    x = np.full((3, 3), np.nan)
    np.testing.assert_array_equal(cr.tril(np.where(np.tri(3), 1.0, x)), np.tri(3))
    np.testing.assert_array_equal(cr.triu(np.where(np.tri(3).T, 1.0, x)), np.tri(3).T)
    assert cr.tril(cr.tensor(np.ones((2, 2)))).dtype == np.float64


# --- integers stay, booleans count ------------------------------------------------------------------


def test_integers():
    x = np.array([[3, 1], [2, 5]])
    for f, wanted in (
        (cr.cumsum, np.cumsum(x, -1)),
        (cr.cumprod, np.cumprod(x, -1)),
        (cr.prod, np.int64(30)),
        (cr.sort, np.sort(x)),
        (cr.floor, x),
        (cr.diagonal, np.array([3, 5])),
        (cr.trace, np.int64(8)),
        (cr.tril, np.tril(x)),
        (lambda v: cr.remainder(v, 3), x % 3),
        (lambda v: cr.einsum("ij,jk->ik", v, v), x @ x),
        (lambda v: cr.index_add(v, 0, np.array([0, 0]), v), x + np.array([[5, 6], [0, 0]])),
    ):
        y = f(x)
        np.testing.assert_array_equal(y, wanted)
        assert y.dtype == np.int64, f
    assert cr.cumsum(np.array([True, True])).tolist() == [1, 2]
    assert cr.argsort(np.array([1, 3, 2], np.uint8), descending=True).tolist() == [1, 2, 0]


def test_truth():
    a, b = np.array([True, True, False]), np.array([0.0, 2.0, np.nan])
    np.testing.assert_array_equal(cr.logical_and(a, b), [False, True, False])
    np.testing.assert_array_equal(cr.logical_or(a, b), [True, True, True])
    np.testing.assert_array_equal(cr.logical_not(a), ~a)
    np.testing.assert_array_equal(cr.isnan(b), [False, False, True])
    np.testing.assert_array_equal(cr.isinf(np.array([1, INF, -INF])), [False, True, True])


# --- stopping the derivative ------------------------------------------------------------------------


def test_a_stopped_tensor_is_a_node_of_its_own_under_every_transformation():
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(cr.grad(lambda v: cr.sum(v * v.detach()))(x), x)
    np.testing.assert_array_equal(cr.jvp(lambda v: v * cr.stop_gradient(v), (x,), (np.ones(3),))[1], x)
    np.testing.assert_array_equal(cr.vmap(lambda v: v * v.detach())(x), x * x)
    np.testing.assert_array_equal(cr.vmap(cr.grad(lambda v: v * v.detach()))(x), x)
    spec = cr.Tensor(cr.Spec((3,), np.dtype(np.float32)))
    assert spec.detach().shape == (3,)
    assert not cr.tensor(x, requires_grad=True).detach().requires_grad


# --- matrices ---------------------------------------------------------------------------------------


def test_functions_of_equal_eigenvalues():
    """What depends on the values alone, or on the space of their vectors, has its derivative."""
    a = np.diag([1.0, 1.0, 3.0])
    step = draw(3, 3)
    step = step + step.T
    slope = cr.grad(lambda m: cr.sum(cr.eigh(m)[0] ** 2))(a)
    np.testing.assert_allclose(slope, 2 * a, atol=EQUAL)
    powered = lambda m: (lambda w, v: (v * w**3) @ v.T)(*cr.eigh(m))  # noqa: E731
    np.testing.assert_allclose(powered(a), a @ a @ a, atol=EQUAL)
    projection = lambda m: (lambda v: v[:, :2] @ v[:, :2].T)(cr.eigh(m)[1])  # noqa: E731
    h = 1e-6
    moved = (np.asarray(projection(a + h * step)) - np.asarray(projection(a - h * step))) / (2 * h)
    np.testing.assert_allclose(cr.jvp(projection, (a,), (step,))[1], moved, atol=1e-8)


def test_singular_values_at_zero_and_at_ties():
    np.testing.assert_allclose(cr.grad(lambda a: cr.matrix_norm(a, "nuc"))(np.eye(3)), np.eye(3), atol=EQUAL)
    assert np.isfinite(cr.grad(lambda a: cr.matrix_norm(a, 2))(np.zeros((2, 3)))).all()


def test_the_determinant_of_a_singular_matrix_has_a_derivative():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(cr.grad(cr.det)(a), [[4, -2], [-2, 1]], atol=EQUAL)
    np.testing.assert_allclose(cr.grad(cr.det)(np.zeros((3, 3))), 0)
    assert cr.slogdet(a)[1] < -30 or cr.slogdet(a)[0] == 0
    assert np.isnan(cr.logdet(np.diag([1.0, -1.0])))


def test_factors_put_together_again():
    a = draw(2, 4, 3)
    u, s, vt = cr.svd(a)
    np.testing.assert_allclose(cr.einsum("bik,bk,bkj->bij", u, s, vt), a, atol=EQUAL)
    for m in (a, np.swapaxes(a, 1, 2)):
        q, r = cr.qr(m)
        np.testing.assert_allclose(q @ r, m, atol=EQUAL)
    symmetric = a @ np.swapaxes(a, 1, 2) + np.eye(4)
    low = cr.cholesky(symmetric)
    np.testing.assert_allclose(low @ np.swapaxes(low, 1, 2), symmetric, atol=EQUAL)
    w, v = cr.eigh(symmetric)
    np.testing.assert_allclose((v * w[:, None]) @ np.swapaxes(v, 1, 2), symmetric, atol=EQUAL)
    np.testing.assert_allclose(cr.inv(symmetric) @ symmetric, np.broadcast_to(np.eye(4), (2, 4, 4)), atol=1e-11)


def test_solving_for_many_right_sides_broadcasts():
    a, b = draw(3, 3) + 3 * np.eye(3), draw(5, 3, 2, seed=1)
    np.testing.assert_allclose(cr.solve(a, b), np.linalg.solve(a, b), atol=EQUAL)
    np.testing.assert_allclose(cr.lstsq(a, b[0]), np.linalg.solve(a, b[0]), atol=EQUAL)


# --- spectra ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_there_and_back(n):
    x = draw(3, n)
    np.testing.assert_allclose(cr.irfft(cr.rfft(x), n), x, atol=EQUAL)
    spectrum = np.fft.rfft(x)
    np.testing.assert_allclose(cr.rfft(x), np.stack([spectrum.real, spectrum.imag], -1), atol=EQUAL)
    assert cr.rfft(x.astype(np.float32)).dtype == np.float32


def test_a_product_of_spectra_is_a_circular_convolution():
    x, k = draw(7), draw(7, seed=1)
    y = cr.irfft(cr.complex_multiply(cr.rfft(x), cr.rfft(k)), 7)
    wanted = [sum(x[j] * k[(i - j) % 7] for j in range(7)) for i in range(7)]
    np.testing.assert_allclose(y, wanted, atol=EQUAL)


# --- NumPy means the same ---------------------------------------------------------------------------

X = draw(2, 3, 4)
SAME = {
    "diag": (lambda: cr.diag(X[0], 1), lambda: np.diag(X[0], 1)),
    "diag of a vector": (lambda: cr.diag(X[0, 0], -2), lambda: np.diag(X[0, 0], -2)),
    "diagonal": (lambda: cr.diagonal(X, 1, 0, 2), lambda: np.diagonal(X, 1, 0, 2)),
    "diagonal outside": (lambda: cr.diagonal(X, 9), lambda: np.diagonal(X, 9, -2, -1)),
    "flip": (lambda: cr.flip(X, (0, -1)), lambda: np.flip(X, (0, -1))),
    "kron": (lambda: cr.kron(X[0], X[1]), lambda: np.kron(X[0], X[1])),
    "moveaxis": (lambda: cr.moveaxis(X, (0, 2), (2, 1)), lambda: np.moveaxis(X, (0, 2), (2, 1))),
    "moveaxis back": (lambda: cr.moveaxis(X, -1, 0), lambda: np.moveaxis(X, -1, 0)),
    "repeat": (lambda: cr.repeat(X, 2), lambda: np.repeat(X, 2)),
    "repeat each": (lambda: cr.repeat(X, [2, 0, 1], 1), lambda: np.repeat(X, [2, 0, 1], 1)),
    "roll": (lambda: cr.roll(X, (1, -2), (0, 2)), lambda: np.roll(X, (1, -2), (0, 2))),
    "swapaxes": (lambda: cr.swapaxes(X, 0, -1), lambda: np.swapaxes(X, 0, -1)),
    "take": (lambda: cr.take(X, [2, 0], 1), lambda: np.take(X, [2, 0], 1)),
    "tensordot": (lambda: cr.tensordot(X, X, ([1, 2], [1, 2])), lambda: np.tensordot(X, X, ([1, 2], [1, 2]))),
    "tile": (lambda: cr.tile(X, (2, 1)), lambda: np.tile(X, (2, 1))),
}


@pytest.mark.parametrize("name", SAME)
def test_numpy_means_the_same(name):
    ours, theirs = SAME[name]
    np.testing.assert_allclose(ours(), theirs(), rtol=EQUAL)


# --- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cr.solve(X, X), "Expected square matrices in the last two axes, got shape (2, 3, 4)."),
        (
            lambda: cr.solve(np.eye(2), np.ones((3, 1))),
            "The equations a y = b do not fit together: a is (2, 2), b is (3, 1).",
        ),
        (
            lambda: cr.solve(np.zeros((2, 2)), np.ones(2)),
            "The matrix is singular: its rows depend on one another, so the equations have no single solution.\n"
            "  shape   (2, 2)\n  try     cr.lstsq, or a + eps * cr.eye(n)",
        ),
        (
            lambda: cr.cholesky(-np.eye(2)),
            "The matrix has no Cholesky factor: its symmetric part is not positive definite.\n"
            "  shape   (2, 2)\n  try     a + eps * cr.eye(n)",
        ),
        (lambda: cr.det(np.ones(3)), "Expected matrices in the last two axes, got shape (3,)."),
        (
            lambda: cr.matrix_norm(np.eye(2), "max"),
            "There is no matrix norm 'max'.\n  known   fro, nuc, 2, -2, 1, -1, inf, -inf",
        ),
        (
            lambda: cr.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((4, 2))),
            "Axis 'j' of 'ij,jk->ik' has the sizes 3 and 4.\n  shapes  (2, 3) and (4, 2)",
        ),
        (
            lambda: cr.einsum("ij,jk->ik", np.eye(2)),
            "The letters 'ij,jk->ik' name 2 operands, the call has 1.",
        ),
        (
            lambda: cr.einsum("ij->i?", np.eye(2)),
            "The letters 'ij->i?' cannot be read.\n  try     \"ij,jk->ik\"",
        ),
        (
            lambda: cr.einsum("ij->k", np.eye(2)),
            "The result of 'ij->k' names a letter twice, or one that no operand has.",
        ),
        (
            lambda: cr.einsum("ijk->i", np.eye(2)),
            "'ijk' in 'ijk->i' names 3 axes, the operand has shape (2, 2).",
        ),
        (lambda: cr.einsum("ii->i", X[0]), "Axis 'i' is named twice, but has the sizes 3 and 4."),
        (
            lambda: cr.split(X, [1, 1], 1),
            "Sizes [1, 1] do not add up to 3, the size of axis 1 of (2, 3, 4).",
        ),
        (lambda: cr.split(X, 0), "Parts have a size of at least 1, not 0."),
        (lambda: cr.chunk(X, 0), "There is no cutting into 0 parts."),
        (lambda: cr.roll(X, (1, 2), 0), "There is not one shift for each axis: shifts (1, 2), axes (0,)."),
        (lambda: cr.moveaxis(X, (0, 1), 0), "2 axes cannot be moved to 1 places."),
        (lambda: cr.moveaxis(X, (0, -3), (1, 2)), "An axis is named twice in (0, -3), of shape (2, 3, 4)."),
        (lambda: cr.tril(np.ones(3)), "A triangle is part of a matrix; the shape is (3,)."),
        (lambda: cr.diag(X), "Expected a vector or a matrix, got shape (2, 3, 4).\n  try     cr.diagonal(x)"),
        (
            lambda: cr.diagonal(np.ones(3)),
            "A diagonal needs two axes; the shape is (3,), the axes -2 and -1.",
        ),
        (
            lambda: cr.kron(X, X),
            "A Kronecker product is of two matrices; the shapes are (2, 3, 4) and (2, 3, 4).",
        ),
        (lambda: cr.rfft(np.ones((2, 0))), "There is no signal to transform in shape (2, 0)."),
        (lambda: cr.rfft(np.ones(3), 0), "A signal has at least 1 entry, not n = 0."),
        (
            lambda: cr.irfft(np.ones(3)),
            "A spectrum has pairs (real, imaginary) in its last axis, got shape (3,).",
        ),
        (
            lambda: cr.irfft(np.ones((3, 2)), 9),
            "A signal of length 9 has a spectrum of shape (…, 5, 2), got (3, 2).",
        ),
        (lambda: cr.cumsum(X, 3), "There is no axis 3 in shape (2, 3, 4)."),
        (
            lambda: cr.logsumexp(np.ones((2, 0))),
            "There is no largest or smallest of no entries: shape (2, 0), axes (1,).",
        ),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.ChainruleError) as caught:
        call()
    assert str(caught.value) == text
