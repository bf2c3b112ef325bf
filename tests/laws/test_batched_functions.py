"""vmap of every function of arrays in `cr`: many calls at once are what a loop over the calls gives."""

import inspect
import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule.core import tree
from tests.laws.calls import CALLS, EACH, NO_ARRAYS, NOT_INSIDE

EQUAL = 1e-12
"""The same sums in another order; decompositions amplify the last digits by their condition, below 100 here."""
SIZE = 3

ALL = {"argnames": "call", "argvalues": EACH, "ids": [call.label for call in EACH]}


def drawn(call, flags, first=0):
    """Arguments of SIZE calls: one after the other along axis 0 where flagged, the same for all elsewhere."""
    rounds = [call.draw(seed=first + k) for k in range(SIZE)]
    return [np.stack([r[i] for r in rounds]) if f else rounds[0][i] for i, f in enumerate(flags)]


def axes_of(flags):
    return tuple(0 if f else None for f in flags)


def looped(f, args, flags):
    """The results of all calls, one behind the other, leaf by leaf."""
    every = [tree.flatten(f(*(a[k] if m else a for a, m in zip(args, flags, strict=True))))[0] for k in range(SIZE)]
    return [np.stack([np.asarray(v) for v in column]) for column in zip(*every, strict=True)]


def same(got, wanted):
    leaves = tree.flatten(got)[0]
    assert len(leaves) == len(wanted)
    for g, w in zip(leaves, wanted, strict=True):
        assert np.asarray(g).dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=EQUAL, atol=EQUAL)


def all_flags(call):
    choices = itertools.product([True, False], repeat=min(len(call.arrays), 3))
    return [(*flags, *[True] * (len(call.arrays) - len(flags))) for flags in choices if any(flags)]


def test_every_public_function_is_tried_or_has_a_reason():
    public = {name for name in cr.__all__ if callable(getattr(cr, name)) and not inspect.isclass(getattr(cr, name))}
    classes = {"random_stream", "use"}  # used as functions
    stated = {*CALLS, *NO_ARRAYS.split(), *NOT_INSIDE}
    assert public | classes == stated
    assert len(CALLS) + len(NO_ARRAYS.split()) + len(NOT_INSIDE) == len(stated)


@pytest.mark.parametrize(**ALL)
def test_many_calls_at_once_equal_a_loop(call):
    for flags in all_flags(call):
        args = drawn(call, flags)
        same(cr.vmap(call.function, in_axes=axes_of(flags))(*args), looped(call.function, args, flags))


@pytest.mark.parametrize(**ALL)
def test_calls_in_two_batches_of_batches_equal_two_loops(call):
    flags = (True,) * len(call.arrays)
    outer = [drawn(call, flags, first) for first in (0, SIZE)]
    got = cr.vmap(cr.vmap(call.function))(*map(np.stack, zip(*outer, strict=True)))
    rows = [looped(call.function, args, flags) for args in outer]
    same(got, [np.stack(column) for column in zip(*rows, strict=True)])


@pytest.mark.parametrize(
    **{**ALL, "argvalues": [c for c in EACH if c.active], "ids": [c.label for c in EACH if c.active]}
)
def test_derivatives_of_many_calls_equal_a_loop(call):
    flags = (True,) * len(call.arrays)
    args = drawn(call, flags)

    def slopes(*xs):
        def total(*active):
            full = list(xs)
            for i, x in zip(call.active, active, strict=True):
                full[i] = x
            floats = [v for v in tree.flatten(call.function(*full))[0] if np.dtype(v.dtype).kind == "f"]
            return sum((cr.sum(cr.sin(v)) for v in floats), 0.0 * cr.sum(active[0]))

        return cr.grad(total, argnums=tuple(range(len(call.active))))(*(xs[i] for i in call.active))

    same(cr.vmap(slopes)(*args), looped(lambda *xs: slopes(*map(cr.tensor, xs)), args, flags))


def drawn_losses():
    """Predictions and targets for SIZE batches, by what the loss compares."""
    draw = np.random.default_rng(0)
    chances, values = draw.uniform(0.1, 0.9, (SIZE, 4, 3)), draw.uniform(-0.9, 0.9, (SIZE, 4, 3))
    rows = chances / chances.sum(-1, keepdims=True)
    ones = draw.integers(0, 2, values.shape)
    classes = draw.integers(0, 3, (SIZE, 4))
    return {
        "bce": (values, ones.astype(float)),
        "bce-probabilities": (chances, ones.astype(float)),
        "cross-entropy": (values, classes),
        "nll": (np.log(rows), classes),
        "kl": (np.log(rows), rows[::-1].copy()),
        **{name: (values, 2 * ones - 1) for name in ("hinge", "perceptron")},
        **{name: (values, values[::-1].copy()) for name in ("sse", "mse", "half-squared", "mae", "huber")},
    }


@pytest.mark.parametrize("name", cr.losses.LOSSES)
def test_losses_of_many_batches_equal_a_loop(name):
    args, flags = drawn_losses()[name], (True, True)
    for f in (cr.losses.LOSSES[name], cr.grad(cr.losses.LOSSES[name])):
        same(cr.vmap(f)(*args), looped(lambda a, b, f=f: f(cr.tensor(a), cr.tensor(b)), args, flags))


def test_one_hot_targets_inside_are_labels_inside():
    z, y = drawn_losses()["cross-entropy"]
    loss = cr.losses.cross_entropy
    same(cr.vmap(lambda z, y: loss(z, cr.one_hot(y, 3, "float64")))(z, y), [cr.vmap(loss)(z, y)])
