"""The floating-point operations of each primitive, counted from arrays in another way than its own rule does.

Where the rule counts multiplications and additions, so does this table, by what each entry of the result takes, or
by what goes through the weights. Where the rule is an agreed estimate (5 operations an entry for a softmax, 14 m n k
for a singular value decomposition: Golub & Van Loan, 2013), the estimate is written down a second time: a change of
it has to be meant.
"""

from math import log2

import numpy as np

from tests.laws.entries import results


def cost_of(case, y, args):
    """What a call costs; one operation for each entry of the result where the table says nothing."""
    rule = COSTS.get(case.name)
    return rule(results(y), *args, **case.settings) if rule else y.size


def entries_of_x(times):
    return lambda ys, x, *rest, **settings: times * x.size


def nothing(ys, *args, **settings):
    """Numbers are moved, none is computed."""
    return 0


def removed(ys, x, *, axis):
    """Each combination of two entries leaves one less."""
    return max(0, x.size - ys[0].size)


def cubes(times):
    """A share of n³ for every square matrix."""
    return lambda ys, a: times * a.shape[-1] ** 3 * int(np.prod(a.shape[:-2]))


def thin(times):
    """A share of m n min(m, n) for every matrix."""
    return lambda ys, a: times * a.size * min(a.shape[-2:])


def comparisons(ys, x, *, axis, **settings):
    return x.size * log2(max(2, x.shape[axis]))


def taps(ys, x, w, **settings):
    """Every place of y meets the weights of one channel."""
    return 2 * ys[0].size * w[0].size


def butterflies(n, size):
    return 2.5 * size * log2(max(2, n))


def contracted(ys, a, b, *, letters):
    """2 for each way to choose a number for every letter."""
    first, _, rest = letters.partition(",")
    size = dict(zip(first + rest.partition("->")[0], a.shape + b.shape, strict=True))
    return 2 * int(np.prod(list(size.values())))


def visible(q, k, band):
    i, j = np.arange(q.shape[-2])[:, None], np.arange(k.shape[-2])
    low, high = (-np.inf if band[0] is None else band[0]), (np.inf if band[1] is None else band[1])
    return ((j - i >= low) & (j - i <= high)).sum() * int(np.prod(q.shape[:-2]))


def attention(ys, q, k, v, *mask, band, **settings):
    """Two products for each visible pair, and 6 operations on its score."""
    return visible(q, k, band) * (2 * q.shape[-1] + 2 * v.shape[-1] + 6)


def attention_back(ys, y_bar, log_bar, y, logarithm, q, k, v, *mask, band, **settings):
    """Five products for each visible pair, three as wide as a query and two as a value, and 5 on its score."""
    return visible(q, k, band) * (3 * 2 * q.shape[-1] + 2 * 2 * v.shape[-1] + 5)


def through_weights(*places):
    """Every step of every sequence goes through every weight once: a multiplication and an addition."""

    def count(ys, *args, **settings):
        *lead, n, t, _ = args[0].shape
        weights = sum(int(np.prod(args[i].shape[-2:])) for i in places)
        return 2 * int(np.prod(lead)) * n * t * weights

    return count


def back_through_weights(x, state, gates, states=1):
    """The gradient of W costs as much as W did; of U and each like it so does that, and the cotangents behind.

    `x` and `state` are the places of the input and of the states, gates the rows of weights a state has.
    """

    def count(ys, *args, **settings):
        h, steps = args[state].shape[-1], args[state][..., 0].size
        return 2 * steps * gates * h * (args[x].shape[-1] + 2 * states * h)

    return count


def pooled(ys, x, *, windows):
    """Axis by axis: a window's entries are compared."""
    return sum(len(w.index[0]) for w in windows) * ys[0].size


def chosen(ys, moved, x, y, *, windows):
    return 3 * y.size * max(len(w.index[0]) for w in windows)


