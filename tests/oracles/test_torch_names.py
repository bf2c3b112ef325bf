"""What PyTorch's users reach for by name: values and gradients agree, in both widths."""

import numpy as np
import pytest

import chainrule as cr
from tests.laws.entries import anywhere, between, distinct, off_zero, positive

torch = pytest.importorskip("torch")
F = torch.nn.functional

TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}
"""Rounding of some operations, relative to the largest entry."""

M, V = (3, 4), (4,)
chances = between(0.05, 0.95)
wide = between(-8, 8)


def with_nan(draw, shape):
    x = draw.uniform(-2, 2, shape)
    return np.where(draw.random(shape) < 0.3, np.nan, x)


def spread(draw, shape):
    return draw.uniform(-1, 1, shape) + 2 * np.eye(shape[-1])


CASES = {
    # Activations.
    "celu": (cr.celu, F.celu, (off_zero, M)),
    "celu 0.3": (lambda x: cr.celu(x, 0.3), lambda x: torch.where(x > 0, x, 0.3 * torch.expm1(x / 0.3)), (off_zero, M)),
    "glu": (cr.glu, F.glu, (anywhere, M)),
    "glu 0": (lambda x: cr.glu(x, 0), lambda x: F.glu(x, 0), (anywhere, (4, 3))),
    "hardshrink": (cr.hardshrink, F.hardshrink, (distinct, M)),
    "hardsigmoid": (cr.hardsigmoid, lambda x: (x / 6 + 0.5).clamp(0, 1), (wide, M)),
    "hardswish": (cr.hardswish, F.hardswish, (wide, M)),
    "hardtanh": (cr.hardtanh, F.hardtanh, (distinct, M)),
    "mish": (cr.mish, F.mish, (wide, M)),
    "relu6": (cr.relu6, F.relu6, (wide, M)),
    "softmin": (cr.softmin, lambda x: F.softmin(x, -1), (anywhere, M)),
    "softshrink": (cr.softshrink, F.softshrink, (distinct, M)),
    "softsign": (cr.softsign, F.softsign, (off_zero, M)),
    "tanhshrink": (cr.tanhshrink, F.tanhshrink, (anywhere, M)),
    "threshold": (lambda x: cr.threshold(x, 0.31, 7.0), lambda x: F.threshold(x, 0.31, 7.0), (distinct, M)),
    # Entry by entry.
    "addcdiv": (
        lambda *xs: cr.addcdiv(*xs, 0.5),
        lambda *xs: torch.addcdiv(*xs, value=0.5),
        (anywhere, M),
        (anywhere, V),
        (off_zero, M),
    ),
    "addcmul": (
        lambda *xs: cr.addcmul(*xs, -2.0),
        lambda *xs: torch.addcmul(*xs, value=-2.0),
        (anywhere, M),
        (anywhere, V),
        (anywhere, M),
    ),
    "floor_divide": (
        lambda a, b: cr.floor_divide(a, b) * a * b,
        lambda a, b: torch.floor(a / b) * a * b,
        (wide, M),
        (positive, M),
    ),
    "fmod": (cr.fmod, torch.fmod, (wide, M), (off_zero, M)),
    "frac": (cr.frac, torch.frac, (wide, M)),
    "lerp": (cr.lerp, torch.lerp, (anywhere, M), (anywhere, M), (anywhere, M)),
    "logit": (cr.logit, torch.logit, (chances, M)),
    "nan_to_num": (lambda x: cr.nan_to_num(x, 3.0), lambda x: torch.nan_to_num(x, 3.0), (with_nan, M)),
    "reciprocal": (cr.reciprocal, torch.reciprocal, (off_zero, M)),
    "rsqrt": (cr.rsqrt, torch.rsqrt, (positive, M)),
    "sinc": (cr.sinc, torch.sinc, (between(-3, 3), (5, 9))),
    "xlogy": (cr.xlogy, torch.xlogy, (off_zero, M), (positive, M)),
    # Reductions, order, statistics.
    "aminmax": (lambda x: cr.aminmax(x, 1), lambda x: tuple(torch.aminmax(x, dim=1)), (distinct, M)),
    "aminmax all": (cr.aminmax, lambda x: tuple(torch.aminmax(x)), (distinct, M)),
    "corrcoef": (cr.corrcoef, torch.corrcoef, (distinct, M)),
    "cov": (cr.cov, torch.cov, (anywhere, M)),
    "cov of one": (cr.cov, torch.cov, (anywhere, V)),
    "diff": (cr.diff, torch.diff, (anywhere, M)),
    "diff twice": (lambda x: cr.diff(x, 2, 0), lambda x: torch.diff(x, 2, 0), (anywhere, M)),
    "kthvalue": (lambda x: cr.kthvalue(x, 2), lambda x: tuple(torch.kthvalue(x, 2)), (distinct, M)),
    "kthvalue kept": (
        lambda x: cr.kthvalue(x, 3, 0, True),
        lambda x: tuple(torch.kthvalue(x, 3, 0, True)),
        (distinct, M),
    ),
    "median": (lambda x: cr.median(x, 0), lambda x: torch.median(x, 0).values, (distinct, M)),
    "median all": (cr.median, torch.median, (distinct, (3, 3))),
    "nanmean": (lambda x: cr.nanmean(x, 1), lambda x: torch.nanmean(x, 1), (with_nan, (3, 9))),
    "nansum": (cr.nansum, torch.nansum, (with_nan, M)),
    "quantile": (
        lambda x: cr.quantile(x, [0.1, 0.5, 1.0], 1),
        lambda x: torch.quantile(x, torch.tensor([0.1, 0.5, 1.0], dtype=x.dtype), 1),
        (distinct, M),
    ),
    "quantile all": (lambda x: cr.quantile(x, 0.3), lambda x: torch.quantile(x, 0.3), (distinct, M)),
    "quantile kept": (
        lambda x: cr.quantile(x, [0.2, 0.7], 0, True),
        lambda x: torch.quantile(x, torch.tensor([0.2, 0.7], dtype=x.dtype), 0, True),
        (distinct, M),
    ),
    "quantile all kept": (
        lambda x: cr.quantile(x, 0.25, keepdims=True),
        lambda x: torch.quantile(x, 0.25, keepdim=True).reshape(1, 1),
        (distinct, M),
    ),
    "std_mean": (
        lambda x: cr.std_mean(x, 1, True),
        lambda x: torch.std_mean(x, 1, correction=0, keepdim=True),
        (anywhere, M),
    ),
    "trapezoid": (cr.trapezoid, torch.trapezoid, (anywhere, M)),
    "trapezoid over x": (
        lambda y, x: cr.trapezoid(y, x, axis=0),
        lambda y, x: torch.trapezoid(y, x, dim=0),
        (anywhere, M),
        (anywhere, (3,)),
    ),
    "var_mean": (lambda x: cr.var_mean(x, 0), lambda x: torch.var_mean(x, 0, correction=0), (anywhere, M)),
    # Distances and products.
    "addmm": (
        lambda *xs: cr.addmm(*xs, 0.5, 2.0),
        lambda *xs: torch.addmm(*xs, beta=0.5, alpha=2.0),
        (anywhere, (2,)),
        (anywhere, M),
        (anywhere, (4, 2)),
    ),
    "baddbmm": (cr.baddbmm, torch.baddbmm, (anywhere, (2, 3, 3)), (anywhere, (2, *M)), (anywhere, (2, 4, 3))),
    "bilinear": (
        cr.bilinear,
        F.bilinear,
        (anywhere, (2, 3)),
        (anywhere, (2, 4)),
        (anywhere, (5, 3, 4)),
        (anywhere, (5,)),
    ),
    "block_diag": (cr.block_diag, torch.block_diag, (anywhere, M), (anywhere, (1, 2)), (anywhere, (2, 1))),
    "cdist": (cr.cdist, torch.cdist, (anywhere, (2, 3, 4)), (anywhere, (2, 5, 4))),
    "cdist 1": (lambda a, b: cr.cdist(a, b, 1), lambda a, b: torch.cdist(a, b, 1), (anywhere, M), (anywhere, M)),
    "cdist 3": (lambda a, b: cr.cdist(a, b, 3), lambda a, b: torch.cdist(a, b, 3), (anywhere, M), (anywhere, M)),
    "cdist inf": (
        lambda a, b: cr.cdist(a, b, np.inf),
        lambda a, b: torch.cdist(a, b, np.inf),
        (anywhere, M),
        (anywhere, M),
    ),
    "cross": (cr.cross, lambda a, b: torch.linalg.cross(a, b), (anywhere, (2, 3)), (anywhere, (2, 3))),
    "cross 0": (
        lambda a, b: cr.cross(a, b, 0),
        lambda a, b: torch.linalg.cross(a, b, dim=0),
        (anywhere, (3, 2)),
        (anywhere, (3, 2)),
    ),
    "dist": (cr.dist, torch.dist, (anywhere, M), (anywhere, M)),
    "inner": (cr.inner, torch.inner, (anywhere, M), (anywhere, (2, 4))),
    "lp_pool": (lambda x: cr.lp_pool(x, 2, 2), lambda x: F.lp_pool2d(x, 2, 2), (anywhere, (1, 2, 4, 5))),
    "lp_pool 3": (lambda x: cr.lp_pool(x, 3, 3, 1), lambda x: F.lp_pool1d(x, 3, 3, 1), (positive, (2, 2, 6))),
    "matrix_power 0": (lambda a: cr.matrix_power(a, 0) * a, lambda a: torch.matrix_power(a, 0) * a, (spread, (3, 3))),
    "matrix_power 5": (lambda a: cr.matrix_power(a, 5), lambda a: torch.matrix_power(a, 5), (spread, (2, 3, 3))),
    "matrix_power -2": (lambda a: cr.matrix_power(a, -2), lambda a: torch.matrix_power(a, -2), (spread, (3, 3))),
    "pairwise_distance": (cr.pairwise_distance, F.pairwise_distance, (anywhere, M), (anywhere, M)),
    "pairwise_distance 1": (
        lambda a, b: cr.pairwise_distance(a, b, 1, 0.0, True),
        lambda a, b: F.pairwise_distance(a, b, 1, 0.0, True),
        (anywhere, M),
        (anywhere, M),
    ),
    "vander": (cr.vander, lambda x: x[:, None] ** torch.arange(3, -1, -1), (anywhere, V)),
    "vander 3": (lambda x: cr.vander(x, 3, True), lambda x: x[:, None] ** torch.arange(3), (anywhere, V)),
    # Arrangements.
    "channel_shuffle": (
        lambda x: cr.channel_shuffle(x, 3) * x,
        lambda x: F.channel_shuffle(x, 3) * x,
        (anywhere, (2, 6, 2, 3)),
    ),
    "fliplr": (lambda x: cr.fliplr(x) * x, lambda x: torch.fliplr(x) * x, (anywhere, M)),
    "flipud": (lambda x: cr.flipud(x) * x, lambda x: torch.flipud(x) * x, (anywhere, M)),
    "hstack": (lambda a, b: cr.hstack([a, b]), lambda a, b: torch.hstack([a, b]), (anywhere, M), (anywhere, (3, 1))),
    "hstack vectors": (
        lambda a, b: cr.hstack([a, b]),
        lambda a, b: torch.hstack([a, b]),
        (anywhere, V),
        (anywhere, (1,)),
    ),
    "masked_select": (lambda x: cr.masked_select(x, x > 0), lambda x: torch.masked_select(x, x > 0), (off_zero, M)),
    "meshgrid": (
        lambda a, b: cr.meshgrid(a, b),
        lambda a, b: torch.meshgrid(a, b, indexing="ij"),
        (anywhere, V),
        (anywhere, (3,)),
    ),
    "meshgrid xy": (
        lambda a, b: cr.meshgrid(a, b, indexing="xy"),
        lambda a, b: torch.meshgrid(a, b, indexing="xy"),
        (anywhere, V),
        (anywhere, (3,)),
    ),
    "narrow": (lambda x: cr.narrow(x, 1, 1, 2), lambda x: torch.narrow(x, 1, 1, 2), (anywhere, M)),
    "narrow from the end": (lambda x: cr.narrow(x, -1, -3, 2), lambda x: torch.narrow(x, -1, -3, 2), (anywhere, M)),
    "pixel_shuffle": (lambda x: cr.pixel_shuffle(x, 2), lambda x: F.pixel_shuffle(x, 2), (anywhere, (2, 8, 2, 3))),
    "pixel_unshuffle": (lambda x: cr.pixel_unshuffle(x, 2), lambda x: F.pixel_unshuffle(x, 2), (anywhere, (3, 4, 6))),
    "ravel": (cr.ravel, torch.ravel, (anywhere, M)),
    **{
        f"rot90 {k}": (lambda x, k=k: cr.rot90(x, k) ** 2, lambda x, k=k: torch.rot90(x, k) ** 2, (anywhere, M))
        for k in range(-1, 5)
    },
    "rot90 axes": (lambda x: cr.rot90(x, 1, (2, 0)), lambda x: torch.rot90(x, 1, (2, 0)), (anywhere, (2, 3, 4))),
    "select": (lambda x: cr.select(x, 1, -1), lambda x: torch.select(x, 1, -1), (anywhere, M)),
    "tensor_split": (lambda x: cr.tensor_split(x, 3, 1), lambda x: torch.tensor_split(x, 3, 1), (anywhere, M)),
    "tensor_split at": (
        lambda x: cr.tensor_split(x, [1, 3], 1),
        lambda x: torch.tensor_split(x, [1, 3], 1),
        (anywhere, M),
    ),
    "unflatten": (lambda x: cr.unflatten(x, 1, (2, -1)), lambda x: torch.unflatten(x, 1, (2, -1)), (anywhere, M)),
    "vstack": (lambda a, b: cr.vstack([a, b]), lambda a, b: torch.vstack([a, b]), (anywhere, M), (anywhere, V)),
}
"""Ours, PyTorch's (a formula where its derivative is wrong or rounded to float32), and where arguments are drawn."""


