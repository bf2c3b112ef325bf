"""For every function of arrays in `cr`: calls to try, each with the entries and shapes of its arrays.

The laws of `vmap` run over this table, and a test holds it equal to what is public: nothing can be added untested.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import chainrule as cr
from chainrule.base.keys import Key
from tests.laws.entries import anywhere, between, distinct, labels, mask, off_zero, positive


@dataclass(frozen=True)
class Call:
    """A function of arrays, and where the arrays are drawn: pairs of entries and shape."""

    name: str
    number: int
    function: Callable
    arrays: tuple

    @property
    def label(self):
        return f"{self.name}{self.number}"

    @property
    def active(self):
        return [i for i, (entry, _) in enumerate(self.arrays) if entry not in PASSIVE]

    def draw(self, seed=0):
        draw = np.random.default_rng([seed, *self.name.encode(), self.number])
        return [np.asarray(entry(draw, shape)) for entry, shape in self.arrays]


# --- entries ------------------------------------------------------------------------------------------


def symmetric(draw, shape):
    """Symmetric and positive definite, with eigenvalues that lie apart."""
    a = draw.uniform(-1, 1, shape)
    return a @ np.swapaxes(a, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))


def invertible(draw, shape):
    return draw.uniform(-1, 1, shape) + 3 * np.eye(shape[-1])


def with_non_numbers(draw, shape):
    return draw.choice([1.0, np.nan, np.inf, -np.inf], shape)


def with_gaps(draw, shape):
    return np.where(draw.random(shape) < 0.3, np.nan, draw.uniform(-2, 2, shape))


PASSIVE = (labels, mask, with_non_numbers)
"""Entries that have no derivative."""

unit = between(-0.9, 0.9)
chances = between(0.1, 0.9)
above_one = between(1.2, 3)

# --- the table ----------------------------------------------------------------------------------------

M = (2, 3)
TABLE: dict[str, list] = {}


def add(name, *arrays, f=None):
    """One call more; the function of this name itself unless another is given."""
    TABLE.setdefault(name, []).append((f or getattr(cr, name), arrays))


def with_settings(name, *settings):
    """The function of a name with one choice of settings after another."""
    f = getattr(cr, name)
    return [lambda *xs, s=s: f(*xs, **s) for s in settings]


def each(name, *arrays, settings):
    for f in with_settings(name, *settings):
        add(name, *arrays, f=f)


def held(f):
    """The draws of a function from one and the same stream at each call."""

    def g(*xs):
        with cr.random_stream(Key(7)):
            return f(*xs)

    return g


ONE = {
    anywhere: """cos cosh elu erf erfc exp exp2 expm1 gelu gelu_tanh identity negative normalize sigmoid silu sin sinh
        softplus square stop_gradient tanh asinh atan log_softmax softmax logsumexp sum mean std var cumprod cumsum
        logcumsumexp prod flatten flip trace tril triu transpose diag diagonal diag_embed chunk unstack argsort sort
        argmax argmin rfft tensor noise softsign tanhshrink mish celu softmin aminmax cov corrcoef diff trapezoid
        var_mean std_mean any all count_nonzero zeros_like ones_like rand_like randn_like ravel fliplr flipud rot90
        reciprocal sinc""",
    distinct: """max min svdvals median hardtanh hardshrink softshrink hardsigmoid hardswish relu6""",
    off_zero: """abs ceil floor leaky_relu log_sigmoid relu round selu sign step step_strict trunc norm""",
    positive: "log log10 log2 sqrt rsqrt",
    chances: "logit frac",
    unit: "acos asin atanh tan",
    above_one: "acosh",
    between(-0.6, 2): "log1p",
    with_non_numbers: "isfinite isinf isnan nan_to_num",
    with_gaps: "nansum nanmean",
    mask: "logical_not additive_mask",
}
"""Functions that are called with one matrix and nothing else."""
TWO = {
    anywhere: """add subtract multiply maximum minimum atan2 hypot logaddexp equal not_equal greater greater_equal
        less less_equal cosine_similarity kron straight_through dist
        pairwise_distance cdist inner isclose allclose""",
    mask: "logical_and logical_or logical_xor",
}
"""Functions that are called with two matrices of one shape."""

for entry, names in ONE.items():
    for name in names.split():
        add(name, (entry, M), f=held(getattr(cr, name)) if name in ("noise", "rand_like", "randn_like") else None)
for entry, names in TWO.items():
    for name in names.split():
        add(name, (entry, M), (entry, M))
        if name not in ("cosine_similarity", "kron", "straight_through", "cdist", "inner"):
            add(name, (entry, (3,)), (entry, M))

add("divide", (anywhere, M), (off_zero, M))
add("remainder", (anywhere, M), (positive, M))
add("power", (positive, M), (anywhere, (3,)))
add("power", (positive, M), f=lambda x: cr.power(x, 3))
add("prelu", (off_zero, M), (anywhere, (3,)))
add("clip", (anywhere, M), f=lambda x: cr.clip(x, -0.5, 0.7))
add("clip", (anywhere, M), (anywhere, ()), f=lambda x, low: cr.clip(x, low))
add("where", (mask, M), (anywhere, M), (anywhere, (3,)))
add("masked_fill", (anywhere, M), (mask, (3,)), f=lambda x, m: cr.masked_fill(x, m, -1.0))
add("astype", (anywhere, M), f=lambda x: cr.astype(x, "float32"))
add("astype", (labels, M), f=lambda x: cr.astype(x, "float64"))
add("broadcast_to", (anywhere, (3,)), f=lambda x: cr.broadcast_to(x, shape=(2, 3)))

# Axes, reductions, order.
AXES = [{"axis": 0}, {"axis": -1}]
for name in ("sum", "mean", "std", "var", "max", "min", "prod", "logsumexp", "norm"):
    each(name, (distinct, M), settings=[*AXES, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}])
ALONG = """cumprod cumsum logcumsumexp softmax log_softmax sort argsort argmax argmin flip normalize unstack"""
for name in ALONG.split():
    each(name, (distinct, M), settings=AXES)
each("sort", (distinct, M), settings=[{"descending": True}])
each("argsort", (labels, (4,)), settings=[{"descending": True}])
each("norm", (off_zero, M), settings=[{"ord": 1}, {"ord": 3}])
each("top_k", (distinct, (2, 4)), settings=[{"k": 2}, {"k": 1, "axis": 0}])
each("matrix_norm", (off_zero, M), settings=[{}, {"ord": "nuc"}, {"ord": 2}, {"ord": 1}, {"ord": np.inf}])
add("reshape", (anywhere, M), f=lambda x: cr.reshape(x, 3, -1))
add("expand_dims", (anywhere, M), f=lambda x: cr.expand_dims(x, 1))
add("expand_dims", (anywhere, M), f=lambda x: cr.expand_dims(x, -1))
add("squeeze", (anywhere, (1, 3, 1)))
add("squeeze", (anywhere, (1, 3, 1)), f=lambda x: cr.squeeze(x, -1))
add("flatten", (anywhere, (2, 3, 2)), f=lambda x: cr.flatten(x, 1))
add("transpose", (anywhere, (2, 3, 4)), f=lambda x: cr.transpose(x, 2, 0, 1))
add("swapaxes", (anywhere, (2, 3, 4)), f=lambda x: cr.swapaxes(x, 0, -1))
add("moveaxis", (anywhere, (2, 3, 4)), f=lambda x: cr.moveaxis(x, 0, -1))
add("concatenate", (anywhere, M), (anywhere, (1, 3)), f=lambda a, b: cr.concatenate([a, b]))
add("concatenate", (anywhere, M), (anywhere, (2, 1)), f=lambda a, b: cr.concatenate([a, b], -1))
add("stack", (anywhere, M), (anywhere, M), f=lambda a, b: cr.stack([a, b], 1))
add("split", (anywhere, (4, 3)), f=lambda x: cr.split(x, [1, 3]))
add("chunk", (anywhere, (4, 3)), f=lambda x: cr.chunk(x, 2, axis=-1))
add("repeat", (anywhere, M), f=lambda x: cr.repeat(x, 2))
add("repeat", (anywhere, M), f=lambda x: cr.repeat(x, [2, 0, 1], 1))
add("roll", (anywhere, M), f=lambda x: cr.roll(x, 1))
add("roll", (anywhere, M), f=lambda x: cr.roll(x, (1, -1), (0, 1)))
add("tile", (anywhere, M), f=lambda x: cr.tile(x, (2, 1)))
add("tile", (anywhere, (3,)), f=lambda x: cr.tile(x, (2, 2)))
each("pad", (anywhere, M), settings=[{"widths": [(1, 0), (0, 2)], "mode": m} for m in ("constant", "circular")])
each("pad", (anywhere, M), settings=[{"widths": [(1, 0), (0, 2)], "mode": m} for m in ("reflect", "replicate")])
TABLE["chunk"].pop(0)

each("quantile", (distinct, (2, 4)), settings=[{"q": 0.3}, {"q": [0.1, 0.9], "axis": -1}])
each("quantile", (distinct, (2, 4)), settings=[{"q": 0.5, "axis": 0, "keepdims": True}])
for name in ("median", "diff", "trapezoid", "var_mean", "aminmax", "any", "all", "count_nonzero", "nansum"):
    each(name, (distinct, M), settings=AXES)
each("kthvalue", (distinct, M), settings=[{"k": 1}, {"k": 2, "axis": 0}, {"k": 2, "keepdims": True}])
each("full_like", (anywhere, M), settings=[{"value": 2.5}, {"value": 1, "dtype": "int64"}])
add("unflatten", (anywhere, (2, 6)), f=lambda x: cr.unflatten(x, -1, (3, 2)))
add("hstack", (anywhere, M), (anywhere, (2, 1)), f=lambda a, b: cr.hstack([a, b]))
add("vstack", (anywhere, M), (anywhere, (3,)), f=lambda a, b: cr.vstack([a, b]))
add("select", (anywhere, M), f=lambda x: cr.select(x, 1, 2))
add("narrow", (anywhere, M), f=lambda x: cr.narrow(x, 1, -2, 2))
add("tensor_split", (anywhere, (4, 3)), f=lambda x: cr.tensor_split(x, 3))
add("tensor_split", (anywhere, (4, 3)), f=lambda x: cr.tensor_split(x, [1, 2], 1))
add("rot90", (anywhere, (2, 3, 4)), f=lambda x: cr.rot90(x, 3, (2, 0)))
add("pixel_shuffle", (anywhere, (1, 4, 2, 3)), f=lambda x: cr.pixel_shuffle(x, 2))
add("pixel_unshuffle", (anywhere, (1, 2, 4, 6)), f=lambda x: cr.pixel_unshuffle(x, 2))
add("channel_shuffle", (anywhere, (1, 4, 2)), f=lambda x: cr.channel_shuffle(x, 2))
add("meshgrid", (anywhere, (3,)), (anywhere, (2,)))
add("meshgrid", (anywhere, (3,)), (anywhere, (2,)), f=lambda a, b: cr.meshgrid(a, b, indexing="xy"))
each("glu", (anywhere, (2, 4)), settings=[{}, {"axis": 0}])
add("threshold", (distinct, M), f=lambda x: cr.threshold(x, 0.25, 7.0))
for name in ("fmod", "floor_divide"):
    add(name, (anywhere, M), (positive, M))
add("xlogy", (anywhere, M), (positive, (3,)))
add("lerp", (anywhere, M), (anywhere, M), (anywhere, (3,)))
add("addcmul", (anywhere, M), (anywhere, M), (anywhere, (3,)))
add("addcdiv", (anywhere, M), (anywhere, M), (off_zero, (3,)))
add("masked_select", (anywhere, M), f=lambda x: cr.masked_select(x, np.array([True, False, True])))

# Reading and writing at places.
add("index", (anywhere, M), f=lambda x: cr.index(x, (slice(None), 1)))
add("index", (anywhere, M), f=lambda x: cr.index(x, (..., None, slice(None, None, -1))))
add("index", (anywhere, (3, 2)), (labels, (4,)))
add("index", (anywhere, (3, 2)), (labels, ()))
add("index", (anywhere, (2, 3)), (labels, (4,)), f=lambda x, i: cr.index(x, (slice(None), i)))
add("index", (anywhere, (3, 4, 3)), (labels, (2,)), (labels, (2,)), f=lambda x, i, j: cr.index(x, (i, slice(1, 3), j)))
add("embedding", (labels, (2, 2)), (anywhere, (3, 4)))
add("take", (anywhere, (3, 2)), (labels, (2, 2)))
add("take", (anywhere, (2, 3)), (labels, (4,)), f=lambda x, i: cr.take(x, i, 1))
add("take_along_axis", (anywhere, M), (labels, (2, 2)))
add("take_along_axis", (anywhere, (3, 2)), (labels, (3, 2)), f=lambda x, i: cr.take_along_axis(x, i, 0))
add("gather", (anywhere, M), (labels, (2, 2)), f=lambda x, i: cr.gather(x, 1, i))
add("scatter", (anywhere, M), (labels, (2, 2)), (anywhere, (2, 2)), f=lambda x, i, s: cr.scatter(x, 1, i, s))
add("scatter_add", (anywhere, M), (labels, (2, 2)), (anywhere, (2, 2)), f=lambda x, i, s: cr.scatter_add(x, 1, i, s))
add("index_add", (anywhere, (3, 2)), (labels, (4,)), (anywhere, (4, 2)), f=lambda x, i, s: cr.index_add(x, 0, i, s))
add("index_put", (anywhere, (3, 2)), (labels, (2,)), (anywhere, (2, 2)))
add("index_put", (anywhere, M), (anywhere, (2,)), f=lambda x, v: cr.index_put(x, (slice(None), 1), v))
add("index_put", (anywhere, (3, 2)), (labels, (4,)), (anywhere, ()), f=lambda x, i, v: cr.index_put(x, i, v, True))
add("one_hot", (labels, (2,)), f=lambda y: cr.one_hot(y, 3))
add("one_hot", (labels, ()), f=lambda y: cr.one_hot(y, 4, "float64"))

add("index_select", (anywhere, M), (labels, (2,)), f=lambda x, i: cr.index_select(x, 1, i))
add("searchsorted", (anywhere, (4,)), f=lambda x: cr.searchsorted(np.array([-1.0, 0.0, 1.0]), x))
add("searchsorted", (anywhere, (2, 4)), (anywhere, (2, 3)), f=lambda r, x: cr.searchsorted(cr.sort(r), x, right=True))
add("bucketize", (anywhere, M), f=lambda x: cr.bucketize(x, [-1.0, 0.5]))

# Products, decompositions, spectra.
add("addmm", (anywhere, (2,)), (anywhere, M), (anywhere, (3, 2)))
add("baddbmm", (anywhere, (2, 2, 2)), (anywhere, (2, 2, 3)), (anywhere, (2, 3, 2)))
add("cross", (anywhere, M), (anywhere, M))
add("cross", (anywhere, (3, 2)), (anywhere, (3, 2)), f=lambda a, b: cr.cross(a, b, 0))
add("matrix_power", (invertible, (3, 3)), f=lambda a: cr.matrix_power(a, 3))
add("matrix_power", (invertible, (3, 3)), f=lambda a: cr.matrix_power(a, -1))
add("block_diag", (anywhere, M), (anywhere, (1, 1)))
add("vander", (anywhere, (3,)))
add("bilinear", (anywhere, (2, 3)), (anywhere, (2, 2)), (anywhere, (4, 3, 2)), (anywhere, (4,)))
add("matmul", (anywhere, M), (anywhere, (3, 2)))
add("matmul", (anywhere, (3,)), (anywhere, (3, 2)))
add("matmul", (anywhere, (2, 1, 2, 3)), (anywhere, (4, 3, 2)))
add("matmul", (anywhere, (4, 2, 3)), (anywhere, (3, 2)))
add("dot", (anywhere, (3,)), (anywhere, (3,)))
add("outer", (anywhere, (3,)), (anywhere, (2,)))
add("affine", (anywhere, M), (anywhere, (4, 3)), (anywhere, (4,)))
add("affine", (anywhere, (3,)), (anywhere, (4, 3)))
add("affine", (anywhere, (2, 2, 3)), (anywhere, (4, 3)), (anywhere, (4,)))
add("einsum", (anywhere, M), (anywhere, (3, 2)), f=lambda a, b: cr.einsum("ij,jk->ki", a, b))
add("einsum", (anywhere, (2, 2)), f=lambda a: cr.einsum("ii->i", a))
add("einsum", (anywhere, (4, 2, 3)), (anywhere, (3, 2)), f=lambda a, b: cr.einsum("...ij,jk->...ik", a, b))
add("tensordot", (anywhere, (2, 3, 2)), (anywhere, (3, 2, 4)))
add("trace", (anywhere, (3, 3)), f=lambda a: cr.trace(a, 1))
add("diag", (anywhere, (3,)), f=lambda a: cr.diag(a, -1))
add("diagonal", (anywhere, (2, 3, 4)), f=lambda a: cr.diagonal(a, 1, 0, 2))
for name in ("eigh", "eigvalsh", "cholesky"):
    add(name, (symmetric, (3, 3)))
for name in ("det", "logdet", "slogdet", "inv", "pinv", "qr"):
    add(name, (invertible, (3, 3)))
add("svd", (distinct, M))
add("pinv", (off_zero, (3, 2)))
add("solve", (invertible, (3, 3)), (anywhere, (3,)))
add("solve", (invertible, (3, 3)), (anywhere, (3, 2)))
add("lstsq", (invertible, (3, 3)), (anywhere, (3, 2)))
add("complex_multiply", (anywhere, (3, 2)), (anywhere, (3, 2)))
add("rfft", (anywhere, M), f=lambda x: cr.rfft(x, 4, 0))
add("irfft", (anywhere, (3, 2)))
add("irfft", (anywhere, (3, 2, 2)), f=lambda x: cr.irfft(x, 5, 0))
for name in ("convolve", "correlate"):
    modes = [{"mode": m} for m in ("valid", "same", "full", "circular")]
    each(name, (anywhere, (2,)), (anywhere, (4,)), settings=modes)
add("toeplitz_matrix", (anywhere, (3,)), f=lambda w: cr.toeplitz_matrix(w, 4, "same"))
add("circulant_matrix", (anywhere, (2,)), f=lambda w: cr.circulant_matrix(w, 4))

# Images.
SIGNAL, FILTER, BIAS = (anywhere, (2, 2, 5)), (anywhere, (3, 2, 2)), (anywhere, (3,))
for d in (1, 2, 3):
    size, kernel = (3,) * d, (2,) * d
    x, bias = (anywhere, (1, 2, *size)), (anywhere, (2,))
    add(f"conv{d}d", x, (anywhere, (2, 2, *kernel)), bias)
    add(f"conv_transpose{d}d", x, (anywhere, (2, 2, *kernel)), bias)
each("conv", SIGNAL, FILTER, BIAS, settings=[{}, {"stride": 2, "padding": 1}])
each("conv", (anywhere, (2, 4, 5)), (anywhere, (4, 2, 2)), settings=[{"groups": 2}, {"groups": 2, "dilation": 2}])
each("conv_transpose", SIGNAL, (anywhere, (2, 3, 2)), BIAS, settings=[{}, {"stride": 2, "output_padding": 1}])
IMAGE = (distinct, (1, 2, 4, 4))
for name in ("avg_pool", "max_pool"):
    each(name, IMAGE, settings=[{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}])
for name in ("adaptive_avg_pool", "adaptive_max_pool"):
    each(name, IMAGE, settings=[{"output_size": 3}, {"output_size": (2, None)}])
each(
    "lp_pool", (positive, (1, 2, 4, 4)), settings=[{"p": 2, "kernel_size": 2}, {"p": 3, "kernel_size": 3, "stride": 1}]
)
add("global_avg_pool", IMAGE)
add("global_max_pool", IMAGE)
each("upsample", IMAGE, settings=[{"scale_factor": 2}, {"size": (3, 5), "mode": "bilinear"}])
each("unfold", IMAGE, settings=[{"kernel_size": 2}, {"kernel_size": 2, "stride": 2, "padding": 1}])
each("fold", (anywhere, (1, 8, 9)), settings=[{"output_size": (4, 4), "kernel_size": 2}])

# Attention.
QUERY, KEYS, VALUES = (anywhere, (2, 3, 4)), (anywhere, (2, 5, 4)), (anywhere, (2, 5, 3))
ATTENDED, SQUARE = (anywhere, (2, 3, 5)), ((anywhere, (2, 4, 4)),) * 3
for name in ("scaled_dot_product_attention", "blockwise_attention"):
    add(name, QUERY, KEYS, VALUES)
    each(name, *SQUARE, settings=[{"causal": True}])
    add(name, QUERY, KEYS, VALUES, (mask, (3, 5)))
add("scaled_dot_product_attention", QUERY, KEYS, VALUES, (anywhere, (3, 5)))
each("blockwise_attention", *SQUARE, settings=[{"window": 1}])
dropped = held(lambda *xs: cr.scaled_dot_product_attention(*xs, dropout=0.4))
add("scaled_dot_product_attention", QUERY, KEYS, VALUES, f=dropped)
each("linear_attention", *SQUARE, settings=[{}, {"causal": True}])
add("attention_weights", ATTENDED)
add("attention_weights", ATTENDED, (anywhere, (3, 5)))
each("attention_weights", (anywhere, (2, 3, 3)), settings=[{"causal": True, "scale": 0.5}])
add("dot_scores", QUERY, KEYS)
add("scaled_dot_scores", QUERY, KEYS)
add("additive_scores", QUERY, KEYS, (anywhere, (3, 4)), (anywhere, (3, 4)), (anywhere, (3,)))
add("rotary", (anywhere, (2, 3, 4)))
add("rotary", (anywhere, (2, 3, 4)), (labels, (3,)))
add("rotary", (anywhere, (2, 3, 4)), (labels, (2, 3)), f=lambda x, p: cr.rotary(x, p, interleaved=True))
add("padding_mask", (labels, (4,)), f=lambda n: cr.padding_mask(n, 3))
add("global_mask", (labels, (2,)), f=lambda tokens: cr.global_mask(4, tokens))

# Recurrences: sequences (2, 3, 2), states of width 2, with a mask and without.
STEP, STATE, SEQUENCE, STEPS = (anywhere, (2, 3)), (anywhere, (2, 2)), (anywhere, (2, 3, 3)), (mask, (2, 3))
WEIGHTS = {
    "rnn": ((2, 3), (2, 2), (2,)),
    "gru": ((6, 3), (6, 2), (6,), (6,)),
    "chung_gru": ((6, 3), (6, 2), (6,)),
    "residual_rnn": ((2, 3), (2, 2), (2, 2), (2,)),
    "highway_rnn": ((4, 3), (4, 2), (4,)),
    "lstm": ((8, 3), (8, 2), (8,)),
}
for name, shapes in WEIGHTS.items():
    weights = [(unit, shape) for shape in shapes]
    cell = "highway_cell" if name == "highway_rnn" else f"{name}_cell"
    if name == "lstm":
        add(name, SEQUENCE, STATE, STATE, *weights, f=lambda x, h, c, *w: cr.lstm(x, (h, c), *w))
        add(cell, STEP, STATE, STATE, *weights)
        continue
    add(name, SEQUENCE, STATE, *weights)
    masked = lambda x, m, h, *w, name=name: getattr(cr, name)(x, h, *w, mask=m, reverse=True)  # noqa: E731
    add(name, SEQUENCE, STEPS, STATE, *weights, f=masked)
    add(cell, STEP, STATE, *weights)
add("highway", (anywhere, (2, 3)), (unit, (3, 3)), (unit, (3,)), (unit, (3, 3)), (unit, (3,)))
add("highway", (anywhere, (3,)), (unit, (3, 3)), (unit, (3,)), (unit, (3, 3)), (unit, (3,)))

# Draws: from the same stream at each call.
add("normal", (anywhere, M), (positive, (3,)), f=held(cr.normal))
add("uniform", (anywhere, M), (above_one, ()), f=held(cr.uniform))
add("bernoulli", (chances, M), f=held(cr.bernoulli))
add("categorical", (anywhere, M), f=held(cr.categorical))
add("gumbel_softmax", (anywhere, M), f=held(lambda x: cr.gumbel_softmax(x, 0.5)))
add("gumbel_softmax", (anywhere, M), f=held(lambda x: cr.gumbel_softmax(x, 0.5, hard=True)))
add("dropout", (anywhere, M), f=held(cr.dropout))

# What takes functions, inside `vmap`.


def curved(x):
    return cr.sum(cr.sin(x) * x[0])


for name in ("grad", "value_and_grad", "hessian"):
    add(name, (anywhere, (3,)), f=getattr(cr, name)(curved))
add("jacobian", (anywhere, (3,)), f=cr.jacobian(lambda x: cr.sin(x) * x[0]))
add("jacobian", (anywhere, (3,)), f=cr.jacobian(lambda x: cr.sin(x) * x[0], mode="forward"))
add("jvp", (anywhere, (3,)), (anywhere, (3,)), f=lambda x, dot: cr.jvp(curved, (x,), (dot,)))
add("vjp", (anywhere, (3,)), (anywhere, ()), f=lambda x, bar: cr.vjp(curved, x)[1](bar))
add("hvp", (anywhere, (3,)), (anywhere, (3,)), f=lambda x, v: cr.hvp(curved, x, v))
add("vmap", (anywhere, (2, 3)), (anywhere, (2, 3)), f=cr.vmap(cr.dot))
add("vmap", (anywhere, (2, 3)), (anywhere, (3,)), f=cr.vmap(cr.add, in_axes=(0, None), out_axes=1))
add("scan", (anywhere, (2,)), (anywhere, (4, 2)), f=lambda h, x: cr.scan(lambda h, x: (cr.tanh(h + x), h * x), h, x))
add("checkpoint", (anywhere, (3,)), f=cr.checkpoint(lambda x: cr.sin(x) * x[0]))
add("checkpoint", (anywhere, (3,)), f=lambda x: cr.grad(cr.checkpoint(curved))(x))
add("checkpoint_sequential", (anywhere, (3,)), f=cr.checkpoint_sequential([cr.sin, cr.exp, cr.tanh], 2))

CALLS = {name: [Call(name, k, *call) for k, call in enumerate(calls)] for name, calls in sorted(TABLE.items())}
EACH = [call for calls in CALLS.values() for call in calls]

NO_ARRAYS = """
    alibi alibi_slopes arange causal_mask eye full gumbel linspace ones rand randn sinusoidal_positions
    sliding_window_mask zeros randint randperm logspace tril_indices triu_indices axes no_grad random_stream seed use
    load
"""
"""What takes no array, so that `vmap` has nothing to map over."""
NOT_INSIDE = {
    "at": "runs a training again",
    "check_gradients": "gives one verdict, from numbers",
    "compare": "runs two trainings again",
    "compile": "makes a plan of a step, whose parts may be mapped",
    "diagnose": "looks at one pass",
    "diagnosing": "is a block",
    "gradients": "walks the tape, which records what all examples did together",
    "graph": "walks the tape",
    "path_sum": "walks the tape",
    "paths": "walks the tape",
    "unique": "how many results there are depends on the numbers",
    "save": "writes a file",
    "evaluate": "runs over a whole data set",
    "ledger": "books one pass",
    "explain": "shows the numbers of one pass",
    "fit": "trains on a whole data set",
    "predict": "runs over a whole data set",
    "predict_proba": "runs over a whole data set",
}
"""Functions that are not for one example of many, each with the reason."""
