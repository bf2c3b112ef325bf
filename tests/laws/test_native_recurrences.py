"""Compiled recurrences: cotangents that are nothing, arrays that lie otherwise, threads, all sizes."""

import ctypes
from itertools import product

import numpy as np
import pytest

from chainrule import PRIMITIVES
from chainrule.backends.native import kernels, recurrences
from chainrule.backends.native.calls import runner
from chainrule.backends.native.library import loaded, threads
from tests.laws import domains  # noqa: F401  imported first: it reads the domains of the recurrences
from tests.laws.domains_recurrence import sequence
from tests.laws.test_workspace import KINDS

pytestmark = pytest.mark.skipif(loaded() is None, reason="no compiled kernels: no compiler, or CHAINRULE_NATIVE=0")

OF_LARGEST = 5e-6  # float32: of the largest entry, sums of some hundred products in another order
SIZES = [(1, 1, 1, 1), (2, 3, 1, 17), (5, 7, 4, 16), (32, 9, 16, 64), (7, 6, 128, 250), (200, 2, 5, 3), (600, 3, 2, 2)]
KERNELS = [name for name in KINDS if name in recurrences.RULES]


def drawn(name, n, t, inputs, h, masked=False, seed=0):
    """Arguments of a recurrence, with weights as small as those of a layer."""
    draw = np.random.default_rng(seed)
    shapes = sequence(n, t, inputs, h, **KINDS[name][0])
    args = [draw.uniform(-1, 1, s) / (1 if len(s) > 2 else np.sqrt(max(s[-1:]))) for s in shapes]
    return [*(a.astype(np.float32) for a in args), *([draw.random((n, t)) < 0.6] if masked else [])]


def backwards_of(name, args, ys, bars, masked=False):
    """The arguments of the derivative: first states and recurrent weights stand behind x, others are not needed."""
    kind = KINDS[name][0]
    states = kind.get("states", 1)
    weights = args[2 + states : 3 + states + kind.get("skips", 0)]
    return [*bars, *ys, *args[: 1 + states], *weights, *(args[-1:] if masked else [])]


def run(name, args, settings, crew=None):
    """The results of the compiled kernel, which must serve."""
    loaded().set_threads(ctypes.c_int64(crew or threads()))
    specs = PRIMITIVES[name].spec(*args, **settings)
    outs = [np.full(s.shape, 7, s.dtype) for s in (specs if type(specs) is tuple else (specs,))]
    runner([kernels.RULES[name](*args, *outs, **settings)])()
    loaded().set_threads(ctypes.c_int64(threads()))
    return outs


def wanted(name, args, settings):
    """What NumPy computes in float64."""
    y = PRIMITIVES[name].kernel(*(a.astype(np.float64) if a.dtype.kind == "f" else a for a in args), **settings)
    return y if type(y) is tuple else (y,)


def same(got, values):
    for a, b in zip(got, values, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=OF_LARGEST * max(1, np.abs(b).max()))


def settings_of(name, reverse=False):
    return {**KINDS[name][2], "reverse": reverse}


@pytest.mark.parametrize("crew", [1, 2])
@pytest.mark.parametrize(("sizes", "reverse", "masked"), list(product(SIZES, [False, True], [False, True])))
@pytest.mark.parametrize("name", KERNELS)
def test_all_sizes(name, sizes, reverse, masked, crew):
    args, settings = drawn(name, *sizes, masked), settings_of(name, reverse)
    ys = run(name, args, settings, crew)
    same(ys, wanted(name, args, settings))
    bars = [np.random.default_rng(i).uniform(-1, 1, y.shape).astype(np.float32) for i, y in enumerate(ys)]
    back = backwards_of(name, args, ys, bars, masked)
    same(run(f"{name}_back", back, settings, crew), wanted(f"{name}_back", back, settings))


@pytest.mark.parametrize("name", KERNELS)
def test_cotangents_that_are_nothing_or_one_number(name):
    args, settings = drawn(name, 5, 6, 7, 20), settings_of(name)
    ys = run(name, args, settings)
    for numbers in product([0.0, 0.5], repeat=len(ys)):
        bars = [np.broadcast_to(np.float32(v), y.shape) for v, y in zip(numbers, ys, strict=True)]
        back = backwards_of(name, args, ys, bars)
        same(run(f"{name}_back", back, settings), wanted(f"{name}_back", back, settings))


@pytest.mark.parametrize("name", KERNELS)
def test_steps_first_and_one_state_for_all(name):
    args, settings = drawn(name, 5, 6, 7, 20), settings_of(name)
    args[0] = np.ascontiguousarray(args[0].swapaxes(0, 1)).swapaxes(0, 1)
    states = range(1, 1 + KINDS[name][0].get("states", 1))
    for i in states:
        args[i] = np.broadcast_to(args[i][:1], args[i].shape)
    ys = run(name, args, settings)
    same(ys, wanted(name, args, settings))
    bars = [np.ascontiguousarray(y.swapaxes(0, 1)).swapaxes(0, 1) for y in ys]
    back = backwards_of(name, args, ys, bars)
    same(run(f"{name}_back", back, settings), wanted(f"{name}_back", back, settings))


@pytest.mark.parametrize("name", KERNELS)
def test_results_are_the_same_however_many_threads_work(name):
    args, settings = drawn(name, 40, 9, 30, 70), settings_of(name)
    made = []
    for crew in (1, 2, 2, 3):
        ys = run(name, args, settings, crew)
        made.append([*ys, *run(f"{name}_back", backwards_of(name, args, ys, ys), settings, crew)])
    for others in made[1:]:
        for a, b in zip(made[0], others, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", KERNELS)
def test_what_does_not_suit_is_left_to_numpy(name):
    args, settings = drawn(name, 4, 3, 2, 5), settings_of(name)
    ys = [np.array(y, np.float32, order="C") for y in wanted(name, args, settings)]
    rule = kernels.RULES[name]
    assert rule(*args, *ys, **settings) is not None
    double, fronted = [a.astype(np.float64) for a in args], [a[None] for a in args]
    assert rule(*double, *(y.astype(np.float64) for y in ys), **settings) is None
    assert rule(*fronted, *(y[None] for y in ys), **settings) is None
    assert rule(*args, *(np.asfortranarray(y) for y in ys), **settings) is None


@pytest.mark.parametrize("name", KERNELS)
def test_scratch_is_what_the_call_says(name):
    args, settings = drawn(name, 6, 5, 4, 30), settings_of(name)
    ys = [np.array(y, np.float32, order="C") for y in wanted(name, args, settings)]
    call = kernels.RULES[name](*args, *ys, **settings)
    call.settle()
    assert call.memory is not None and call.scratch == call.memory.nbytes > 0
