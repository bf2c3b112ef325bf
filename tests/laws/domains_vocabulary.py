"""Domains of the elementary vocabulary: functions of numbers, indexing, order, running totals, matrices, spectra."""

import numpy as np

from chainrule.base.keys import Hole, Key
from tests.laws.entries import (
    ALONG,
    EMPTIED,
    REDUCTIONS,
    Domain,
    anywhere,
    between,
    calls,
    distinct,
    entrywise,
    even,
    labels,
    odd,
    off_zero,
    positive,
)

# --- entries ---------------------------------------------------------------------------------------


def truth(draw, shape):
    return draw.choice([0.0, 1.5], shape)


def with_limits(draw, shape):
    return draw.choice([1.5, np.nan, np.inf, -np.inf], shape)


def off_whole(draw, shape):
    """At least 0.1 from the halves, where functions of rounding jump."""
    return draw.integers(-3, 3, shape) + draw.choice([0.2, 0.3, 0.7, 0.8], shape)


def divisor(draw, shape):
    return draw.choice([-1.0, 1.0, 2.0], shape) + draw.uniform(0.01, 0.02, shape)


def regular(draw, shape):
    """Matrices far from singular."""
    return draw.uniform(-1, 1, shape) + 2.5 * np.eye(*shape[-2:])


def with_values(draw, shape):
    """Matrices whose singular values are near 1, 2, 3, …: far from 0 and from one another."""
    *batch, m, n = shape
    k = min(m, n)
    u = np.linalg.qr(draw.standard_normal((*batch, m, k)))[0]
    v = np.linalg.qr(draw.standard_normal((*batch, n, k)))[0]
    return (u * (np.arange(k) + draw.uniform(0.8, 1.2, k))) @ v.swapaxes(-1, -2)


def definite(draw, shape):
    """Symmetric matrices with eigenvalues near 1, 2, 3, …"""
    q = np.linalg.qr(draw.standard_normal(shape))[0]
    n = shape[-1]
    return (q * (np.arange(n) + draw.uniform(0.8, 1.2, n))) @ q.swapaxes(-1, -2)


# --- the tables ------------------------------------------------------------------------------------

ENTRYWISE = {
    "acos": entrywise(between(-0.8, 0.8)),
    "acosh": entrywise(between(1.3, 3)),
    "asin": entrywise(between(-0.8, 0.8)),
    "asinh": entrywise(anywhere),
    "atan": entrywise(anywhere),
    "atan2": entrywise(off_zero, off_zero),
    "atanh": entrywise(between(-0.8, 0.8)),
    "ceil": entrywise(off_whole),
    "erfc": entrywise(anywhere),
    "exp2": entrywise(anywhere),
    "floor": entrywise(off_whole),
    "hold": entrywise(anywhere),
    "hypot": entrywise(off_zero, off_zero),
    "isfinite": entrywise(with_limits),
    "isinf": entrywise(with_limits),
    "isnan": entrywise(with_limits),
    "log10": entrywise(positive),
    "log2": entrywise(positive),
    "logaddexp": entrywise(even, odd),
    "logical_and": entrywise(truth, truth),
    "logical_not": entrywise(truth),
    "logical_or": entrywise(truth, truth),
    "remainder": entrywise(off_whole, divisor),
    "round": entrywise(off_whole),
    "trunc": entrywise(off_whole),
}

TAKEN = [
    ((4, 3), (5,), {}),
    ((3, 4, 2), (2, 2), (2, 2), {}),
    ((3,), (), {}),
    ((3, 2), (0,), {}),
    ((3, 0), (2,), {}),
]
ADDED = [
    ((5, 3), (5,), {"shape": (4, 3)}),
    ((2, 2, 2), (2, 2), (2, 2), {"shape": (3, 4, 2)}),
    ((6,), (6,), {"shape": (3,)}),
    ((), (), {"shape": (3,)}),
    ((0, 2), (0,), {"shape": (3, 2)}),
    ((2, 0), (2,), {"shape": (3, 0)}),
]
INDEXING = {
    "add_at": calls((anywhere, labels), *ADDED),
    "index": calls(
        (anywhere,),
        ((5,), {"key": 2}),
        ((5, 3), {"key": (slice(None, None, -2), 1)}),
        ((3, 2), {"key": (..., None, 0)}),
        ((3, 2), {"key": slice(0, 0)}),
        ((0, 3), {"key": (slice(None), 1)}),
    ),
    "place_at": calls(
        (anywhere,),
        ((3,), {"key": (slice(None, None, -2), 1), "shape": (5, 2)}),
        ((), {"key": 1, "shape": (3,)}),
        ((0,), {"key": slice(0, 0), "shape": (3,)}),
    ),
    "put_at": calls((anywhere, labels), *ADDED),
    "take_at": calls((anywhere, labels), *TAKEN),
    "take_last": calls((anywhere, labels), *TAKEN),
}

