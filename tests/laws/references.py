"""The value of every primitive, worked out another way: the formula in NumPy, or, where one kernel does many
operations, their composition."""

from math import erf, erfc, exp, pi, sqrt

import numpy as np

from chainrule.core.fused import Fused
from tests.laws.references_windows import WINDOWED


def value_of(case, args):
    """What a call on NumPy arrays has to give."""
    if case.name in VALUES:
        return VALUES[case.name](*args, **case.settings)
    assert isinstance(case.primitive, Fused), f"{case.name} has no second expression of its value"
    return case.primitive.composition(*args, **case.settings)


def by_entry(f):
    return np.vectorize(f, otypes=[float])


def choice(test, yes, no):
    """By arithmetic: test · yes + (1 − test) · no."""
    return test * yes + (1 - test) * no


def sigma(x):
    return (1 + np.tanh(x / 2)) / 2


def cube(x):
    return x**3


NUMBERS = {
    "abs": lambda x: np.sqrt(x * x),
    "acos": lambda x: np.arctan2(np.sqrt(1 - x * x), x),
    "acosh": lambda x: np.log(x + np.sqrt(x * x - 1)),
    "add": lambda a, b: a - (-b),
    "asin": lambda x: np.arctan2(x, np.sqrt(1 - x * x)),
    "asinh": lambda x: np.log(x + np.sqrt(x * x + 1)),
    "astype": lambda x, *, dtype: np.array(x, dtype),
    "atan": lambda x: np.angle(1 + 1j * x),
    "atan2": lambda y, x: np.angle(x + 1j * y),
    "atanh": lambda x: np.log((1 + x) / (1 - x)) / 2,
    "ceil": lambda x: -np.floor(-x),
    "choose": lambda a, b, c: choice(c, a, b),
    "clamped_log": lambda x: np.log10(x) / np.log10(np.e),
    "cos": lambda x: np.exp(1j * x).real,
    "cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2,
    "discretise": lambda x, *, dtype: np.trunc(x) if np.dtype(dtype).kind == "i" else x != 0,
    "divide": lambda a, b: a * b**-1.0,
    "elu": lambda x, *, alpha=1.0: choice(x > 0, x, alpha * (np.exp(x) - 1)),
    "equal": lambda a, b: a - b == 0,
    "erf": by_entry(erf),
    "erfc": by_entry(erfc),
    "exp": lambda x: np.e**x,
    "exp2": lambda x: np.exp(x * np.log(2)),
    "expm1": lambda x: np.exp(x) - 1,
    "floor": lambda x: -np.ceil(-x),
    "gelu": by_entry(lambda x: x * erfc(-x / sqrt(2)) / 2),
    "gelu_slope": by_entry(lambda x: erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi)),
    "gelu_tanh": lambda x: x * sigma(2 * sqrt(2 / pi) * (x + 0.044715 * cube(x))),
    "greater": lambda a, b: a - b > 0,
    "greater_equal": lambda a, b: ~(a - b < 0),
    "hold": lambda x: x.copy(),
    "hypot": lambda a, b: np.sqrt(a * a + b * b),
    "isfinite": lambda x: abs(x) < np.inf,
    "isinf": lambda x: abs(x) == np.inf,
    "isnan": lambda x: x != x,
    "leaky_relu": lambda x, *, slope=0.01: np.maximum(x, 0) + slope * np.minimum(x, 0),
    "less": lambda a, b: a - b < 0,
    "less_equal": lambda a, b: ~(a - b > 0),
    "log": lambda x: np.log2(x) * np.log(2),
    "log10": lambda x: np.log(x) / np.log(10),
    "log1p": lambda x: np.log(1 + x),
    "log2": lambda x: np.log(x) / np.log(2),
    "log_sigmoid": lambda x: np.log(sigma(x)),
    "logaddexp": lambda a, b: np.log(np.exp(a) + np.exp(b)),
    "logical_and": lambda a, b: a * b != 0,
    "logical_not": lambda x: x == 0,
    "logical_or": lambda a, b: abs(a) + abs(b) != 0,
    "maximum": lambda a, b: (a + b + abs(a - b)) / 2,
    "minimum": lambda a, b: (a + b - abs(a - b)) / 2,
    "multiply": lambda a, b: ((a + b) ** 2 - (a - b) ** 2) / 4,
    "negative": lambda x: 0 - x,
    "not_equal": lambda a, b: abs(a - b) > 0,
    "prelu": lambda x, a: np.maximum(x, 0) + a * np.minimum(x, 0),
    "raise_both": lambda x, p: np.exp(p * np.log(x)),
    "raise_to": lambda x, *, exponent: np.exp(exponent * np.log(x)),
    "relu": lambda x: (x + abs(x)) / 2,
    "remainder": lambda a, b: a - np.floor(a / b) * b,
    "round": lambda x: np.floor(x + 0.5),  # no entry is a half
    "selu": lambda x: 1.0507009873554805 * choice(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "sigmoid": sigma,
    "sigmoid_cross_entropy": lambda z, t: -t * np.log(sigma(z)) - (1 - t) * np.log(sigma(-z)),
    "sign": lambda x: x / abs(x),
    "silu": lambda x: x * sigma(x),
    "sin": lambda x: np.exp(1j * x).imag,
    "sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "sqrt": lambda x: np.exp(np.log(x) / 2),
    "square": lambda x: abs(x) ** 2.0,
    "step": lambda x: (1 + x / abs(x)) / 2,  # no entry is 0
    "step_strict": lambda x: (1 + x / abs(x)) / 2,
    "subtract": lambda a, b: a + (-b),
    "tan": lambda x: np.sin(x) / np.cos(x),
    "tanh": lambda x: 1 - 2 / (np.exp(2 * x) + 1),
    "trunc": lambda x: np.sign(x) * np.floor(abs(x)),
}


