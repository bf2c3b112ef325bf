"""Every law, for every primitive, on every backend: at the calls that are always tried, and at calls that are drawn."""

import importlib
import pkgutil

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import chainrule as cr
from chainrule.backends import place_named
from tests.laws.domains import DOMAINS
from tests.laws.drawn import DRAWN, cases
from tests.laws.laws import ALL, LAWS, cells, dtypes_of

TRIED = {"numpy": 99, "torch": 2, "jax": 1}
"""How many of the calls that are always tried: JAX compiles every operation for every shape, which takes most time."""


def number_drawn(law, backend):
    """How many calls hypothesis draws; under JAX the first, which is the smallest, for values and shapes alone."""
    return {"numpy": 4, "torch": 3, "jax": int(law.name in ("value", "shape"))}[backend]


calmly = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def place_of(name):
    """A backend, or a skip that says which library is missing."""
    if name != "numpy":
        library = pytest.importorskip(name)
        if name == "jax":
            library.config.update("jax_enable_x64", True)
    return place_named(name)


def hold(law, name, backend, phases=tuple(Phase)):
    """Raises where a law is broken, with the call."""
    place = place_of(backend)

    def holds(case):
        for dtype in dtypes_of(law, backend):
            law.holds(case, place, dtype)

    for case in DOMAINS[name].cases(name):
        if case.number < TRIED[backend]:
            holds(case)
    if number := number_drawn(law, backend):
        settings(calmly, max_examples=number, phases=phases)(given(cases(name))(holds))()


@pytest.mark.parametrize(("law", "backend", "name"), cells(), ids=lambda part: part)
def test_law(law, backend, name):
    hold(LAWS[law], name, backend)


# --- nothing is left out ----------------------------------------------------------------------------------


def test_every_primitive_has_a_domain():
    for module in pkgutil.walk_packages(cr.__path__, "chainrule."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in ("torch", "jax", "jaxlib", "triton"):  # extras
                    raise
    assert set(cr.PRIMITIVES) == set(DOMAINS) == set(DRAWN)


def test_every_law_is_asked_of_every_primitive_on_every_backend_or_says_why_not():
    asked = set(cells())
    for law in LAWS.values():
        silent = set(ALL) - set(law.backends)
        assert silent <= {word.strip(",:") for reason in law.reasons for word in reason.split()}, law.name
        assert set(law.excused) <= set(DOMAINS)
        for name in DOMAINS:
            for backend in law.backends:
                assert ((law.name, backend, name) in asked) != bool(law.excused.get(name))


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_empty_and_size_one_axes_are_drawn(name):
    found = set()

    def look(case):
        found.update(n for shape in case.shapes for n in shape)

    settings(calmly, max_examples=20, phases=[Phase.generate])(given(cases(name))(look))()
    assert found >= {0, 1}
