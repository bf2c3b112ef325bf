"""For every primitive: calls drawn by hypothesis, their sizes and settings, empty and size-one axes among them.

The numbers themselves come from the entries of `domains`, which stay away from kinks, by a drawn seed. Small calls
come first, so that a law that fails is shown at the smallest call where it does.
"""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.base.keys import Hole, Key
from chainrule.ops.reductions import kept_shape
from tests.laws import drawn_layers
from tests.laws.domains import DOMAINS
from tests.laws.entries import Case

MOST = 3
"""The largest size of an axis: what goes wrong at 30 goes wrong at 3, where a loop over entries is short."""

drawn = st.composite


def shapes(fewest=0, most=3, smallest=0):
    return hnp.array_shapes(min_dims=fewest, max_dims=most, min_side=smallest, max_side=MOST)


def sizes(smallest=1, largest=MOST):
    return st.integers(smallest, largest)


def call(shape, /, **settings):
    return (shape,), settings


# --- families of calls: strategies of (shapes, settings) --------------------------------------------------


@drawn
def entrywise(draw, name):
    domain = DOMAINS[name]
    return (draw(shapes()),) * len(domain.entries), draw(st.sampled_from([c[1] for c in domain.calls]))


@drawn
def reduction(draw, empty=False):
    shape = list(draw(shapes()))
    axis = tuple(sorted(draw(st.sets(st.sampled_from(range(len(shape)))) if shape else st.just(set()))))
    for k in () if empty else axis:
        shape[k] = max(1, shape[k])  # there is no largest or mean of nothing
    return call(tuple(shape), axis=axis)


@drawn
def along(draw, smallest=1, **settings):
    shape = list(draw(shapes(1)))
    axis = draw(st.integers(0, len(shape) - 1))
    shape[axis] = max(smallest, shape[axis])
    return call(tuple(shape), axis=axis, **settings)


@drawn
def largest(draw):
    ((shape,), settings) = draw(along(0))
    return call(shape, k=draw(st.integers(0, shape[settings["axis"]])), **settings)


@drawn
def standardised(draw):
    ((shape,), settings) = draw(reduction())
    return call(shape, eps=draw(st.sampled_from([0.1, 0.5])), **settings)


@drawn
def standardised_back(draw):
    (x,), settings = draw(standardised())
    kept = kept_shape(x, settings["axis"])
    return (x, kept, kept, x, kept), settings


@drawn
def one_a_row(draw, *places):
    """Shapes of x (…, 3 or more) and of its labels (…), where `places` say: x or the labels."""
    lead = draw(shapes(0, 2))
    x = (*lead, draw(st.integers(3, 4)))
    return tuple(x if p == "x" else lead for p in places), {}


@drawn
def one_hot(draw):
    lead = draw(shapes(0, 2))
    return (lead, lead), {"n": draw(st.integers(3, 4))}


@drawn
def broadcast(draw):
    shape = draw(shapes())
    stretched = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    x = tuple(1 if s else n for n, s in zip(shape, stretched, strict=True))
    return call(x[draw(st.integers(0, len(x))) :], shape=shape)


@drawn
def concatenated(draw):
    shape = draw(shapes(1))
    axis = draw(st.integers(0, len(shape) - 1))
    parts = draw(st.lists(sizes(0), min_size=1, max_size=3))
    return tuple((*shape[:axis], n, *shape[axis + 1 :]) for n in parts), {"axis": axis}


@drawn
def permuted(draw):
    shape = draw(shapes())
    return call(shape, axes=tuple(draw(st.permutations(range(len(shape))))))


@drawn
def reshaped(draw):
    shape = draw(shapes())
    flat = (int(np.prod(shape)),)
    return call(shape, shape=draw(st.sampled_from([flat, (1, *shape), shape[::-1], (*flat, 1)])))


def cut(n):
    """A part of a key for an axis of size n: a slice, or the number of an entry where there is one."""
    edge = st.none() | st.integers(-n, n)
    slices = st.builds(slice, edge, edge, st.sampled_from([None, 2, -1, -2]))
    return slices | st.integers(-n, n - 1) if n else slices


@drawn
def indexed(draw):
    shape = draw(shapes(1))
    key = tuple(draw(cut(n)) for n in shape[: draw(st.integers(1, len(shape)))])
    return call(shape, key=draw(st.sampled_from([key, (*key, ...), (None, *key)])))