COSTS = {
    "add_at": lambda ys, y, *i, shape: y.size,
    "affine": lambda ys, x, w, b: len(x) * (2 * w.size + b.size),
    "argmax": entries_of_x(1),
    "argmin": entries_of_x(1),
    "argsort": comparisons,
    "attention": attention,
    "attention_back": attention_back,
    "broadcast_to": nothing,
    "cholesky": cubes(1 / 3),
    "chung_gru": through_weights(2, 3),
    "chung_gru_back": back_through_weights(4, 2, 3),
    "cofactors": cubes(22),
    "concatenate": nothing,
    "contract": contracted,
    "conv": taps,
    "conv_transpose": lambda ys, y, w, **settings: 2 * y.size * w[0].size,
    "conv_weight": lambda ys, x, y, **settings: 2 * y.size * ys[0][0].size,
    "det": cubes(2 / 3),
    "det_sign": cubes(2 / 3),
    "eigh": cubes(9),
    "euclidean": lambda ys, x, *, axis: 2 * x.size + ys[0].size,
    "fold": entries_of_x(1),
    "gru": through_weights(2, 3),
    "gru_back": back_through_weights(4, 2, 3),
    "highway": lambda ys, x, w, *rest, **settings: 2 * 2 * x[..., 0].size * w.shape[-2] * w.shape[-1],
    "highway_back": lambda ys, *args, **settings: 2 * 2 * 2 * args[5].size * args[5].shape[-1],
    "highway_rnn": through_weights(2, 3),
    "highway_rnn_back": back_through_weights(4, 2, 2),
    "hold": nothing,
    "index": nothing,
    "inverse": cubes(2),
    "irfft": lambda ys, spectrum, *, n: butterflies(n, ys[0].size),
    "log_abs_det": cubes(2 / 3),
    "log_softmax": entries_of_x(5),
    "logaddexp": entries_of_x(4),
    "logcumsumexp": entries_of_x(4),
    "logsumexp": entries_of_x(4),
    "lstm": through_weights(3, 4),
    "lstm_back": back_through_weights(6, 3, 4),
    "masked_softmax": entries_of_x(6),
    "matmul": lambda ys, a, b: 2 * a.size * b.shape[-1],
    "max_pool": pooled,
    "max_pool_gather": chosen,
    "max_pool_spread": chosen,
    "max_reduce": removed,
    "mean": entries_of_x(1),
    "min_reduce": removed,
    "pad": nothing,
    "permute": nothing,
    "pick": nothing,
    "pinv": thin(14),
    "place": nothing,
    "place_at": nothing,
    "prod": entries_of_x(1),
    "put_at": lambda ys, y, *i, shape: y.size,
    "qr": lambda ys, a: 4 * a.size * a.shape[-1],
    "resample": lambda ys, x, *, axis, windows: 2 * ys[0].size * len(windows.index[0]),
    "reshape": nothing,
    "residual_rnn": through_weights(2, 3, 4),
    "residual_rnn_back": back_through_weights(4, 2, 1, states=2),
    "rfft": lambda ys, x: butterflies(x.shape[-1], x.size),
    "rnn": through_weights(2, 3),
    "rnn_back": back_through_weights(2, 1, 1),
    "sigmoid_cross_entropy": entries_of_x(6),
    "softmax": entries_of_x(5),
    "softmax_cross_entropy": entries_of_x(5),
    "softmax_cross_entropy_back": lambda ys, y_bar, z, labels: 6 * z.size,
    "solve": lambda ys, a, b: cubes(2 / 3)(ys, a) + 2 * b.size * a.shape[-1],
    "standardise": entries_of_x(7),
    "standardise_back": entries_of_x(9),
    "sum": removed,
    "svd": thin(14),
    "take_at": nothing,
    "take_last": nothing,
    "top_positions": comparisons,
    "turn": entries_of_x(3),
    "unfold": nothing,
    "unstack": nothing,
}
