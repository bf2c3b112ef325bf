"""How to draw the arguments of the primitives of attention; see `entries`."""

from tests.laws.entries import anywhere, calls, mask

ALL = {"scale": 0.7, "band": (None, None)}
CAUSAL = {"scale": 0.7, "band": (None, 0)}
WINDOW = {"scale": 1.3, "band": (-1, 1)}


def blocked(settings, block):
    return settings | {"block": block}


def attended(q, k, v, *settings):
    """Calls of attention with these shapes of q, k, v; a boolean there adds a mask."""
    scores = ((*q[:-1], k[-2]),)
    return [(q, k, v, *(scores if masked else ()), choice) for masked, choice in settings]


def pulled(call):
    """The call of the backward pass that belongs to a call of attention."""
    q, _, v, *_ = call
    y, logarithm = (*q[:-1], v[-1]), q[:-1]
    return (y, logarithm, y, logarithm, *call)


ATTENTION = [
    *attended((5, 3), (4, 3), (4, 2), (False, blocked(ALL, 2)), (True, blocked(ALL, 3)), (True, blocked(CAUSAL, 2))),
    *attended((2, 3, 2), (2, 3, 2), (2, 3, 1), (False, blocked(CAUSAL, 8)), (False, blocked(WINDOW, 1))),
    *attended((1, 1), (1, 1), (1, 1), (False, blocked(ALL, 1))),
    *attended((0, 2), (3, 2), (3, 2), (False, blocked(ALL, 2))),
    *attended((2, 2), (0, 2), (0, 2), (False, blocked(ALL, 2))),
]

DOMAINS = {
    "attention": calls((anywhere, anywhere, anywhere, mask), *ATTENTION),
    "attention_back": calls((*[anywhere] * 7, mask), *map(pulled, ATTENTION)),
    "masked_softmax": calls(
        (anywhere, mask),
        ((3, 4), ALL),
        ((3, 4), (3, 4), ALL),
        ((2, 3, 3), CAUSAL),
        ((2, 4, 3), (2, 4, 3), WINDOW),
        ((1, 1), ALL),
        ((0, 3), CAUSAL),
        ((2, 0), ALL),
    ),
    "turn": calls(
        (anywhere, anywhere),
        ((3, 4), (3, 4), {"interleaved": False}),
        ((3, 4), (3, 4), {"interleaved": True}),
        ((2, 1, 2), (2, 1, 2), {"interleaved": True, "back": True}),
        ((2, 6), (2, 6), {"interleaved": False, "back": True}),
        ((0, 2), (0, 2), {"interleaved": False}),
        ((2, 0), (2, 0), {"interleaved": False}),
    ),
}

KEEP_SHAPE = {"masked_softmax", "turn"}
