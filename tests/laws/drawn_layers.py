"""Calls of attention, convolution and recurrences, drawn by hypothesis; see `drawn`."""

from hypothesis import strategies as st

from chainrule.ops import windows

drawn = st.composite


def sizes(smallest=1, largest=3):
    return st.integers(smallest, largest)


# --- attention --------------------------------------------------------------------------------------------

BANDS = st.sampled_from([(None, None), (None, 0), (-1, 1), (0, None), (-1, None)])


@drawn
def attention(draw):
    lead = draw(st.lists(sizes(0), max_size=1))
    t, s, d, e = draw(sizes(0)), draw(sizes(0)), draw(sizes()), draw(sizes())
    masked = draw(st.booleans())
    settings = {"scale": draw(st.sampled_from([1.0, 0.7])), "band": draw(BANDS), "block": draw(sizes(1, 4))}
    return ((*lead, t, d), (*lead, s, d), (*lead, s, e), *[(*lead, t, s)] * masked), settings


@drawn
def attention_back(draw):
    (q, k, v, *mask), settings = draw(attention())
    y, logarithm = (*q[:-1], v[-1]), q[:-1]
    return (y, logarithm, y, logarithm, q, k, v, *mask), settings


@drawn
def scores(draw):
    shape = (*draw(st.lists(sizes(0), max_size=1)), draw(sizes(0)), draw(sizes(0)))
    return (shape,) * draw(sizes(1, 2)), {"scale": draw(st.sampled_from([1.0, 0.7])), "band": draw(BANDS)}


@drawn
def turned(draw):
    shape = (*draw(st.lists(sizes(0), max_size=2)), 2 * draw(sizes(0)))
    return (shape, shape), {"interleaved": draw(st.booleans()), "back": draw(st.booleans())}


# --- windows ----------------------------------------------------------------------------------------------


@drawn
def places(draw, most_axes=2):
    """Settings of windows over one axis or more: sizes, kernels, places, and what a primitive is told."""
    axes = draw(sizes(1, most_axes))
    each = lambda s: tuple(draw(s) for _ in range(axes))  # noqa: E731
    kernel, stride, dilation = each(sizes(1, 2)), each(sizes(1, 2)), each(sizes(1, 2))
    padding = each(st.tuples(sizes(0, 1), sizes(0, 1)))
    count, rest = each(sizes(1, 2)), each(sizes(0, 1))
    along = list(zip(kernel, stride, padding, dilation, count, rest, strict=True))
    size = tuple(max(1, d * (k - 1) + 1 + s * (n - 1) - sum(p) + min(r, s - 1)) for k, s, p, d, n, r in along)
    found = tuple(windows.places(*axis) for axis in zip(size, kernel, stride, padding, dilation, strict=True))
    return size, kernel, found, {"stride": stride, "padding": padding, "dilation": dilation}


@drawn
def convolved(draw):
    size, kernel, found, settings = draw(places())
    n, groups, c, o = draw(sizes(0, 2)), draw(sizes(1, 2)), draw(sizes(1, 2)), draw(sizes(1, 2))
    x, w, y = (n, groups * c, *size), (groups * o, c, *kernel), (n, groups * o, *found)
    return x, w, y, {**settings, "groups": groups}


CONVOLVED = convolved()
CONV = CONVOLVED.map(lambda c: ((c[0], c[1]), c[3]))
CONV_TRANSPOSE = CONVOLVED.map(lambda c: ((c[2], c[1]), {"size": c[0][2:], **c[3]}))
CONV_WEIGHT = CONVOLVED.map(lambda c: ((c[0], c[2]), {"kernel": c[1][2:], **c[3]}))


@drawn
def unfolded(draw):
    size, kernel, found, settings = draw(places())
    lead = draw(sizes(0, 2)), draw(sizes(1, 2))
    return (*lead, *size), (*lead, *kernel, *found), {**settings, "kernel": kernel}


UNFOLDED = unfolded()
UNFOLD = UNFOLDED.map(lambda c: ((c[0],), c[2]))
FOLD = UNFOLDED.map(lambda c: ((c[1],), {"size": c[0][2:], **c[2]}))


@drawn
def table(draw):
    """A table of windows along one axis: regular ones, or those that share the axis out."""
    n, k = draw(sizes(1, 5)), draw(sizes(1, 3))
    if draw(st.booleans()):
        return windows.adaptive(n, k)
    return windows.regular(max(n, k), k, draw(sizes(1, 2)))


@drawn
def pooled(draw):
    tables = tuple(draw(st.lists(table(), min_size=1, max_size=2)))
    lead = draw(sizes(0, 2)), draw(sizes(1, 2))
    return (*lead, *(w.size for w in tables)), (*lead, *map(len, tables)), {"windows": tables}