def results(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, dtype):
    ours, theirs, *arrays = CASES[name]
    draw = np.random.default_rng(list(name.encode()))
    values = [np.asarray(entry(draw, shape), dtype) for entry, shape in arrays]
    xs = [cr.tensor(v, requires_grad=True) for v in values]
    others = [torch.tensor(v, requires_grad=True) for v in values]
    mine, wanted = results(ours(*xs)), results(theirs(*others))
    loss, other_loss = 0.0, 0.0
    for a, b in zip(mine, wanted, strict=True):
        close(a, b, TOLERANCE[dtype])
        if b.dtype.is_floating_point:
            bar = draw.standard_normal(tuple(b.shape)).astype(dtype)
            loss, other_loss = loss + (a * bar).sum(), other_loss + (b * torch.tensor(bar)).sum()
    loss.backward()
    other_loss.backward()
    for x, other in zip(xs, others, strict=True):
        close(x.grad, other.grad, 10 * TOLERANCE[dtype])


def close(found, wanted, tolerance):
    found, wanted = np.asarray(found), wanted.detach().numpy()
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    size = max(1.0, np.abs(wanted).max(initial=0))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * size)


X = np.array([[1.0, -2.0, np.inf], [np.nan, 0.0, 3.0]])
Y = np.array([[1.0, -2.0000001, np.inf], [np.nan, 1e-9, 3.1]])
SORTED = np.array([1.0, 2.0, 2.0, 3.5])
ASKED = np.array([[0.0, 1.0, 2.0], [2.5, 3.5, 9.0]])
ROWS = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 2.0]])
PASSIVE = {
    "all": (lambda t: t.all(T(X) if t is torch else X)),
    "all 0": (lambda t: t.all(of(t, X) != 0, 0)),
    "any 1": (lambda t: t.any(of(t, X) == 0, 1)),
    "any of none": (lambda t: t.any(of(t, X[:0]), 0)),
    "all of none": (lambda t: t.all(of(t, X[:0]), 0)),
    "bucketize": (lambda t: t.bucketize(of(t, ASKED), of(t, SORTED))),
    "bucketize right": (lambda t: t.bucketize(of(t, ASKED), of(t, SORTED), right=True)),
    "count_nonzero": (lambda t: t.count_nonzero(of(t, X), 1)),
    "full_like": (lambda t: t.full_like(of(t, X), 2.5)),
    "index_select": (lambda t: t.index_select(of(t, ASKED), 1, of(t, np.array([2, 0, 2])))),
    "isclose": (lambda t: t.isclose(of(t, X), of(t, Y))),
    "isclose nan": (lambda t: t.isclose(of(t, X), of(t, Y), equal_nan=True)),
    "logical_xor": (lambda t: t.logical_xor(of(t, X), of(t, Y > 0))),
    "logspace": (lambda t: t.logspace(-1, 2, 5, 2.0)),
    "nan_to_num": (lambda t: t.nan_to_num(of(t, X))),
    "ones_like": (lambda t: t.ones_like(of(t, ROWS.astype(np.float32)))),
    "searchsorted": (lambda t: t.searchsorted(of(t, SORTED), of(t, ASKED))),
    "searchsorted right": (lambda t: t.searchsorted(of(t, SORTED), of(t, ASKED), right=True)),
    "searchsorted rows": (lambda t: t.searchsorted(of(t, ROWS), of(t, ASKED))),
    "searchsorted rows right": (lambda t: t.searchsorted(of(t, ROWS), of(t, ASKED), right=True)),
    "tril_indices": (lambda t: t.tril_indices(3, 4, 1)),
    "triu_indices": (lambda t: t.triu_indices(4, 3, -1)),
    "unique": (lambda t: t.unique(of(t, SORTED[[3, 1, 0, 2, 3]]))),
    "zeros_like": (lambda t: t.zeros_like(of(t, np.arange(3)))),
}
"""What has no derivative."""