ORDER = {
    "argmax": calls((distinct,), *ALONG),
    "argmin": calls((distinct,), *ALONG),
    "argsort": calls((distinct,), *ALONG),
    "cumprod": calls((anywhere,), *ALONG, ((5, 2), {"axis": 0})),
    "cumsum": calls((anywhere,), *ALONG),
    "logcumsumexp": calls((anywhere,), *ALONG, ((5, 2), {"axis": 0})),
    "logsumexp": calls((anywhere,), *REDUCTIONS),
    "prod": calls((anywhere,), *REDUCTIONS, *EMPTIED, ((5, 2), {"axis": (0,)})),
    "top_positions": calls(
        (distinct,),
        ((5,), {"k": 2, "axis": 0}),
        ((3, 4), {"k": 4, "axis": 1}),
        ((3, 4), {"k": 1, "axis": 0}),
        ((2, 3), {"k": 0, "axis": 1}),
        ((0, 3), {"k": 2, "axis": 1}),
    ),
}

ONE_SQUARE = [((3, 3), {}), ((2, 2, 2), {}), ((1, 1), {}), ((0, 2, 2), {})]
MATRICES = {
    "cholesky": calls((definite,), *ONE_SQUARE),
    "cofactors": calls((regular,), *ONE_SQUARE),
    "contract": calls(
        (anywhere, anywhere),
        ((2, 3), (3, 4), {"letters": "ij,jk->ik"}),
        ((2, 3), (3, 2), {"letters": "ij,ji->"}),
        ((2, 3, 4), (4, 2), {"letters": "bij,jb->ib"}),
        ((2,), (3,), {"letters": "i,j->ji"}),
        ((2, 3), (2, 3), {"letters": "ij,ij->ji"}),
        ((2, 0), (0, 3), {"letters": "ij,jk->ik"}),
        ((), (2,), {"letters": ",i->i"}),
    ),
    "det": calls((regular,), *ONE_SQUARE),
    "det_sign": calls((regular,), *ONE_SQUARE),
    "eigh": calls((definite,), *ONE_SQUARE),
    "inverse": calls((regular,), *ONE_SQUARE),
    "log_abs_det": calls((regular,), *ONE_SQUARE),
    "pinv": calls((with_values,), ((3, 2), {}), ((2, 3), {}), ((2, 2, 2), {}), ((0, 2, 3), {})),
    "qr": calls((with_values,), ((3, 3), {}), ((4, 2), {}), ((2, 3, 1), {}), ((0, 3, 2), {})),
    "solve": calls(
        (regular, anywhere),
        ((3, 3), (3, 2), {}),
        ((2, 2, 2), (2, 2, 1), {}),
        ((0, 2, 2), (0, 2, 1), {}),
        ((2, 2), (2, 0), {}),
    ),
    "svd": calls((with_values,), ((3, 3), {}), ((4, 2), {}), ((2, 2, 3), {}), ((1, 1), {}), ((0, 2, 3), {})),
}

SPECTRA = {
    "irfft": calls(
        (anywhere,),
        ((3, 2), {"n": 4}),
        ((3, 2), {"n": 5}),
        ((2, 4, 2), {"n": 6}),
        ((1, 2), {"n": 1}),
        ((0, 2, 2), {"n": 3}),
    ),
    "rfft": calls((anywhere,), ((4,), {}), ((5,), {}), ((2, 6), {}), ((1,), {}), ((0, 3), {})),
}

STREAMS = {
    "draw": calls(
        (labels,),
        ((), {"kind": "normal", "key": Key(1) / Hole(0), "shape": (2,), "dtype": np.dtype(np.float64)}),
        ((3,), {"kind": "uniform", "key": Key(Hole(0)) / "x", "shape": (), "dtype": np.dtype(np.float32)}),
        ((2,), (2,), {"kind": "gumbel", "key": Key(Hole(1), (Hole(0),)), "shape": (2, 3), "dtype": np.dtype("f4")}),
        ((0,), {"kind": "uniform_single", "key": Key(1) / Hole(0), "shape": (2,), "dtype": np.dtype(np.float32)}),
    ),
}

DOMAINS: dict[str, Domain] = ENTRYWISE | INDEXING | ORDER | MATRICES | SPECTRA | STREAMS

KEEP_SHAPE = {"argsort", "cholesky", "cofactors", "inverse"}
"""Their shape rules only refuse what does not fit, or state what is so anyway."""
