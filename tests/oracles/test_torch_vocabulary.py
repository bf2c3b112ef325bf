"""The elementary vocabulary agrees with PyTorch's: values and gradients, over drawn shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr

torch = pytest.importorskip("torch")

TOLERANCES = {np.float64: 1e-10, np.float32: 1e-5}
"""Rounding in another order, times the condition of the drawn matrices (below 100), relative to the largest."""


def anywhere(draw, shape):
    return draw.uniform(-2, 2, shape)


def off_zero(draw, shape):
    return draw.uniform(0.3, 2, shape) * draw.choice([-1.0, 1.0], shape)


def positive(draw, shape):
    return draw.uniform(0.3, 3, shape)


def inside(draw, shape):
    return draw.uniform(-0.9, 0.9, shape)


def above_one(draw, shape):
    return draw.uniform(1.2, 3, shape)


def permuted(draw, shape):
    return draw.permutation(int(np.prod(shape))).reshape(shape) * 0.2 - 1.0


def square(draw, shape):
    n = shape[-1]
    return draw.uniform(-1, 1, (*shape[:-1], n, n)) + 2.5 * np.eye(n)


def definite(draw, shape):
    n = shape[-1]
    q = np.linalg.qr(draw.standard_normal((*shape[:-1], n, n)))[0]
    return (q * (np.arange(n) + draw.uniform(0.8, 1.2, n))) @ q.swapaxes(-1, -2)


def oblong(m, n):
    def entries(draw, shape):
        k = min(m, n)
        u = np.linalg.qr(draw.standard_normal((*shape[:-1], m, k)))[0]
        v = np.linalg.qr(draw.standard_normal((*shape[:-1], n, k)))[0]
        return (u * (np.arange(k) + draw.uniform(0.8, 1.2, k))) @ v.swapaxes(-1, -2)

    return entries


def wide(m, n):
    """m rows and n columns, the first m of them far from dependent: Q and R are those of these columns."""

    def entries(draw, shape):
        rest = draw.uniform(-1, 1, (*shape[:-1], m, n - m))
        return np.concatenate([oblong(m, m)(draw, shape), rest], -1)

    return entries


def signal(draw, shape):
    return draw.uniform(-2, 2, (*shape, draw.integers(2, 9)))


def pairs(z):
    return torch.view_as_real(z)


def symmetric(x):
    return (x + x.mT) / 2


linalg = torch.linalg
F = torch.nn.functional

UNARY = {
    "acos": (inside, cr.acos, torch.acos),
    "acosh": (above_one, cr.acosh, torch.acosh),
    "asin": (inside, cr.asin, torch.asin),
    "asinh": (anywhere, cr.asinh, torch.asinh),
    "atan": (anywhere, cr.atan, torch.atan),
    "atanh": (inside, cr.atanh, torch.atanh),
    "ceil": (off_zero, lambda x: cr.ceil(x) * x, lambda x: x.ceil() * x),
    "cumprod": (anywhere, lambda x: cr.cumprod(x, 0), lambda x: x.cumprod(0)),
    "cumsum": (anywhere, lambda x: cr.cumsum(x, -1), lambda x: x.cumsum(-1)),
    "erfc": (anywhere, cr.erfc, torch.erfc),
    "exp2": (anywhere, cr.exp2, torch.exp2),
    "flip": (anywhere, lambda x: cr.flip(x, -1) * x, lambda x: x.flip(-1) * x),
    "flip all": (anywhere, lambda x: cr.flip(x) * x, lambda x: x.flip(tuple(range(x.ndim))) * x),
    "floor": (off_zero, lambda x: cr.floor(x) * x, lambda x: x.floor() * x),
    "log10": (positive, cr.log10, torch.log10),
    "log2": (positive, cr.log2, torch.log2),
    "logcumsumexp": (anywhere, lambda x: cr.logcumsumexp(x, -1), lambda x: x.logcumsumexp(-1)),
    "logsumexp all": (anywhere, lambda x: cr.logsumexp(x, None), lambda x: x.reshape(-1).logsumexp(0)),
    "masked_fill": (
        off_zero,
        lambda x: cr.masked_fill(x * x, x > 0, 7.0),
        lambda x: (x * x).masked_fill(x > 0, 7.0),
    ),
    "norm -inf": (permuted, lambda x: cr.norm(x + 9, -np.inf, -1), lambda x: linalg.vector_norm(x + 9, -np.inf, -1)),
    "norm 0": (off_zero, lambda x: cr.norm(x, 0) * x, lambda x: linalg.vector_norm(x, 0) * x),
    "norm 2.5": (off_zero, lambda x: cr.norm(x, 2.5, 0), lambda x: linalg.vector_norm(x, 2.5, 0)),
    "normalize": (off_zero, cr.normalize, lambda x: F.normalize(x, dim=-1)),
    "normalize 1": (off_zero, lambda x: cr.normalize(x, 1, 0), lambda x: F.normalize(x, 1, 0)),
    "prod": (anywhere, lambda x: cr.prod(x, -1), lambda x: x.prod(-1)),
    "prod all": (anywhere, lambda x: cr.prod(x, keepdims=True), lambda x: x.prod().reshape([1] * x.ndim)),
    "repeat": (anywhere, lambda x: cr.repeat(x, 3, -1), lambda x: x.repeat_interleave(3, -1)),
    "roll": (anywhere, lambda x: cr.roll(x, 2, -1) * x, lambda x: x.roll(2, -1) * x),
    "roll all": (anywhere, lambda x: cr.roll(x, -1) * x, lambda x: x.roll(-1) * x),
    "round": (off_zero, lambda x: cr.round(x) * x, lambda x: x.round() * x),
    "sort": (permuted, lambda x: cr.sort(x, 0) * x, lambda x: x.sort(0)[0] * x),
    "sort down": (permuted, lambda x: cr.sort(x, descending=True), lambda x: x.sort(descending=True)[0]),
    "tile": (anywhere, lambda x: cr.tile(x, (2, 1, 1, 3)), lambda x: torch.tile(x, (2, 1, 1, 3))),
    "top_k": (permuted, lambda x: cr.top_k(x, 1)[0], lambda x: x.topk(1)[0]),
    "trunc": (off_zero, lambda x: cr.trunc(x) * x, lambda x: x.trunc() * x),
    # spectra
    "irfft": (
        lambda draw, shape: anywhere(draw, (*shape, 4, 2)),
        lambda x: cr.irfft(x, 7),
        lambda x: torch.fft.irfft(torch.view_as_complex(x), 7),
    ),
    "irfft even": (
        lambda draw, shape: anywhere(draw, (*shape, 4, 2)),
        cr.irfft,
        lambda x: torch.fft.irfft(torch.view_as_complex(x)),
    ),
    "rfft": (signal, cr.rfft, lambda x: pairs(torch.fft.rfft(x))),
    "rfft cut": (signal, lambda x: cr.rfft(x, 3), lambda x: pairs(torch.fft.rfft(x, 3))),
    "rfft filled, first": (signal, lambda x: cr.rfft(x, 6, axis=0), lambda x: pairs(torch.fft.rfft(x, 6, 0))),
    # matrices
    "cholesky": (definite, cr.cholesky, lambda x: linalg.cholesky(symmetric(x))),
    "det": (square, cr.det, linalg.det),
    "diag_embed": (anywhere, lambda x: cr.diag_embed(x, 1), lambda x: torch.diag_embed(x, 1)),
    "diagonal": (square, lambda x: cr.diagonal(x, -1), lambda x: torch.diagonal(x, -1, -2, -1)),
    "eigh vectors": (definite, lambda x: cr.eigh(x)[1] ** 2, lambda x: linalg.eigh(symmetric(x))[1] ** 2),
    "eigvalsh": (definite, cr.eigvalsh, lambda x: linalg.eigvalsh(symmetric(x))),
    "inv": (square, cr.inv, linalg.inv),
    "logdet": (definite, cr.logdet, torch.logdet),
    "matrix_norm 1": (square, lambda x: cr.matrix_norm(x, 1), lambda x: linalg.matrix_norm(x, 1)),
    "matrix_norm 2": (oblong(3, 2), lambda x: cr.matrix_norm(x, 2), lambda x: linalg.matrix_norm(x, 2)),
    "matrix_norm inf": (square, lambda x: cr.matrix_norm(x, np.inf), lambda x: linalg.matrix_norm(x, np.inf)),
    "matrix_norm nuc": (
        oblong(2, 3),
        lambda x: cr.matrix_norm(x, "nuc", keepdims=True),
        lambda x: linalg.matrix_norm(x, "nuc", keepdim=True),
    ),
    "pinv": (oblong(3, 2), cr.pinv, linalg.pinv),
    "pinv wide": (oblong(2, 4), cr.pinv, linalg.pinv),
    "qr": (oblong(4, 3), lambda x: abs(cr.qr(x)[1]), lambda x: linalg.qr(x)[1].abs()),
    "qr Q": (oblong(4, 3), lambda x: cr.qr(x)[0] ** 2, lambda x: linalg.qr(x)[0] ** 2),
    "qr wide": (wide(2, 4), lambda x: cr.qr(x)[1] ** 2, lambda x: linalg.qr(x)[1] ** 2),
    "slogdet": (square, lambda x: cr.slogdet(x)[1], lambda x: linalg.slogdet(x)[1]),
    "svd U": (oblong(4, 3), lambda x: cr.svd(x)[0] ** 2, lambda x: linalg.svd(x, full_matrices=False)[0] ** 2),
    "svd Vt": (oblong(2, 3), lambda x: cr.svd(x)[2] ** 2, lambda x: linalg.svd(x, full_matrices=False)[2] ** 2),
    "svdvals": (oblong(3, 4), cr.svdvals, linalg.svdvals),
    "trace": (square, cr.trace, lambda x: torch.diagonal(x, 0, -2, -1).sum(-1)),
    "tril": (square, lambda x: cr.tril(x, -1), lambda x: x.tril(-1)),
    "triu": (square, lambda x: cr.triu(x, 1), lambda x: x.triu(1)),
}

BINARY = {
    "atan2": (off_zero, off_zero, cr.atan2, torch.atan2),
    "cosine_similarity": (off_zero, off_zero, cr.cosine_similarity, lambda a, b: F.cosine_similarity(a, b, dim=-1)),
    "hypot": (off_zero, off_zero, cr.hypot, torch.hypot),
    "logaddexp": (anywhere, anywhere, cr.logaddexp, torch.logaddexp),
    "remainder": (anywhere, off_zero, cr.remainder, torch.remainder),
}

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3)
SEEDS = st.integers(0, 10_000)
DTYPES = pytest.mark.parametrize("dtype", TOLERANCES)


def agree(ours, theirs, args, dtype, seed=0):
    """The same value, and the same gradients for the same cotangent."""
    args = [np.asarray(a, dtype) for a in args]
    mine = [cr.tensor(a, requires_grad=True) for a in args]
    torchs = [torch.tensor(a, requires_grad=True) for a in args]
    y, wanted = ours(*mine), theirs(*torchs)
    bar = np.asarray(np.random.default_rng(seed).standard_normal(tuple(wanted.shape)), dtype)
    y.backward(bar)
    wanted.backward(torch.tensor(bar))
    close(y, wanted.detach(), dtype)
    for a, b in zip(mine, torchs, strict=True):
        close(a.grad, b.grad, dtype)


def close(found, wanted, dtype):
    wanted = wanted.resolve_conj().numpy()
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    scale = np.abs(wanted).max(initial=1.0)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * scale)


@DTYPES
@pytest.mark.parametrize("name", UNARY)
@given(shape=SHAPES, seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_functions_of_one_array(name, dtype, shape, seed):
    domain, ours, theirs = UNARY[name]
    agree(ours, theirs, [domain(np.random.default_rng(seed), shape)], dtype)


@DTYPES
@pytest.mark.parametrize("name", BINARY)
@given(shape=SHAPES, seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_functions_of_two_arrays(name, dtype, shape, seed):
    first, second, ours, theirs = BINARY[name]
    draw = np.random.default_rng(seed)
    agree(ours, theirs, [first(draw, shape), second(draw, shape)], dtype)


SOLVERS = {
    "lstsq": (oblong(4, 2), (4, 3), cr.lstsq, lambda a, b: linalg.lstsq(a, b).solution),
    "lstsq vector": (oblong(4, 2), (4,), cr.lstsq, lambda a, b: linalg.pinv(a) @ b),
    "solve": (square, (3, 2), cr.solve, linalg.solve),
    "solve stack": (square, (2, 3, 2), cr.solve, linalg.solve),
    "solve vector": (square, (3,), cr.solve, linalg.solve),
    "kron": (oblong(2, 3), (4, 1), cr.kron, torch.kron),
    "tensordot": (oblong(2, 3), (3, 4), lambda a, b: cr.tensordot(a, b, 1), lambda a, b: torch.tensordot(a, b, 1)),
    "tensordot 2": (
        oblong(2, 3),
        (3, 2),
        lambda a, b: cr.tensordot(a, b, ([0, 1], [1, 0])),
        lambda a, b: torch.tensordot(a, b, ([0, 1], [1, 0])),
    ),
}


@DTYPES
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SOLVERS)
def test_functions_of_two_matrices(name, seed, dtype):
    first, shape, ours, theirs = SOLVERS[name]
    draw = np.random.default_rng(seed)
    agree(ours, theirs, [first(draw, (3,)), draw.standard_normal(shape)], dtype)


LETTERS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ii->i": [(3, 3)],
    "ii": [(3, 3)],
    "iji->j": [(3, 2, 3)],
    "ij->": [(2, 3)],
    "ij->ji": [(2, 3)],
    "i,j,k->kji": [(2,), (3,), (4,)],
    "bhqd,bhkd->bhqk": [(2, 2, 3, 4), (2, 2, 5, 4)],
    "ij,kj,kl,lm->im": [(2, 3), (4, 3), (4, 5), (5, 2)],
    "...ij,...jk->...ik": [(2, 1, 3, 4), (5, 4, 2)],
    "...i,...i->...": [(3, 1, 4), (2, 4)],
    "i...->...": [(2, 3, 4)],
    "bi,bij,bj->b": [(4, 2), (4, 2, 3), (4, 3)],
    "ij,ij,ij->i": [(2, 3), (2, 3), (2, 3)],
    "iij,jk->k": [(2, 2, 3), (3, 4)],
    "a,b->": [(2,), (3,)],
    "ab,ab->ba": [(2, 3), (2, 3)],
    "abc,cd->abd": [(2, 3, 4), (4, 5)],
    " i j , j -> i ": [(2, 3), (3,)],
}


@DTYPES
@pytest.mark.parametrize("letters", LETTERS)
def test_einsum(letters, dtype):
    draw = np.random.default_rng(3)
    args = [draw.standard_normal(shape) for shape in LETTERS[letters]]
    agree(lambda *xs: cr.einsum(letters, *xs), lambda *xs: torch.einsum(letters, *xs), args, dtype)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_einsum_of_drawn_letters(data):
    sizes = dict(zip("ijklm", data.draw(st.lists(st.integers(1, 3), min_size=5, max_size=5)), strict=True))
    words = st.lists(st.sampled_from("ijklm"), min_size=0, max_size=3).map("".join)
    terms = data.draw(st.lists(words, min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    result = "".join(data.draw(st.permutations(used)))[: data.draw(st.integers(0, len(used)))]
    letters = ",".join(terms) + "->" + result
    draw = np.random.default_rng(data.draw(SEEDS))
    args = [draw.standard_normal([sizes[k] for k in term]) for term in terms]
    agree(lambda *xs: cr.einsum(letters, *xs), lambda *xs: torch.einsum(letters, *xs), args, np.float64)


def at(draw, high, shape):
    return draw.integers(0, high, shape)


@DTYPES
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_and_scatter(axis, seed, dtype):
    draw = np.random.default_rng([seed, axis + 1])
    x = draw.standard_normal((4, 3, 5))
    shape = [int(draw.integers(1, n + 1)) for n in x.shape]
    index = at(draw, x.shape[axis], shape)
    source = draw.standard_normal(shape)
    named = torch.tensor(index)
    agree(lambda a: cr.gather(a, axis, index), lambda a: a.gather(axis, named), [x], dtype)
    agree(
        lambda a, s: cr.scatter_add(a, axis, index, s) * a,
        lambda a, s: a.scatter_add(axis, named, s) * a,
        [x, source],
        dtype,
    )
    once = np.argsort(draw.random(x.shape), axis)  # no place named twice
    agree(
        lambda a, s: cr.scatter(a, axis, once, s) * a * a,
        lambda a, s: a.scatter(axis, torch.tensor(once), s) * a * a,
        [x, draw.standard_normal(x.shape)],
        dtype,
    )


@DTYPES
@pytest.mark.parametrize("seed", range(4))
def test_index_add_and_index_put(seed, dtype):
    draw = np.random.default_rng(seed)
    x, rows = draw.standard_normal((5, 3)), at(draw, 5, 7)
    agree(
        lambda a, s: cr.index_add(a, 0, rows, s) * a,
        lambda a, s: a.index_add(0, torch.tensor(rows), s) * a,
        [x, draw.standard_normal((7, 3))],
        dtype,
    )
    columns = at(draw, 3, 7)
    key = (torch.tensor(rows), torch.tensor(columns))
    agree(
        lambda a, s: cr.index_put(a, (rows, columns), s, accumulate=True) * a,
        lambda a, s: a.index_put(key, s, accumulate=True) * a,
        [x, draw.standard_normal(7)],
        dtype,
    )
    agree(
        lambda a, s: cr.index_put(a, draw.permutation(5)[:0], s[:0]) * a + s[0],
        lambda a, s: a * a + s[0],
        [x, draw.standard_normal((7, 3))],
        dtype,
    )


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_k_largest_and_their_places(k, axis):
    x = np.random.default_rng(k).permutation(30).reshape(5, 6).astype(float)
    values, places = cr.top_k(x, k, axis)
    wanted = torch.tensor(x).topk(k, axis)
    np.testing.assert_array_equal(values, wanted[0])
    np.testing.assert_array_equal(places, wanted[1])
    np.testing.assert_array_equal(cr.argsort(x, axis), torch.tensor(x).argsort(axis))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_split_and_chunk(size):
    x = np.arange(18.0).reshape(2, 9)
    theirs = torch.tensor(x)
    pairs_of = [(cr.split(x, size, 1), theirs.split(size, 1)), (cr.chunk(x, size, 1), theirs.chunk(size, 1))]
    for ours, wanted in pairs_of:
        assert len(ours) == len(wanted)
        for a, b in zip(ours, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