@drawn
def placed(draw):
    (shape,), settings = draw(indexed())
    return call(np.zeros(shape)[settings["key"]].shape, shape=shape, **settings)


@drawn
def taken(draw):
    """Rows of x, which has 3 or more along the axes that the indices name."""
    axes = draw(sizes(1, 2))
    x = (*draw(st.lists(st.integers(3, 4), min_size=axes, max_size=axes)), *draw(shapes(0, 1)))
    return (x, *[draw(shapes(0, 2))] * axes), {}


@drawn
def added(draw):
    (x, *indices), _ = draw(taken())
    return ((*indices[0], *x[len(indices) :]), *indices), {"shape": x}


@drawn
def product(draw):
    m, k, n = (draw(sizes(0)) for _ in "mkn")
    lead = draw(shapes(0, 2))
    return ((*lead, m, k), (*lead, k, n)), {}


@drawn
def affine(draw):
    n, i, o = (draw(sizes(0)) for _ in "nio")
    return ((n, i), (o, i), (o,)), {}


LETTERS = ["ij,jk->ik", "ij,jk->ki", "ij,ji->", "bij,jb->ib", "i,j->ji", "ij,ij->ji", "ij,i->ij", "abc,cad->bd"]


@drawn
def contracted(draw):
    letters = draw(st.sampled_from(LETTERS))
    size = {k: draw(sizes(0)) for k in "abcdijk"}
    return tuple(tuple(size[k] for k in term) for term in letters.partition("->")[0].split(",")), {"letters": letters}


@drawn
def square(draw, *further):
    lead, n = draw(shapes(0, 2)), draw(sizes())
    return ((*lead, n, n), *((*lead, n, draw(sizes(0))) for _ in further)), {}


@drawn
def oblong(draw, tall=False):
    m, n = draw(sizes()), draw(sizes())
    return call((*draw(shapes(0, 2)), *((max(m, n), min(m, n)) if tall else (m, n))))


@drawn
def signal(draw):
    return call((*draw(shapes(0, 2)), draw(sizes(1, 6))))


@drawn
def spectrum(draw):
    n = draw(sizes(1, 6))
    return call((*draw(shapes(0, 2)), n // 2 + 1, 2), n=n)


@drawn
def stream(draw):
    numbers = draw(shapes(0, 2))
    kinds = {"normal": "f8", "uniform": "f4", "gumbel": "f8", "uniform_single": "f4"}
    kind = draw(st.sampled_from(sorted(kinds)))
    settings = {"kind": kind, "key": Key(1) / Hole(0), "dtype": np.dtype(kinds[kind])}
    return call(numbers, shape=draw(shapes(0, 1)), **settings)


FAMILIES = {
    "add_at put_at": added(),
    "affine": affine(),
    "argmax argmin log_softmax softmax": along(),
    "argsort cumprod cumsum logcumsumexp unstack": along(0),
    "broadcast_to": broadcast(),
    "cholesky cofactors det det_sign eigh inverse log_abs_det": square(),
    "concatenate": concatenated(),
    "contract": contracted(),
    "draw": stream(),
    "euclidean prod sum": reduction(empty=True),
    "index": indexed(),
    "irfft": spectrum(),
    "logsumexp max_reduce mean min_reduce": reduction(),
    "matmul": product(),
    "permute": permuted(),
    "pick softmax_cross_entropy": one_a_row("x", "labels"),
    "pinv svd": oblong(),
    "place": one_hot(),
    "place_at": placed(),
    "qr": oblong(tall=True),
    "reshape": reshaped(),
    "rfft": signal(),
    "softmax_cross_entropy_back": one_a_row("labels", "x", "labels"),
    "solve": square("b"),
    "standardise": standardised(),
    "standardise_back": standardised_back(),
    "take_at take_last": taken(),
    "top_positions": largest(),
}
DRAWN = {name: calls for names, calls in FAMILIES.items() for name in names.split()} | drawn_layers.DRAWN

for name, domain in DOMAINS.items():
    if all(len(set(shapes)) == 1 for shapes, _ in domain.calls):  # one shape for all arguments
        DRAWN.setdefault(name, entrywise(name))


def cases(name):
    """Calls of one primitive as hypothesis draws them; the number of a case is the seed of its entries."""
    return st.builds(
        lambda call, seed: Case(name, seed, *call, DOMAINS[name].entries), DRAWN[name], st.integers(0, 2**32 - 1)
    )
