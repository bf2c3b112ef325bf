"""What every primitive obeys beside the laws of `test_laws`."""

import pytest

import chainrule as cr
from tests.laws.domains import CASES, DOMAINS

NAMES = sorted(DOMAINS)


@pytest.mark.parametrize("name", [n for n in NAMES if cr.PRIMITIVES[n].is_differentiable])
def test_check_gradients_agrees_to_order_2(name):
    case = next(c for c in CASES if c.name == name)
    f, point = case.function(case.draw())
    assert cr.check_gradients(f, *point, order=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_primitive_says_what_it_is(name):
    primitive = cr.PRIMITIVES[name]
    assert primitive.__doc__
    assert repr(primitive) == f"<{primitive.family} primitive {name}>"
