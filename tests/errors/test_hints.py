"""Names known from PyTorch: what is not here under that name says where it is, and the table is true."""

import pytest

import chainrule as cr
from chainrule.base.hints import ELSEWHERE

PLACES = {"cr": cr, "cr.nn": cr.nn, "cr.nn.functional": cr.nn.functional, "cr.optim": cr.optim}


@pytest.mark.parametrize(("place", "name"), [(p, n) for p, names in ELSEWHERE.items() for n in names])
def test_the_error_says_where_it_is(place, name):
    with pytest.raises(AttributeError) as caught:
        getattr(PLACES[place], name)
    assert str(caught.value) == f"{place} has no {name}; here it is {ELSEWHERE[place][name]}"


def test_plain_names_in_the_table_exist():
    for here in (here for names in ELSEWHERE.values() for here in names.values()):
        if here.startswith("cr.") and here.replace(".", "").replace("_", "").isalnum():
            value = cr
            for part in here.split(".")[1:]:
                value = getattr(value, part)


def test_an_unknown_name_is_just_missing():
    with pytest.raises(AttributeError, match=r"^cr has no anything_else$"):
        cr.anything_else  # noqa: B018
