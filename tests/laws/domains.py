"""For every primitive: how to draw its arguments, away from kinks and poles, and the calls that are always tried.

The laws run over this table, and a test holds it equal to `cr.PRIMITIVES`: nothing can be added untested. `drawn`
adds calls with sizes and settings that hypothesis draws.
"""

import numpy as np

from chainrule.ops.reductions import kept_shape
from tests.laws import domains_attention, domains_convolution, domains_recurrence, domains_vocabulary
from tests.laws.entries import (
    ALONG,
    EMPTIED,
    ONE_A_ROW,
    REDUCTIONS,
    STANDARDISED,
    anywhere,
    between,
    calls,
    distinct,
    entrywise,
    even,
    few,
    labels,
    mask,
    odd,
    off_zero,
    positive,
)  # fmt: skip

ENTRYWISE = {
    "abs": entrywise(off_zero),
    "add": entrywise(anywhere, anywhere),
    "clamped_log": entrywise(positive),
    "cos": entrywise(anywhere),
    "cosh": entrywise(anywhere),
    "discretise": entrywise(odd, choices=[{"dtype": np.dtype(np.int64)}, {"dtype": np.dtype(bool)}]),
    "divide": entrywise(anywhere, off_zero),
    "elu": entrywise(off_zero, choices=[{}, {"alpha": 0.4}]),
    "equal": entrywise(few, few),
    "erf": entrywise(anywhere),
    "exp": entrywise(anywhere),
    "expm1": entrywise(anywhere),
    "gelu": entrywise(anywhere),
    "gelu_slope": entrywise(anywhere),
    "gelu_tanh": entrywise(anywhere),
    "greater": entrywise(few, few),
    "greater_equal": entrywise(few, few),
    "leaky_relu": entrywise(off_zero, choices=[{}, {"slope": 0.2}]),
    "less": entrywise(few, few),
    "less_equal": entrywise(few, few),
    "log": entrywise(positive),
    "log1p": entrywise(between(-0.6, 2)),
    "log_sigmoid": entrywise(off_zero),
    "maximum": entrywise(even, odd),
    "minimum": entrywise(even, odd),
    "multiply": entrywise(anywhere, anywhere),
    "negative": entrywise(anywhere),
    "not_equal": entrywise(few, few),
    "prelu": entrywise(off_zero, anywhere),
    "raise_both": entrywise(positive, anywhere),
    "raise_to": entrywise(positive, choices=[{"exponent": n} for n in (3, -2, 0.5, 1.7, 1, 0)]),
    "relu": entrywise(off_zero),
    "selu": entrywise(off_zero),
    "sigmoid": entrywise(anywhere),
    "sigmoid_cross_entropy": entrywise(off_zero, between(0, 1)),
    "sign": entrywise(off_zero),
    "silu": entrywise(anywhere),
    "sin": entrywise(anywhere),
    "sinh": entrywise(anywhere),
    "softplus": entrywise(off_zero),
    "sqrt": entrywise(positive),
    "square": entrywise(anywhere),
    "step": entrywise(off_zero),
    "step_strict": entrywise(off_zero),
    "subtract": entrywise(anywhere, anywhere),
    "tan": entrywise(between(-1, 1)),
    "tanh": entrywise(anywhere),
}

OTHERS = {
    "affine": calls(
        (anywhere, anywhere, anywhere),
        ((4, 3), (2, 3), (2,), {}),
        ((1, 3), (1, 3), (1,), {}),
        ((0, 3), (2, 3), (2,), {}),
        ((4, 0), (2, 0), (2,), {}),
    ),
    "astype": entrywise(anywhere, dtype=np.dtype(np.float64)),
    "broadcast_to": calls(
        (anywhere,),
        ((), {"shape": (2, 3)}),
        ((3,), {"shape": (2, 3)}),
        ((2, 1, 3), {"shape": (4, 2, 5, 3)}),
        ((1,), {"shape": (0, 1)}),
    ),
    "choose": entrywise(anywhere, anywhere, mask),
    "concatenate": calls(
        (anywhere,),
        ((2, 3), (1, 3), (4, 3), {"axis": 0}),
        ((2, 1), (2, 3), {"axis": 1}),
        ((2,), {"axis": 0}),
        ((0, 3), (2, 3), {"axis": 0}),
    ),
    "log_softmax": calls((anywhere,), *ALONG),
    "matmul": calls(
        (anywhere, anywhere),
        ((2, 3), (3, 4), {}),
        ((5, 2, 3), (5, 3, 1), {}),
        ((2, 1, 2, 3), (2, 1, 3, 2), {}),
        ((0, 3), (3, 2), {}),
        ((2, 0), (0, 3), {}),
    ),
    "max_reduce": calls((distinct,), *REDUCTIONS),
    "mean": calls((anywhere,), *REDUCTIONS),
    "euclidean": calls((off_zero,), *REDUCTIONS),
    "min_reduce": calls((distinct,), *REDUCTIONS),
    "permute": calls(
        (anywhere,),
        ((2, 3), {"axes": (1, 0)}),
        ((2, 3, 4), {"axes": (2, 0, 1)}),
        ((), {"axes": ()}),
        ((0, 3), {"axes": (1, 0)}),
    ),
    "pick": calls((anywhere, labels), *ONE_A_ROW),
    "place": calls(
        (anywhere, labels),
        ((4,), (4,), {"n": 3}),
        ((2, 1), (2, 1), {"n": 4}),
        ((), (), {"n": 3}),
        ((0,), (0,), {"n": 3}),
    ),
    "reshape": calls(
        (anywhere,),
        ((2, 3), {"shape": (3, 2)}),
        ((1, 1), {"shape": ()}),
        ((), {"shape": (1,)}),
        ((0, 3), {"shape": (3, 0)}),
    ),
    "softmax": calls((anywhere,), *ALONG),
    "softmax_cross_entropy": calls((anywhere, labels), *ONE_A_ROW),
    "softmax_cross_entropy_back": calls(
        (anywhere, anywhere, labels), *((t, z, t, settings) for z, t, settings in ONE_A_ROW)
    ),
    "standardise": calls((anywhere,), *STANDARDISED),
    "standardise_back": calls(
        (anywhere, anywhere, anywhere, anywhere, positive),
        *(
            (x, kept_shape(x, s["axis"]), kept_shape(x, s["axis"]), x, kept_shape(x, s["axis"]), s)
            for x, s in STANDARDISED
        ),
    ),
    "sum": calls((anywhere,), *REDUCTIONS, *EMPTIED),
}

DOMAINS = ENTRYWISE | OTHERS
DOMAINS |= domains_vocabulary.DOMAINS | domains_attention.DOMAINS
DOMAINS |= domains_convolution.DOMAINS
DOMAINS |= domains_recurrence.DOMAINS
CASES = [case for name in sorted(DOMAINS) for case in DOMAINS[name].cases(name)]