# --- over axes --------------------------------------------------------------------------------------------


def over(f):
    """A function of a vector applied over axes, to one vector after the other."""

    def of_array(x, *, axis):
        axis = (axis,) if isinstance(axis, int) else axis
        kept = [k for k in range(x.ndim) if k not in axis]
        rows = x.transpose(*kept, *axis)
        y = np.zeros(rows.shape[: len(kept)])
        for place in np.ndindex(y.shape):
            y[place] = f([float(v) for v in rows[place].ravel()])
        return y

    return of_array


def along(f):
    """A function of a vector that gives a vector, applied along an axis."""

    def of_array(x, *, axis, **settings):
        rows = np.moveaxis(x, axis, -1)
        found = [f(rows[place].tolist(), **settings) for place in np.ndindex(rows.shape[:-1])]
        width = len(found[0]) if found else len(f([0.0] * rows.shape[-1], **settings))
        return np.moveaxis(np.reshape(found, (*rows.shape[:-1], width)), -1, axis)

    return of_array


def first(best):
    """The position of the best entry."""
    return lambda x, *, axis: along(lambda row: [row.index(best(row))])(x, axis=axis).squeeze(axis).astype(int)


def ranks(row):
    return sorted(range(len(row)), key=row.__getitem__)


def running(f):
    return along(lambda row: [f(row[: k + 1]) for k in range(len(row))])


def probabilities(row):
    return [1 / sum(np.exp(other - x) for other in row) for x in row]


def product(row):
    return float(np.prod(row))


def log_sum_exp(row):
    return np.log(sum(np.exp(row)))


OVER_AXES = {
    "argmax": first(max),
    "argmin": first(min),
    "argsort": lambda x, *, axis: along(ranks)(x, axis=axis).astype(int),
    "cumprod": running(product),
    "cumsum": running(sum),
    "euclidean": over(lambda row: sqrt(sum(v * v for v in row))),
    "log_softmax": along(lambda row: list(np.log(probabilities(row)))),
    "logcumsumexp": running(log_sum_exp),
    "logsumexp": over(log_sum_exp),
    "max_reduce": over(max),
    "mean": over(lambda row: sum(row) / len(row)),
    "min_reduce": over(min),
    "prod": over(product),
    "softmax": along(probabilities),
    "sum": over(sum),
    "top_positions": lambda x, *, k, axis: along(lambda row: ranks(row)[::-1][:k])(x, axis=axis).astype(int),
    "unstack": lambda x, *, axis: tuple(np.take(x, i, axis) for i in range(x.shape[axis])),
}


# --- where entries go -------------------------------------------------------------------------------------


def repeated(x, *, shape):
    y = np.zeros(shape)
    y[...] = x
    return y


