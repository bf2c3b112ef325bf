"""Gradients of many calls at once are on every backend what they are on NumPy, for every primitive.

Values, shapes, derivatives and batching one by one are laws: see `test_laws`.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import backend_of, place_named
from tests.laws.domains import CASES

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
