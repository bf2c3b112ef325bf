"""Every primitive on every backend is what it is on NumPy: value, dtype, both derivatives, many calls at once."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import backend_of, place_named
from tests.laws.domains import CASES
from tests.laws.entries import by_label

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

EQUAL = 1e-11
"""float64 sums in another order, and other approximations of exp and the like: some units in the last place."""

MOST = {"torch": 4, "jax": 2}
"""Cases of each primitive: JAX compiles every operation for every shape, which takes most of the time."""


def smooth(case):
    return case.primitive.is_differentiable and bool(case.active)


def some(wanted=lambda case: True, fewer=0):
    """Backends with the first cases of every primitive, for parametrize."""
    pairs = [(b, c) for b, most in MOST.items() for c in CASES if c.number < max(1, most - fewer) and wanted(c)]
    return {"argnames": ("place", "case"), "argvalues": pairs, "ids": [f"{b}-{c.label}" for b, c in pairs]}


def place_of(name):
    library = pytest.importorskip(name)
    if name == "jax":
        library.config.update("jax_enable_x64", True)
    return place_named(name)


def there(place, arrays):
    return [place.array(a) for a in arrays]


def tree_equal(got, wanted, place):
    got, wanted = cr.core.tree.flatten(got)[0], cr.core.tree.flatten(wanted)[0]
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted, strict=True):
        assert backend_of(g) is place.backend
        host = np.asarray(place.backend.to_numpy(g))
        assert (host.dtype, host.shape) == (w.dtype, w.shape)
        np.testing.assert_allclose(host, w, rtol=EQUAL, atol=EQUAL)


@pytest.mark.parametrize(**some())
def test_the_value_is_that_of_numpy(case, place):
    place = place_of(place)
    args = case.draw()
    tree_equal(case.primitive(*there(place, args), **case.settings), case.primitive(*args, **case.settings), place)


@pytest.mark.parametrize(**some(fewer=1))
def test_float32_gives_the_dtypes_of_numpy(case, place):
    place = place_of(place)
    args = case.draw(np.float32)
    got, wanted = case.primitive(*there(place, args), **case.settings), case.primitive(*args, **case.settings)
    for g, w in zip(*(v if isinstance(v, tuple) else (v,) for v in (got, wanted)), strict=True):
        assert (cr.backends.dtype_of(g), tuple(g.shape)) == (w.dtype, w.shape)


@pytest.mark.parametrize(**by_label([case for case in CASES if case.number == 0 and case.name != "draw"]))
def test_every_primitive_is_compiled_by_jax(case):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    place, args = place_named("jax"), case.draw()
    got = jax.jit(lambda *xs: case.primitive(*xs, **case.settings))(*there(place, args))
    tree_equal(got, case.primitive(*args, **case.settings), place)


@pytest.mark.parametrize(**some(smooth, fewer=1))
def test_both_derivatives_are_those_of_numpy(case, place):
    place = place_of(place)
    args = case.draw()
    draw = np.random.default_rng(3)
    f, point = case.function(args)
    y, pull = cr.vjp(f, *point)
    bars = cr.core.tree.map_leaves(lambda v: np.asarray(draw.standard_normal(v.shape)), y)
    dots = tuple(np.asarray(draw.standard_normal(p.shape)) for p in point)
    f_there, point_there = case.function(there(place, args))
    got_y, got_pull = cr.vjp(f_there, *point_there)
    tree_equal(got_y, y, place)
    tree_equal(got_pull(cr.core.tree.map_leaves(place.array, bars)), pull(bars), place)
    tree_equal(cr.jvp(f_there, tuple(point_there), tuple(there(place, dots))), cr.jvp(f, tuple(point), dots), place)


@pytest.mark.parametrize(**some(smooth, fewer=2))
def test_many_calls_at_once_are_those_of_numpy(case, place):
    place = place_of(place)
    rounds = [case.draw(seed=k) for k in range(2)]
    args = [np.stack(column) for column in zip(*rounds, strict=True)]

    def slopes(*xs):
        f, point = case.function(xs)
        total = lambda *v: sum(cr.sum(cr.sin(part)) for part in cr.core.tree.flatten(f(*v))[0])  # noqa: E731
        return cr.grad(total, argnums=tuple(range(len(point))))(*point)

    tree_equal(cr.vmap(slopes)(*there(place, args)), cr.vmap(slopes)(*args), place)