def joined(*xs, axis):
    return np.moveaxis(np.array([row for x in xs for row in np.moveaxis(x, axis, 0)]).reshape(
        sum(x.shape[axis] for x in xs), *np.moveaxis(xs[0], axis, 0).shape[1:]), 0, axis)  # fmt: skip


def turned_axes(x, *, axes):
    y = np.zeros([x.shape[a] for a in axes])
    for place in np.ndindex(x.shape):
        y[tuple(place[a] for a in axes)] = x[place]
    return y


def one_by_one(x, labels):
    return np.reshape([x[(*place, labels[place])] for place in np.ndindex(labels.shape)], labels.shape)


def taken(x, *indices, last=False):
    """The rows that the indices name; with `last` only for the last that names each."""
    y = np.zeros((*indices[0].shape, *x.shape[len(indices) :]))
    seen = set()
    for place in reversed(list(np.ndindex(indices[0].shape))):
        named = tuple(int(i[place]) for i in indices)
        y[place] = 0 if last and named in seen else x[named]
        seen.add(named)
    return y


def put(y, *indices, shape, add):
    x = np.zeros(shape)
    for place in np.ndindex(indices[0].shape):
        named = tuple(int(i[place]) for i in indices)
        x[named] = x[named] + y[place] if add else y[place]
    return x


def placed(y, *, key, shape):
    x = np.zeros(shape)
    x[key] = y
    return x


def entries_at(x, *, key):
    return x.ravel()[np.arange(x.size).reshape(x.shape)[key]]


def surrounded(x, *, widths, value=0.0):
    every = [(0, 0)] * (x.ndim - len(widths)) + list(widths)
    y = np.full([n + sum(w) for n, w in zip(x.shape, every, strict=True)], value)
    y[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, every, strict=True))] = x
    return y


PLACES = {
    "add_at": lambda y, *i, shape: put(y, *i, shape=shape, add=True),
    "broadcast_to": repeated,
    "concatenate": joined,
    "index": entries_at,
    "pad": surrounded,
    "permute": turned_axes,
    "pick": one_by_one,
    "place": lambda y, labels, *, n: y[..., None] * (np.arange(n) == labels[..., None]),
    "place_at": placed,
    "put_at": lambda y, *i, shape: put(y, *i, shape=shape, add=False),
    "reshape": lambda x, *, shape: np.array([x[i] for i in np.ndindex(x.shape)]).reshape(shape),
    "softmax_cross_entropy": lambda z, t: -np.log(one_by_one(along(probabilities)(z, axis=-1), t)),
    "take_at": taken,
    "take_last": lambda x, *i: taken(x, *i, last=True),
}


# --- matrices and spectra ---------------------------------------------------------------------------------


def each(f):
    """A function of one matrix for every matrix of a stack; it gives an array of one shape."""

    def of_stack(a, *others):
        lead = a.shape[:-2]
        probe = np.asarray(f(np.eye(*a.shape[-2:]), *(np.zeros(b.shape[-2:]) for b in others)))
        y = np.zeros((*lead, *probe.shape))
        for place in np.ndindex(lead):
            y[place] = f(a[place], *(b[place] for b in others))
        return y

    return of_stack


def determinant(a):
    """By the first row."""
    if len(a) == 1:
        return a[0, 0]
    return sum((-1) ** j * a[0, j] * determinant(np.delete(a[1:], j, 1)) for j in range(len(a)))


def cofactor_matrix(a):
    n = len(a)
    minor = lambda i, j: determinant(np.delete(np.delete(a, i, 0), j, 1)) if n > 1 else 1.0  # noqa: E731
    return np.array([[(-1) ** (i + j) * minor(i, j) for j in range(n)] for i in range(n)])


def inverted(a):
    return cofactor_matrix(a).T / determinant(a)


def triangle(a):
    """Cholesky's factor, entry by entry."""
    a, factor = (a + a.T) / 2, np.zeros(a.shape)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - factor[i] @ factor[j]
            factor[i, j] = sqrt(rest) if i == j else rest / factor[j, j]
    return factor


def pointed(columns, rows):
    """Columns with the sign at which the first entry, of the first `rows`, that is not small is positive."""
    for k in range(columns.shape[1]):
        size = abs(columns[:rows, k])
        columns[:, k] *= np.sign(columns[np.argmax(size > 0.3 * size.max()), k])
    return columns


