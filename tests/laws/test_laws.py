"""Every law, for every primitive, on every backend: at the calls that are always tried, and at calls that are drawn."""

import pytest
from hypothesis import HealthCheck, given, settings

from chainrule.backends import place_named
from tests.laws.domains import DOMAINS
from tests.laws.drawn import cases
from tests.laws.laws import LAWS, cells

DRAWN = {"numpy": 4, "torch": 3, "jax": 2}
"""Calls drawn for each cell: JAX compiles every operation for every shape, which takes most of the time."""

TRIED = {"numpy": 99, "torch": 2, "jax": 0}
"""Of the calls that are always tried, so many."""

drawn_calls = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def place_of(name):
    """A backend, or a skip that says which library is missing."""
    if name != "numpy":
        library = pytest.importorskip(name)
        if name == "jax":
            library.config.update("jax_enable_x64", True)
    return place_named(name)


def hold(law, name, backend, place):
    """Raises where a law is broken, with the call."""

    def holds(case):
        for dtype in law.dtypes:
            law.holds(case, place, dtype)

    for case in DOMAINS[name].cases(name):
        if case.number < TRIED[backend]:
            holds(case)
    settings(drawn_calls, max_examples=DRAWN[backend])(given(cases(name))(holds))()


@pytest.mark.parametrize(("law", "backend", "name"), cells(), ids=lambda part: part)
def test_law(law, backend, name):
    hold(LAWS[law], name, backend, place_of(backend))