POOLED = pooled()
MAX_POOL = POOLED.map(lambda c: ((c[0],), c[2]))
GATHER = POOLED.map(lambda c: ((c[0], c[0], c[1]), c[2]))
SPREAD = POOLED.map(lambda c: ((c[1], c[0], c[1]), c[2]))


@drawn
def padded(draw):
    shape = tuple(draw(st.lists(sizes(0), min_size=1, max_size=3)))
    widths = draw(st.lists(st.tuples(sizes(0, 2), sizes(0, 2)), min_size=1, max_size=len(shape)))
    return (shape,), {"widths": tuple(widths), "value": draw(st.sampled_from([0.0, 5.0]))}


@drawn
def resampled(draw):
    w = draw(table())
    before, behind = (draw(st.lists(sizes(0), max_size=1)) for _ in range(2))
    return ((*before, w.size, *behind),), {"axis": -1 - len(behind), "windows": w}


# --- recurrences ------------------------------------------------------------------------------------------

NONLINEAR = st.fixed_dictionaries({"nonlinearity": st.sampled_from(["tanh", "relu"])})
CARRIED = st.fixed_dictionaries(
    {"nonlinearity": st.sampled_from(["tanh", "relu"]), "carry": st.sampled_from(["state", "input"])}
)
NONE = st.just({})


@drawn
def recurrence(draw, gates, biases, states=1, skips=0, settings=NONE):
    """x (…, n, T, in), first states (…, n, h), weights, biases, and a mask (…, n, T) or none."""
    lead = tuple(draw(st.lists(sizes(1, 2), max_size=1)))
    more = draw(settings)
    n, t, i, h = draw(sizes(0, 2)), draw(sizes(1, 2)), draw(sizes(1, 2)), draw(sizes(1, 2))
    i = h if more.get("carry") == "input" else i
    shapes = [(n, t, i), *[(n, h)] * states, (gates * h, i), (gates * h, h)]
    shapes += [(h, h)] * skips + [(gates * h,)] * biases + [(n, t)] * draw(st.booleans())
    return tuple((*lead, *s) for s in shapes), {"reverse": draw(st.booleans()), **more}


@drawn
def recurrence_back(draw, gates, states=1, saved=(), skips=0, settings=NONE):
    """Cotangents of the results, the results, x, the first states, U (and Q), and a mask or none."""
    lead = tuple(draw(st.lists(sizes(1, 2), max_size=1)))
    more = draw(settings)
    n, t, i, h = draw(sizes(0, 2)), draw(sizes(1, 2)), draw(sizes(1, 2)), draw(sizes(1, 2))
    i = h if more.get("carry") == "input" else i
    results = [(n, t, h), *((n, t, k * h) for k in saved)]
    shapes = [*results, *results, (n, t, i), *[(n, h)] * states, (gates * h, h), *[(h, h)] * skips]
    shapes += [(n, t)] * draw(st.booleans())
    return tuple((*lead, *s) for s in shapes), {"reverse": draw(st.booleans()), **more}


@drawn
def highway(draw, before):
    """`before` arrays of the shape of x, then W and W', with their biases where x stands alone."""
    lead = tuple(draw(st.lists(sizes(1, 2), max_size=1)))
    n, h = draw(sizes(0)), draw(sizes(1, 2))
    weights = [(h, h), (h,), (h, h), (h,)] if before == 1 else [(h, h), (h, h)]
    return tuple((*lead, *s) for s in [*[(n, h)] * before, *weights]), draw(NONLINEAR)


DRAWN = {
    "attention": attention(),
    "attention_back": attention_back(),
    "chung_gru": recurrence(3, 1),
    "chung_gru_back": recurrence_back(3, saved=(3,)),
    "conv": CONV,
    "conv_transpose": CONV_TRANSPOSE,
    "conv_weight": CONV_WEIGHT,
    "fold": FOLD,
    "gru": recurrence(3, 2),
    "gru_back": recurrence_back(3, saved=(4,)),
    "highway": highway(1),
    "highway_back": highway(6),
    "highway_rnn": recurrence(2, 1, settings=CARRIED),
    "highway_rnn_back": recurrence_back(2, saved=(2,), settings=CARRIED),
    "lstm": recurrence(4, 1, states=2),
    "lstm_back": recurrence_back(4, states=2, saved=(1, 4)),
    "masked_softmax": scores(),
    "max_pool": MAX_POOL,
    "max_pool_gather": GATHER,
    "max_pool_spread": SPREAD,
    "pad": padded(),
    "residual_rnn": recurrence(1, 1, skips=1, settings=NONLINEAR),
    "residual_rnn_back": recurrence_back(1, saved=(1,), skips=1, settings=NONLINEAR),
    "resample": resampled(),
    "rnn": recurrence(1, 1, settings=NONLINEAR),
    "rnn_back": recurrence_back(1, settings=NONLINEAR),
    "turn": turned(),
    "unfold": UNFOLD,
}