def eigenvectors(a):
    """By the general solver; values ascending, above vectors of length 1."""
    values, vectors = np.linalg.eig((a + a.T) / 2)
    order = np.argsort(values.real)
    return np.vstack([values.real[order], pointed(vectors.real[:, order], len(a))])


def singular_columns(a):
    """From the eigenvectors of aᵀa, or of aaᵀ where that is the smaller one."""
    wide = a.shape[0] < a.shape[1]
    b = a.T if wide else a
    squares, v = np.linalg.eigh(b.T @ b)
    s, v = np.sqrt(squares[::-1]), v[:, ::-1]
    u = b @ v / s
    return np.vstack([s, pointed(np.vstack([v, u] if wide else [u, v]), a.shape[0])])


def gram_schmidt(a):
    q, r = np.zeros(a.shape), np.zeros((a.shape[1],) * 2)
    for k in range(a.shape[1]):
        rest = a[:, k].copy()
        for j in range(k):
            r[j, k] = q[:, j] @ rest
            rest -= r[j, k] * q[:, j]
        r[k, k] = np.linalg.norm(rest)
        q[:, k] = rest / r[k, k]
    return np.vstack([q, r])


def pseudo_inverse(a):
    """Of full rank: (aᵀa)⁻¹aᵀ, or aᵀ(aaᵀ)⁻¹."""
    return inverted(a.T @ a) @ a.T if a.shape[0] >= a.shape[1] else a.T @ inverted(a @ a.T)


def waves(n):
    """e^(−2πi kt/n) for all k and t."""
    k = np.arange(n)
    return np.exp(-2j * pi * k[:, None] * k / n)


def spectrum(x):
    n = x.shape[-1]
    y = x @ waves(n)[: n // 2 + 1].T
    return np.stack([y.real, y.imag], -1)


def signal(pairs, *, n):
    z = pairs[..., 0] + 1j * pairs[..., 1]
    z = np.concatenate([z, z[..., 1 : (n + 1) // 2][..., ::-1].conj()], -1)
    z[..., 0] = z[..., 0].real
    if n % 2 == 0:
        z[..., n // 2] = z[..., n // 2].real
    return (z @ waves(n).conj().T).real / n


def summed(a, b, *, letters):
    return np.einsum(letters, a, b)


def turned(x, w, *, interleaved, back=False):
    half = x.shape[-1] // 2
    order = np.arange(2 * half).reshape(half, 2) if interleaved else np.arange(2 * half).reshape(2, half).T
    a, b = (z[..., order[:, 0]] + 1j * z[..., order[:, 1]] for z in (x, w))
    z = a * (b.conj() if back else b)
    y = np.zeros(x.shape)
    y[..., order[:, 0]], y[..., order[:, 1]] = z.real, z.imag
    return y


def streams(*numbers, kind, key, shape, dtype):
    """One generator for each entry of the numbers."""
    draws = {
        "normal": lambda g: g.normal(size=shape),
        "uniform": lambda g: g.uniform(size=shape),
        "uniform_single": lambda g: g.random(shape, np.float32),
        "gumbel": lambda g: g.gumbel(0.0, 1.0, shape),
    }
    places = list(np.ndindex(numbers[0].shape))
    rows = [draws[kind](key.filled([int(n[p]) for n in numbers]).generator()) for p in places]
    return np.array(rows, dtype).reshape((*numbers[0].shape, *shape))


MATRICES = {
    "affine": lambda x, w, b: np.einsum("ni,oi->no", x, w) + b,
    "cholesky": each(triangle),
    "cofactors": each(cofactor_matrix),
    "contract": summed,
    "det": each(determinant),
    "det_sign": each(lambda a: np.sign(determinant(a))),
    "draw": streams,
    "eigh": each(eigenvectors),
    "inverse": each(inverted),
    "irfft": signal,
    "log_abs_det": each(lambda a: np.log(abs(determinant(a)))),
    "matmul": lambda a, b: np.einsum("...ij,...jk->...ik", a, b),
    "pinv": each(pseudo_inverse),
    "qr": each(gram_schmidt),
    "rfft": spectrum,
    "solve": each(lambda a, b: inverted(a) @ b),
    "svd": each(singular_columns),
    "turn": turned,
}

VALUES = NUMBERS | OVER_AXES | PLACES | MATRICES | WINDOWED