def T(x):
    return torch.tensor(x)


def of(library, x):
    return torch.tensor(x) if library is torch else x


@pytest.mark.parametrize("name", PASSIVE)
def test_what_has_no_derivative(name):
    found, wanted = np.asarray(PASSIVE[name](cr)), PASSIVE[name](torch).numpy()
    assert found.dtype.kind == wanted.dtype.kind
    np.testing.assert_array_equal(found, wanted)


def test_all_close():
    assert cr.allclose(Y[0], X[0])
    assert not cr.allclose(Y, X)
    assert not cr.allclose(X, X)
    assert cr.allclose(X, X, equal_nan=True)


def test_sinc_has_its_derivatives_at_zero():
    third = cr.grad(cr.grad(cr.sinc))
    assert float(cr.grad(cr.sinc)(0.0)) == 0
    np.testing.assert_allclose(cr.grad(cr.grad(cr.sinc))(np.float64(0.0)), -(np.pi**2) / 3, rtol=1e-12)
    edge = np.float64(0.25)
    np.testing.assert_allclose(third(edge - 1e-9), third(edge + 1e-9), rtol=1e-6)


def test_entropies_of_certain_events():
    p = np.array([0.0, 1.0, 0.5])
    np.testing.assert_allclose(cr.xlogy(p, p), [0, 0, 0.5 * np.log(0.5)])
    np.testing.assert_allclose(cr.grad(lambda p: cr.sum(cr.xlogy(p, p)))(p), [0, 1, 1 + np.log(0.5)])


def test_points_that_coincide_have_a_distance_with_a_derivative():
    a = np.zeros((2, 3))
    assert cr.grad(lambda a: cr.sum(cr.cdist(a, a)))(a).tolist() == a.tolist()


def test_draws():
    with cr.random_stream(cr.Key(0)):
        numbers, order = cr.randint(-2, 3, (1000,)).numpy(), cr.randperm(50).numpy()
        like = cr.randn_like(np.zeros((2, 3))), cr.rand_like(np.zeros(4, np.float32))
    assert set(numbers.tolist()) == {-2, -1, 0, 1, 2}
    assert sorted(order.tolist()) == list(range(50)) != order.tolist()
    assert [(x.shape, x.dtype) for x in like] == [((2, 3), np.float64), ((4,), np.float32)]
