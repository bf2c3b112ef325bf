"""The functions that users call, against NumPy's where it has them; their derivatives checked to order 2."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.ops.shapes import index

EXACT = 1e-12  # the same arithmetic in float64, in another order
RNG = np.random.default_rng(0)
X = RNG.permutation(24).reshape(2, 3, 4) * 0.3 - 2.0  # distinct entries, none at 0, none opposite
AXES = [None, 0, 1, 2, -1, -3, (0,), (0, 2), (-1, 1), (2, 0, 1), [0, 1], np.int64(1), ()]


def close(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=EXACT, atol=EXACT)


def derivatives_hold(f, *args, order=2):
    assert cr.check_gradients(f, *args, order=order)


# --- NumPy's functions on tensors, which are ours of the same name ---------------------------------


@pytest.mark.parametrize("name", ["exp", "tanh", "absolute", "square", "sqrt", "log"])
def test_functions_of_numpy_of_one_argument(name):
    y, x_bar = cr.value_and_grad(lambda x: getattr(np, name)(x).sum())(np.abs(X))
    close(y, getattr(np, name)(np.abs(X)).sum())
    assert cr.check_gradients(getattr(np, name), np.abs(X))
    assert np.shape(x_bar) == X.shape


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "power"])
def test_functions_of_numpy_of_two_arguments(name):
    for args in ((cr.tensor(np.abs(X)), X[:1] + 3), (np.abs(X), cr.tensor(X[:1] + 3))):
        y = getattr(np, name)(*args)
        assert isinstance(y, cr.Tensor)
        close(y, getattr(np, name)(np.abs(X), X[:1] + 3))


# --- reductions -----------------------------------------------------------------------------------

REDUCTIONS = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "var": np.var, "std": np.std}


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, axis, keepdims):
    numpys_axis = tuple(axis) if isinstance(axis, list) else axis
    wanted = REDUCTIONS[name](X, axis=numpys_axis, keepdims=keepdims)
    close(getattr(cr, name)(X, axis, keepdims), wanted)
    close(getattr(cr.tensor(X), name)(axis=axis, keepdims=keepdims).numpy(), wanted)


@pytest.mark.parametrize("axis", [None, 1, (0, -1)], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_derivatives_of_reductions(name, axis):
    derivatives_hold(lambda x: getattr(cr, name)(x, axis), X)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)], ids=str)
@pytest.mark.parametrize("ord", [1, 2, 3, 2.5, np.inf])
def test_norms(ord, axis):
    a = np.abs(X)
    wanted = a.max(axis) if ord == np.inf else (a**ord).sum(axis) ** (1 / ord)
    close(cr.norm(X, ord, axis), wanted)
    assert cr.norm(X, ord, axis, keepdims=True).ndim == 3
    derivatives_hold(lambda x: cr.norm(x, ord, axis), X)


def test_norm_of_a_matrix_is_frobenius():
    close(cr.norm(X[0]), np.linalg.norm(X[0]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.bool_])
def test_reductions_of_integers(dtype):
    """Narrow integers are added in int64, and no sign is taken of unsigned ones."""
    n = np.array([200, 0, 250, 1]).astype(dtype)
    assert cr.sum(n) == np.sum(n.astype(int))
    assert cr.sum(n).dtype == np.int64
    assert cr.min(n) == n.min()
    assert cr.max(n) == n.max()
    assert cr.mean(n) == np.float32(n.mean())
    assert cr.min(n).dtype == dtype


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_derivative(name):
    sign = 1 if name == "max" else -1
    x = cr.tensor([[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]], requires_grad=True)
    getattr(cr, name)(sign * x, axis=1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), sign * np.array([[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]]), rtol=1e-6)


def test_ties_of_two_share_the_derivative():
    for f in (cr.maximum, cr.minimum):
        x = cr.tensor([2.0], requires_grad=True)
        f(x, 2.0).sum().backward()
        assert x.grad.tolist() == [0.5]


@pytest.mark.parametrize("axis", [None, 0, -1, 2])
def test_positions(axis):
    for name in ("argmax", "argmin"):
        wanted = getattr(np, name)(X, axis=axis)
        np.testing.assert_array_equal(getattr(cr, name)(X, axis), wanted)
        np.testing.assert_array_equal(getattr(cr.tensor(X), name)(axis).numpy(), wanted)


def test_reductions_of_nothing():
    empty = np.zeros((0, 3))
    assert cr.sum(empty) == 0
    assert cr.sum(empty, 0).tolist() == [0, 0, 0]
    assert cr.max(empty, 1).shape == (0,)


def test_lists_are_operands():
    assert cr.max([1.0, 3.0]) == 3
    assert cr.var([1.0, 3.0]) == 1
    assert cr.argmax([1.0, 3.0]) == 1
    assert cr.dot([1.0, 2.0], [3.0, 4.0]) == 11
    x = cr.tensor(2.0, requires_grad=True)
    cr.sum([x, x * x, 1.0]).backward()
    assert x.grad.item() == 5


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 4), (-1,), (4, -1), (2, 3, 2, -1), (-1, 24), (2, 3, 4), (1, 24, 1)])
def test_reshape(shape):
    close(cr.reshape(X, shape), X.reshape(shape))
    close(cr.tensor(X).reshape(*shape), X.reshape(shape))
    close(cr.tensor(X).reshape(list(shape)), X.reshape(shape))
    derivatives_hold(lambda x: cr.reshape(x * x, shape), X)


def test_reshape_of_one_entry_and_of_none():
    assert cr.reshape(np.ones((1, 1)), ()).shape == ()
    assert cr.reshape(np.ones(()), np.int64(1)).shape == (1,)
    assert cr.reshape(np.ones((0, 3)), 3, -1).shape == (3, 0)


@pytest.mark.parametrize("axes", [(), (0, 1, 2), (2, 0, 1), (-1, 0, 1), ((1, 2, 0),), ([1, 0, 2],)], ids=str)
def test_transpose(axes):
    close(
        cr.transpose(X, *axes),
        np.transpose(X, *([axes[0]] if axes and isinstance(axes[0], (tuple, list)) else [axes or None])),
    )
    derivatives_hold(lambda x: cr.transpose(x * x, *axes), X)


def test_transposes_of_tensors():
    t = cr.tensor(X)
    close(t.T, X.T)
    close(t.transpose(1, 0, 2), X.transpose(1, 0, 2))
    close(cr.tensor(X[0, 0]).T, X[0, 0])


@pytest.mark.parametrize("start", [0, 1, 2, -1, -3])
def test_flatten(start):
    shape = X.shape[: start % 3]
    close(cr.flatten(X, start), X.reshape(*shape, -1))


def test_flatten_of_no_axes():
    assert cr.flatten(np.array(1.0)).shape == (1,)


def test_axes_of_size_one():
    x = np.ones((1, 3, 1))
    assert cr.squeeze(x).shape == (3,)
    assert cr.squeeze(x, 0).shape == (3, 1)
    assert cr.squeeze(x, -1).shape == (1, 3)
    for axis in range(-4, 4):
        assert cr.expand_dims(x, axis).shape == np.expand_dims(x, axis).shape
    derivatives_hold(lambda x: cr.expand_dims(cr.squeeze(x * x, 0), -1), x)


KEYS = {
    "number": 1,
    "negative": -1,
    "slice": slice(1, None),
    "backwards": (slice(None), slice(None, None, -2)),
    "numbers": (0, 2, 3),
    "ellipsis": (..., 1),
    "new axis": (None, slice(None), None, 0),
    "integers": np.array([1, 0, 1, 1]),
    "list": [0, 0],
    "pairs": (np.array([0, 1, 1]), np.array([2, 0, 0])),
    "apart": (np.array([0, 1]), slice(None), np.array([3, 3])),
    "mask": X > 0,
    "rows by mask": np.array([False, True]),
    "nothing": slice(0, 0),
    "of tensors": (cr.tensor([0, 1]), cr.tensor([1, 1])),
    "tensor mask": cr.tensor(X) > 0.5,
    "true": True,
}


@pytest.mark.parametrize("name", KEYS)
def test_index(name):
    key = KEYS[name]
    plain = tuple(np.asarray(k) if isinstance(k, cr.Tensor) else k for k in key) if isinstance(key, tuple) else key
    wanted = X[np.asarray(plain) if isinstance(plain, cr.Tensor) else plain]
    close(cr.tensor(X)[key].numpy(), wanted)
    derivatives_hold(lambda x: index(x * x, key), X)


def test_an_entry_taken_twice_gets_both_shares():
    x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x[[0, 0, 2]] * np.array([1.0, 10.0, 100.0], np.float32)).sum().backward()
    assert x.grad.tolist() == [11.0, 0.0, 100.0]


def test_tensors_can_be_walked_and_counted():
    t = cr.tensor(X)
    assert len(t) == 2
    assert [row.shape for row in t] == [(3, 4), (3, 4)]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenate(axis):
    parts = [X, X * 2, X + 1]
    close(cr.concatenate(parts, axis), np.concatenate(parts, axis))
    derivatives_hold(lambda *xs: cr.concatenate([x * x for x in xs], axis), *parts)


@pytest.mark.parametrize("axis", [0, 1, 3, -1, -4])
def test_stack(axis):
    close(cr.stack([X, 2 * X], axis), np.stack([X, 2 * X], axis))
    derivatives_hold(lambda a, b: cr.stack([a * b, a], axis), X, X + 1)


def test_joined_dtypes_are_promoted():
    joined = cr.concatenate([np.ones(2, np.float32), np.ones(2), np.ones(1, int)])
    assert joined.dtype == np.float64
    assert cr.stack([cr.tensor(1.0), 2]).tolist() == [1.0, 2.0]


# --- choice and powers ----------------------------------------------------------------------------


def test_where_broadcasts_all_three():
    condition = np.array([True, False, True])
    a, b = np.arange(2.0).reshape(2, 1), np.array(5.0)
    close(cr.where(condition, a, b), np.where(condition, a, b))
    derivatives_hold(lambda a, b: cr.where(condition, a * a, b * b), a, b)
    assert cr.where(cr.tensor(condition), 1.0, 0.0).dtype == np.float32
    assert cr.where(condition, 1, 0).dtype == np.int64


def test_the_side_not_taken_gets_no_nan():
    x = cr.tensor([0.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        cr.where(x > 0, cr.log(cr.where(x > 0, x, 1.0)), x).sum().backward()
    assert x.grad.tolist() == [1.0, 0.25]


@pytest.mark.parametrize(("low", "high"), [(-0.95, 0.95), (None, 0.55), (-0.45, None), (None, None)])
def test_clip(low, high):
    wanted = np.clip(X, -np.inf if low is None else low, np.inf if high is None else high)
    close(cr.clip(X, low, high), wanted)
    derivatives_hold(lambda x: cr.clip(x, low, high) if low is not None or high is not None else x * 1, X)


@pytest.mark.parametrize("p", [0, 1, 2, 3, -1, -2.5, 0.5, 2.0])
def test_powers_by_a_number(p):
    base = np.abs(X)
    close(cr.power(base, p), base**p)
    close((cr.tensor(base) ** p).numpy(), base**p)
    derivatives_hold(lambda x: x**p, base)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_whole_powers_at_zero_have_all_derivatives(n):
    f = lambda x: cr.power(x, n)  # noqa: E731
    first, second = cr.grad(f), cr.grad(cr.grad(f))
    zero = np.array(0.0)
    assert first(zero) == (1 if n == 1 else 0)
    assert second(zero) == (2 if n == 2 else 0)


def test_powers_by_an_array():
    base, p = np.abs(X), np.array([1.5, -2.0, 0.0, 3.0])
    close(cr.power(base, p), base**p)
    close(cr.power(2, p), 2**p)
    derivatives_hold(lambda x, p: x**p, base, p)
    derivatives_hold(lambda p: 2**p, p)


# --- products -------------------------------------------------------------------------------------

PRODUCTS = [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (5, 3, 2)), ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((4, 2, 0), (0, 3)), ((0, 2, 3), (3, 4)), ((1, 1), (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), PRODUCTS, ids=str)
def test_matmul(a, b):
    a, b = RNG.standard_normal(a), RNG.standard_normal(b)
    close(cr.matmul(a, b), a @ b)
    close((cr.tensor(a) @ b).numpy(), a @ b)
    derivatives_hold(cr.matmul, a, b)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 0, 3), (1, 1, 1, 3)])
@pytest.mark.parametrize("biased", [True, False])
def test_affine(shape, biased):
    x, w = RNG.standard_normal(shape), RNG.standard_normal((4, 3))
    b = [RNG.standard_normal(4)] if biased else []
    close(cr.affine(x, w, *b), x @ w.T + (b[0] if b else 0))
    derivatives_hold(cr.affine, x, w, *b)


def test_affine_without_features():
    assert cr.affine(np.ones((2, 5, 0)), np.ones((4, 0)), np.arange(4.0)).tolist() == [[[0, 1, 2, 3]] * 5] * 2


def test_affine_takes_a_list_and_another_dtype_as_bias():
    y = cr.affine(np.ones((1, 2), np.float32), np.ones((3, 2), np.float32), [1, 2, 3])
    assert y.tolist() == [[3, 4, 5]]
    assert y.dtype == np.float32


def test_dot_and_outer():
    a, b = np.arange(3.0), np.arange(2.0) + 1
    close(cr.dot(a, a), a @ a)
    close(cr.outer(a, b), np.outer(a, b))
    close(cr.dot(X, X), (X * X).sum())
    derivatives_hold(lambda a, b: cr.outer(a, b) * cr.dot(a, a), a, b)


# --- softmax --------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_softmax_family(axis):
    e = np.exp(X)
    total = e.sum(axis, keepdims=True)
    close(cr.softmax(X, axis), e / total)
    close(cr.log_softmax(X, axis), X - np.log(total))
    close(cr.logsumexp(X, axis), np.log(total).squeeze(axis))
    close(cr.logsumexp(X, axis, keepdims=True), np.log(total))
    for f in (cr.softmax, cr.log_softmax, cr.logsumexp):
        derivatives_hold(lambda x, f=f: f(x, axis), X)


def test_nothing_overflows():
    x = np.array([1e4, 0.0, -1e4])
    assert cr.softmax(x).tolist() == [1.0, 0.0, 0.0]
    assert cr.log_softmax(x).tolist() == [0.0, -1e4, -2e4]
    assert cr.logsumexp(x) == 1e4
    for f in (cr.sigmoid, cr.softplus, cr.log_sigmoid, cr.silu, cr.tanh, cr.elu, cr.selu, cr.gelu):
        assert np.isfinite(f(x)).all()
        assert np.isfinite(cr.grad(lambda x, f=f: f(x).sum())(x)).all()


def test_softmax_of_integers_is_float32():
    assert cr.softmax(np.array([1, 2])).dtype == np.float32
    assert cr.logsumexp(np.array([1, 2])).dtype == np.float32


# --- broadcasting ------------------------------------------------------------------------------


@given(
    shape=st.lists(st.integers(1, 3), min_size=0, max_size=3),
    drop=st.lists(st.booleans(), min_size=3, max_size=3),
    cut=st.integers(0, 3),
)
@settings(max_examples=60)
def test_broadcasting_is_numpys(shape, drop, cut):
    a = np.ones(shape)
    b = np.ones([1 if d else n for n, d in zip(shape, drop, strict=False)][min(cut, len(shape)) :])
    y = cr.tensor(a, requires_grad=True) + cr.tensor(b, requires_grad=True)
    assert y.shape == np.broadcast_shapes(a.shape, b.shape)
    derivatives_hold(lambda a, b: a * b, a + 1, b + 2, order=1)
