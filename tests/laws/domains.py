"""For every primitive: how to draw its arguments, away from kinks and poles, and with which settings.

The laws run over this table, and a test holds it equal to `cr.PRIMITIVES`: nothing can be added untested.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

import chainrule as cr
from chainrule.ops.reductions import kept_shape

# --- entries by domain: functions of (generator, shape) -------------------------------------------


def anywhere(draw, shape):
    return draw.uniform(-2, 2, shape)


def between(low, high):
    return lambda draw, shape: draw.uniform(low, high, shape)


def off_zero(draw, shape):
    return draw.uniform(0.3, 2, shape) * draw.choice([-1.0, 1.0], shape)


def distinct(draw, shape):
    """Entries at least 0.2 from one another, so that a step of the differences changes no order."""
    return draw.permutation(prod(shape)).reshape(shape) * 0.3 + draw.uniform(-0.05, 0.05, shape) - 1.0


def even(draw, shape):
    """At least 0.1 from every entry of `odd`."""
    return draw.integers(-5, 5, shape) * 0.4


def odd(draw, shape):
    return draw.integers(-5, 5, shape) * 0.4 + 0.2


def mask(draw, shape):
    return draw.random(shape) < 0.5


def labels(draw, shape):
    return draw.integers(0, 3, shape)


positive = between(0.3, 2.5)
PASSIVE = (mask, labels)

# --- the table ------------------------------------------------------------------------------------

SAME_SHAPES = [(), (3,), (2, 3), (1, 4), (3, 1, 2), (0, 3)]


@dataclass(frozen=True)
class Domain:
    """Where the arguments of a primitive are drawn, and the calls to try: their shapes and settings."""

    entries: tuple
    calls: list

    @property
    def active(self):
        """The positions of the arguments that have a derivative; of a repeated argument, the first."""
        return [i for i, entry in enumerate(self.entries) if entry not in PASSIVE]

    def cases(self, name):
        for number, (shapes, settings) in enumerate(self.calls):
            yield Case(name, number, shapes, settings, self.entries)


@dataclass(frozen=True)
class Case:
    """One call of one primitive."""

    name: str
    number: int
    shapes: tuple
    settings: dict
    entries: tuple

    @property
    def primitive(self):
        return cr.PRIMITIVES[self.name]

    @property
    def label(self):
        return f"{self.name}{self.number}"

    @property
    def active(self):
        return [i for i in range(len(self.shapes)) if self._entry(i) not in PASSIVE]

    def _entry(self, i):
        return self.entries[min(i, len(self.entries) - 1)]  # the last domain serves all further arguments

    def draw(self, dtype=np.float64, seed=0):
        draw = np.random.default_rng([seed, *self.name.encode(), self.number])
        args = [self._entry(i)(draw, shape) for i, shape in enumerate(self.shapes)]
        return [np.array(a, None if self._entry(i) in PASSIVE else dtype) for i, a in enumerate(args)]

    def function(self, args):
        """The primitive as a function of its active arguments, the others held; a tuple of its results."""

        def of_active(*values):
            full = list(args)
            for i, value in zip(self.active, values, strict=True):
                full[i] = value
            return results(self.primitive(*full, **self.settings))

        return of_active, [args[i] for i in self.active]


def results(y):
    """What a primitive gave, as a tuple: some have several results, most have one."""
    return y if isinstance(y, tuple) else (y,)


def entrywise(*entries, **settings):
    """The same shape for every argument, once for each choice of settings."""
    choices = settings.pop("choices", [settings])
    calls = [((shape,) * len(entries), choice) for choice in choices for shape in SAME_SHAPES]
    return Domain(entries, calls)


def calls(entries, *shapes_and_settings):
    return Domain(entries, [(shapes, settings) for *shapes, settings in shapes_and_settings])


REDUCTIONS = [
    ((), {"axis": ()}),
    ((3,), {"axis": (0,)}),
    ((2, 3), {"axis": (1,)}),
    ((2, 3), {"axis": (0, 1)}),
    ((2, 1, 3), {"axis": (0, 1)}),
    ((0, 3), {"axis": (1,)}),
]
EMPTIED = [((0, 3), {"axis": (0,)}), ((0,), {"axis": (0,)})]
ALONG = [
    ((4,), {"axis": 0}),
    ((2, 3), {"axis": 1}),
    ((2, 3), {"axis": 0}),
    ((2, 1), {"axis": 1}),
    ((0, 3), {"axis": 1}),
]
STANDARDISED = [
    ((4, 3), {"axis": (1,), "eps": 0.1}),
    ((4, 3), {"axis": (0,), "eps": 0.2}),
    ((2, 3, 2, 2), {"axis": (0, 2, 3), "eps": 0.1}),
    ((2, 3, 2), {"axis": (1, 2), "eps": 0.3}),
    ((3, 1), {"axis": (1,), "eps": 0.5}),
    ((0, 3), {"axis": (1,), "eps": 0.1}),
]
ONE_A_ROW = [((4, 3), (4,), {}), ((2, 1, 5), (2, 1), {}), ((3,), (), {}), ((0, 3), (0,), {})]

ENTRYWISE = {
    "abs": entrywise(off_zero),
    "add": entrywise(anywhere, anywhere),
    "clamped_log": entrywise(positive),
    "cos": entrywise(anywhere),
    "cosh": entrywise(anywhere),
    "discretise": entrywise(odd, choices=[{"dtype": np.dtype(np.int64)}, {"dtype": np.dtype(bool)}]),
    "divide": entrywise(anywhere, off_zero),
    "elu": entrywise(off_zero, choices=[{}, {"alpha": 0.4}]),
    "equal": entrywise(even, odd),
    "erf": entrywise(anywhere),
    "exp": entrywise(anywhere),
    "expm1": entrywise(anywhere),
    "gelu": entrywise(anywhere),
    "gelu_slope": entrywise(anywhere),
    "gelu_tanh": entrywise(anywhere),
    "greater": entrywise(even, odd),
    "greater_equal": entrywise(even, odd),
    "leaky_relu": entrywise(off_zero, choices=[{}, {"slope": 0.2}]),
    "less": entrywise(even, odd),
    "less_equal": entrywise(even, odd),
    "log": entrywise(positive),
    "log1p": entrywise(between(-0.6, 2)),
    "log_sigmoid": entrywise(off_zero),
    "maximum": entrywise(even, odd),
    "minimum": entrywise(even, odd),
    "multiply": entrywise(anywhere, anywhere),
    "negative": entrywise(anywhere),
    "not_equal": entrywise(even, odd),
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

from tests.laws import domains_attention, domains_convolution, domains_recurrence, domains_vocabulary  # noqa: E402 - it is made of what stands above

DOMAINS = ENTRYWISE | OTHERS
DOMAINS |= domains_vocabulary.DOMAINS | domains_attention.DOMAINS
DOMAINS |= domains_convolution.DOMAINS
DOMAINS |= domains_recurrence.DOMAINS
CASES = [case for name in sorted(DOMAINS) for case in DOMAINS[name].cases(name)]


def by_label(cases):
    """Arguments for `pytest.mark.parametrize`."""
    return {"argnames": "case", "argvalues": cases, "ids": [case.label for case in cases]}
