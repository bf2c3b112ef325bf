"""How to draw the arguments of the fused recurrences: sizes n = 2, T = 3, in = 3, h = 2, and the smallest ones."""

from tests.laws.entries import anywhere, between, calls, mask

small = between(-1, 1)


def sequence(n=2, t=3, inputs=3, h=2, *, gates, biases, states=1, skips=0):
    """Shapes of x, the first states, the weights (the last `skips` of them from state to state) and the biases."""
    rows = gates * h
    return ((n, t, inputs), *[(n, h)] * states, (rows, inputs), (rows, h), *[(h, h)] * skips, *[(rows,)] * biases)


def recurrence(gates, biases, states=1, skips=0, inputs=3, sizes=None, **settings):
    """Calls forwards and backwards in time, masked and not, with axes in front, and the smallest sizes.

    `sizes` (n, T, in, h) are others for the first two, forwards, and backwards with a mask.
    """
    kind = {"gates": gates, "biases": biases, "states": states, "skips": skips}
    n, t, wide, h = sizes or (2, 3, inputs, 2)
    plain = sequence(n, t, wide, h, **kind)
    tried = [
        (*plain, {"reverse": False}),
        (*plain, (n, t), {"reverse": True}),
        (*sequence(n=1, t=1, inputs=1, h=1, **kind), (1, 1), {"reverse": False}),
        (*sequence(n=0, inputs=inputs, **kind), {"reverse": False}),
        (*((2, *shape) for shape in sequence(n=1, t=2, inputs=inputs, **kind)), {"reverse": True}),
    ]
    return calls((*[small] * len(plain), mask), *[(*shapes, params | settings) for *shapes, params in tried])


def backwards(gates, states=1, saved=(), skips=0, square=False, sizes=None, **settings):
    """The same for the cotangents: of the results, then the results, then x, the first states, U (and Q).

    `square` makes the input as wide as the state.
    """

    def of(n, t, h, wide=3):
        results = ((n, t, h), *((n, t, k * h) for k in saved))
        x, *first, _, u = sequence(n, t, h if square else wide, h, gates=gates, biases=0, states=states)
        return (*results, *results, x, *first, u, *[(h, h)] * skips)

    (n, t, wide, h), (n_, t_, wide_, h_) = (sizes, sizes) if sizes else ((2, 3, 3, 2), (2, 2, 3, 1))
    tried = [
        (*of(n, t, h, wide), {"reverse": False}),
        (*of(n_, t_, h_, wide_), (n_, t_), {"reverse": True}),
        (*of(0, 3, 2), {"reverse": False}),
        (*((2, *shape) for shape in of(1, 2, 1)), {"reverse": True}),
    ]
    entries = len(tried[0]) - 1
    return calls((*[small] * entries, mask), *[(*shapes, params | settings) for *shapes, params in tried])


DOMAINS = {
    "rnn": recurrence(1, 1, nonlinearity="tanh"),
    "rnn_back": backwards(1, nonlinearity="tanh"),
    "lstm": recurrence(4, 1, states=2),
    "lstm_back": backwards(4, states=2, saved=(1, 4)),
    "gru": recurrence(3, 2),
    "gru_back": backwards(3, saved=(4,)),
    "chung_gru": recurrence(3, 1),
    "chung_gru_back": backwards(3, saved=(3,)),
    "residual_rnn": recurrence(1, 1, skips=1, nonlinearity="tanh"),
    "residual_rnn_back": backwards(1, saved=(1,), skips=1, nonlinearity="tanh"),
    "highway_rnn": recurrence(2, 1, carry="state", nonlinearity="tanh"),
    "highway_rnn_back": backwards(2, saved=(2,), carry="state", nonlinearity="tanh"),
    "highway": calls(
        [small] * 5,
        ((4, 3), (3, 3), (3,), (3, 3), (3,), {"nonlinearity": "tanh"}),
        ((2, 3), (3, 3), (3,), (3, 3), (3,), {"nonlinearity": "relu"}),
        ((1, 1), (1, 1), (1,), (1, 1), (1,), {"nonlinearity": "tanh"}),
        ((0, 2), (2, 2), (2,), (2, 2), (2,), {"nonlinearity": "relu"}),
        ((2, 3, 2), (2, 2, 2), (2, 2), (2, 2, 2), (2, 2), {"nonlinearity": "tanh"}),
    ),
    "highway_back": calls(
        [small] * 8,
        (*[(4, 3)] * 6, (3, 3), (3, 3), {"nonlinearity": "tanh"}),
        (*[(2, 2)] * 6, (2, 2), (2, 2), {"nonlinearity": "relu"}),
        (*[(0, 2)] * 6, (2, 2), (2, 2), {"nonlinearity": "tanh"}),
        (*[(2, 3, 1)] * 6, (2, 1, 1), (2, 1, 1), {"nonlinearity": "tanh"}),
    ),
    "unstack": calls(
        (anywhere,),
        ((2, 3), {"axis": 0}),
        ((2, 3, 2), {"axis": 2}),
        ((2, 1), {"axis": 1}),
        ((1, 0), {"axis": 0}),
    ),
}  # fmt: skip
RELU = {"nonlinearity": "relu"}
INPUT = {"carry": "input"}
FURTHER = {
    "rnn": recurrence(1, 1, **RELU),
    "rnn_back": backwards(1, **RELU),
    "residual_rnn": recurrence(1, 1, skips=1, **RELU),
    "residual_rnn_back": backwards(1, saved=(1,), skips=1, **RELU),
    "highway_rnn": recurrence(2, 1, inputs=2, **RELU, **INPUT),
    "highway_rnn_back": backwards(2, saved=(2,), square=True, **RELU, **INPUT),
}
for name, domain in FURTHER.items():
    DOMAINS[name].calls.extend(domain.calls)
