"""Values and gradients of the operations agree with PyTorch's, over drawn shapes, in float64 and float32."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr

torch = pytest.importorskip("torch")

TOLERANCES = {np.float64: 1e-12, np.float32: 2e-5}
"""Both sides round in their own order: some hundred units of the last place (1e-16, 6e-8), of the largest."""


def spread(draw, shape):
    return draw.uniform(-3, 3, shape)


def off_zero(draw, shape):
    return draw.uniform(0.2, 3, shape) * draw.choice([-1.0, 1.0], shape)


def positive(draw, shape):
    return draw.uniform(0.2, 3, shape)


def inside(draw, shape):
    return draw.uniform(-0.8, 1.2, shape)


def permuted(draw, shape):
    return draw.permutation(int(np.prod(shape))).reshape(shape) * 0.2 - 1.0


F = torch.nn.functional
UNARY = {
    "abs": (off_zero, cr.abs, torch.abs),
    "clip": (off_zero, lambda x: cr.clip(x, -0.1, 0.1), lambda x: x.clamp(-0.1, 0.1)),
    "cos": (spread, cr.cos, torch.cos),
    "cosh": (spread, cr.cosh, torch.cosh),
    "elu": (off_zero, cr.elu, F.elu),
    "elu alpha": (off_zero, lambda x: cr.elu(x, alpha=0.3), lambda x: F.elu(x, alpha=0.3)),
    "erf": (spread, cr.erf, torch.erf),
    "exp": (spread, cr.exp, torch.exp),
    "expm1": (spread, cr.expm1, torch.expm1),
    "gelu": (spread, cr.gelu, F.gelu),
    "gelu_tanh": (spread, cr.gelu_tanh, lambda x: F.gelu(x, approximate="tanh")),
    "leaky_relu": (off_zero, cr.leaky_relu, F.leaky_relu),
    "log": (positive, cr.log, torch.log),
    "log1p": (inside, cr.log1p, torch.log1p),
    "log_sigmoid": (spread, cr.log_sigmoid, F.logsigmoid),
    "log_softmax": (spread, cr.log_softmax, lambda x: F.log_softmax(x, -1)),
    "logsumexp": (spread, cr.logsumexp, lambda x: torch.logsumexp(x, -1)),
    "max": (permuted, lambda x: cr.max(x, -1), lambda x: x.amax(-1)),
    "mean": (spread, lambda x: cr.mean(x, 0), lambda x: x.mean(0)),
    "min": (permuted, lambda x: cr.min(x, 0, keepdims=True), lambda x: x.amin(0, keepdim=True)),
    "negative": (spread, cr.negative, torch.neg),
    "norm": (off_zero, lambda x: cr.norm(x, axis=-1), lambda x: torch.linalg.vector_norm(x, dim=-1)),
    "norm 3": (off_zero, lambda x: cr.norm(x, 3), lambda x: torch.linalg.vector_norm(x, 3)),
    "power 3": (spread, lambda x: x**3, lambda x: x**3),
    "power -1.5": (positive, lambda x: x**-1.5, lambda x: x**-1.5),
    "power of 2": (spread, lambda x: 2**x, lambda x: 2**x),
    "relu": (off_zero, cr.relu, F.relu),
    "reshape": (spread, lambda x: x.reshape(-1) * 2, lambda x: x.reshape(-1) * 2),
    "selu": (off_zero, cr.selu, F.selu),
    "sigmoid": (spread, cr.sigmoid, torch.sigmoid),
    "sign": (off_zero, lambda x: cr.sign(x) * x, lambda x: torch.sign(x) * x),
    "silu": (spread, cr.silu, F.silu),
    "sin": (spread, cr.sin, torch.sin),
    "sinh": (spread, cr.sinh, torch.sinh),
    "softmax": (spread, cr.softmax, lambda x: F.softmax(x, -1)),
    "softmax 0": (spread, lambda x: cr.softmax(x, 0), lambda x: F.softmax(x, 0)),
    "softplus": (spread, cr.softplus, lambda x: F.softplus(x, threshold=100)),
    "sqrt": (positive, cr.sqrt, torch.sqrt),
    "square": (spread, cr.square, torch.square),
    "std": (
        spread,
        lambda x: cr.std(cr.stack([x, x * x + 7]), 0),
        lambda x: torch.stack([x, x * x + 7]).std(0, unbiased=False),
    ),
    "sum": (spread, lambda x: cr.sum(x, -1), lambda x: x.sum(-1)),
    "tan": (lambda draw, shape: draw.uniform(-1, 1, shape), cr.tan, torch.tan),
    "tanh": (spread, cr.tanh, torch.tanh),
    "transpose": (spread, lambda x: x.T * 2, lambda x: x.permute(*reversed(range(x.ndim))) * 2),
    "var": (spread, lambda x: cr.var(x, 0), lambda x: x.var(0, unbiased=False)),
}
BINARY = {
    "add": (spread, spread, cr.add, torch.add),
    "divide": (spread, off_zero, cr.divide, torch.div),
    "maximum": (spread, spread, cr.maximum, torch.maximum),
    "minimum": (spread, spread, cr.minimum, torch.minimum),
    "multiply": (spread, spread, cr.multiply, torch.mul),
    "power": (positive, spread, cr.power, torch.pow),
    "prelu": (off_zero, spread, cr.prelu, lambda x, a: torch.where(x > 0, x, a * x)),
    "subtract": (spread, spread, cr.subtract, torch.sub),
    "where": (
        spread,
        spread,
        lambda a, b: cr.where(a > b, a, b * b),
        lambda a, b: torch.where(a > b, a, b * b),
    ),
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
    wanted = wanted.numpy()
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    scale = np.abs(wanted).max(initial=1.0)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * scale)


@DTYPES
@pytest.mark.parametrize("name", UNARY)
@given(shape=SHAPES, seed=SEEDS)
@settings(max_examples=15)
def test_functions_of_one_array(name, dtype, shape, seed):
    domain, ours, theirs = UNARY[name]
    agree(ours, theirs, [domain(np.random.default_rng(seed), shape)], dtype)


@DTYPES
@pytest.mark.parametrize("name", BINARY)
@given(shape=SHAPES, ones=st.lists(st.booleans(), min_size=3, max_size=3), cut=st.integers(0, 3), seed=SEEDS)
@settings(max_examples=15)
def test_functions_of_two_arrays_with_broadcasting(name, dtype, shape, ones, cut, seed):
    first, second, ours, theirs = BINARY[name]
    draw = np.random.default_rng(seed)
    other = [1 if one else n for one, n in zip(ones, shape, strict=False)][min(cut, len(shape)) :]
    agree(ours, theirs, [first(draw, shape), second(draw, other)], dtype)


@DTYPES
@given(
    n=st.integers(1, 4),
    k=st.integers(1, 4),
    m=st.integers(1, 4),
    batch=st.sampled_from(["", "ab", "a", "b", "1b"]),
    seed=SEEDS,
)
@settings(max_examples=30)
def test_matrix_products(dtype, n, k, m, batch, seed):
    draw = np.random.default_rng(seed)
    a = spread(draw, (*((3,) if "a" in batch else (1,) if "1" in batch else ()), n, k))
    b = spread(draw, (*((3,) if "b" in batch else ()), k, m))
    agree(cr.matmul, torch.matmul, [a, b], dtype)
    agree(cr.matmul, torch.matmul, [a, b[..., 0] if b.ndim == 2 else b[0, :, 0]], dtype)
    agree(cr.matmul, torch.matmul, [a.reshape(-1, k)[0], b], dtype)


@DTYPES
@given(lead=st.lists(st.integers(1, 3), max_size=3), n=st.integers(1, 4), m=st.integers(1, 4), seed=SEEDS)
@settings(max_examples=30)
def test_affine(dtype, lead, n, m, seed):
    draw = np.random.default_rng(seed)
    args = [spread(draw, (*lead, n)), spread(draw, (m, n)), spread(draw, (m,))]
    agree(cr.affine, F.linear, args, dtype)
    agree(cr.affine, F.linear, args[:2], dtype)


@DTYPES
@given(shape=st.lists(st.integers(2, 4), min_size=3, max_size=3), axis=st.integers(-3, 2), seed=SEEDS)
@settings(max_examples=20)
def test_joining_and_indexing(dtype, shape, axis, seed):
    draw = np.random.default_rng(seed)
    a, b = spread(draw, shape), spread(draw, shape)
    agree(
        lambda a, b: cr.concatenate([a, b * b, a], axis),
        lambda a, b: torch.cat([a, b * b, a], axis),
        [a, b],
        dtype,
    )
    agree(lambda a, b: cr.stack([a, b * b], axis), lambda a, b: torch.stack([a, b * b], axis), [a, b], dtype)
    rows = draw.integers(0, shape[0], 5)
    keys = [
        rows,
        (rows, slice(None), rows % 2),
        (slice(None), 0),
        (..., slice(1, None)),
        a > 0,
        (None, 1, ..., None),
    ]
    for key in keys:
        torchs = tuple(
            torch.tensor(k) if isinstance(k, np.ndarray) else k for k in (key if isinstance(key, tuple) else (key,))
        )
        agree(lambda x, key=key: x[key], lambda x, key=torchs: x[key], [a], dtype)


@pytest.mark.parametrize("name", ["relu", "abs"])
def test_the_derivative_at_the_kink_is_torchs(name):
    x, t = cr.tensor([0.0], requires_grad=True), torch.zeros(1, requires_grad=True)
    (getattr(cr, name)(x) * 3).sum().backward()
    (getattr(torch, name)(t) * 3).sum().backward()
    assert x.grad.tolist() == t.grad.tolist() == [0.0]


@pytest.mark.parametrize("name", ["max", "maximum"])
def test_ties_are_shared_as_in_torch(name):
    x, t = cr.tensor([2.0, 2.0, 1.0], requires_grad=True), torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    (x.max() if name == "max" else cr.maximum(x, 2.0).sum()).backward()
    (t.amax() if name == "max" else torch.maximum(t, torch.tensor(2.0)).sum()).backward()
    assert x.grad.tolist() == t.grad.tolist()


@given(seed=SEEDS)
@settings(max_examples=10)
def test_second_derivatives(seed):
    """Gradient penalty: the gradient of the norm of a gradient, by both tapes."""
    draw = np.random.default_rng(seed)
    x, w = spread(draw, (3, 4)), spread(draw, (2, 4))

    def penalty(lib, x, w, slope):
        h = lib.tanh(x @ w.T)
        return (slope(lib.softmax(h, -1), x) ** 2).sum()

    a, v = cr.tensor(x, requires_grad=True), cr.tensor(w, requires_grad=True)
    mine = penalty(cr, a, v, lambda p, x: cr.gradients((p * p).sum(), x, create_graph=True))
    mine.backward()
    b, u = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    theirs = penalty(torch, b, u, lambda p, x: torch.autograd.grad((p * p).sum(), x, create_graph=True)[0])
    theirs.backward()
    close(mine, theirs.detach(), np.float64)
    close(a.grad, b.grad, np.float64)
    close(v.grad, u.grad, np.float64)
