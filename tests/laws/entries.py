"""What domains are made of: entries away from kinks and poles, calls of a primitive, and the shapes many share."""

from dataclasses import dataclass
from math import prod

import numpy as np

import chainrule as cr

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


def few(draw, shape):
    """Many of them equal; for what has no derivative."""
    return draw.integers(-1, 2, shape) * 0.5


def mask(draw, shape):
    return draw.random(shape) < 0.5


def labels(draw, shape):
    return draw.integers(0, 3, shape)


def held(draw, shape):
    """Few different numbers, with ties, that no derivative is asked of."""
    return draw.integers(0, 3, shape).astype(np.float64)


positive = between(0.3, 2.5)
PASSIVE = (mask, labels, held)

# --- calls ------------------------------------------------------------------------------------------

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
        return [np.array(a, dtype if np.asarray(a).dtype.kind == "f" else None) for a in args]

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


def by_label(cases):
    """Arguments for `pytest.mark.parametrize`."""
    return {"argnames": "case", "argvalues": cases, "ids": [case.label for case in cases]}
