"""How to draw the arguments of the fused recurrences: sizes n = 2, T = 3, in = 3, h = 2, and the smallest ones."""

from tests.laws.domains import anywhere, between, calls, mask

small = between(-1, 1)


def sequence(n=2, t=3, inputs=3, h=2, *, gates, biases, states=1):
    """Shapes of x, the first states, both weights and the biases."""
    rows = gates * h
    return ((n, t, inputs), *[(n, h)] * states, (rows, inputs), (rows, h), *[(rows,)] * biases)


def without_w_ih(shapes):
    return (*shapes[:-2], shapes[-1])


def recurrence(gates, biases, states=1, **settings):
    """Calls forwards and backwards in time, masked and not, with axes in front, and the smallest sizes."""
    kind = {"gates": gates, "biases": biases, "states": states}
    plain = sequence(**kind)
    tried = [
        (*plain, {"reverse": False}),
        (*plain, (2, 3), {"reverse": True}),
        (*sequence(n=1, t=1, inputs=1, h=1, **kind), (1, 1), {"reverse": False}),
        (*sequence(n=0, **kind), {"reverse": False}),
        (*((2, *shape) for shape in sequence(n=1, t=2, **kind)), {"reverse": True}),
    ]
    return calls((*[small] * len(plain), mask), *[(*shapes, params | settings) for *shapes, params in tried])


def backwards(gates, states=1, saved=(), **settings):
    """The same for the cotangents: of the results, then the results, then x, the first states and U."""
    kind = {"gates": gates, "biases": 0, "states": states}

    def of(n, t, h):
        results = ((n, t, h), *((n, t, k * h) for k in saved))
        return (*results, *results)

    tried = [
        (*of(2, 3, 2), *without_w_ih(sequence(**kind)), {"reverse": False}),
        (*of(2, 2, 1), *without_w_ih(sequence(t=2, h=1, **kind)), (2, 2), {"reverse": True}),
        (*of(0, 3, 2), *without_w_ih(sequence(n=0, **kind)), {"reverse": False}),
        (*((2, *shape) for shape in (*of(1, 2, 1), *without_w_ih(sequence(n=1, t=2, h=1, **kind)))), {"reverse": True}),
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
    "unstack": calls(
        (anywhere,),
        ((2, 3), {"axis": 0}),
        ((2, 3, 2), {"axis": 2}),
        ((2, 1), {"axis": 1}),
        ((1, 0), {"axis": 0}),
    ),
}  # fmt: skip
RELU = recurrence(1, 1, nonlinearity="relu").calls
DOMAINS["rnn"].calls.extend(RELU)
DOMAINS["rnn_back"].calls.extend(backwards(1, nonlinearity="relu").calls)
