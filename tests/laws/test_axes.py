"""Shapes with named axes: proved before any data, and told apart where sizes agree by chance."""

import pytest

import chainrule as cr


def test_names_go_through_a_model():
    rows = cr.nn.summary(cr.models.MLP(8, 16, 3), cr.axes(batch=5, features=8)).rows
    assert [str(row.shape) for row in rows] == ["(batch=5, 16)", "(batch=5, 16)", "(batch=5, 3)"]


def test_equal_sizes_of_other_names_do_not_meet():
    x = cr.axes(batch=2, time=8, features=8)
    plain = cr.Tensor(cr.Spec(x, cr.zeros(1).dtype))
    with pytest.raises(cr.ShapeError) as caught:
        plain + plain.transpose(0, 2, 1)
    assert str(caught.value) == (
        "add meets the axis time=8 with the axis features=8: equally long, but not the same.\n"
        "  shapes  (batch=2, time=8, features=8) and (batch=2, features=8, time=8), axis 1\n"
        "  try     transpose one of them, or reshape to (…, 1) what is to be repeated"
    )


def test_the_model_that_mixes_axes_is_named():
    with pytest.raises(cr.ShapeError, match=r"axis time=8 .* axis features=8") as caught:
        cr.nn.summary(Doubled(), cr.axes(batch=2, time=8, features=8))
    assert caught.value.places["layer"] == "inner = Mixed()"


class Mixed(cr.nn.Module):
    def forward(self, x):
        return x * x.transpose(0, 2, 1)


class Doubled(cr.nn.Module):
    def __init__(self):
        self.inner = Mixed()

    def forward(self, x):
        return self.inner(x)


def test_a_named_size_is_a_number():
    batch, features = cr.axes(batch=4, features=3)
    assert batch * features == 12
    assert cr.zeros(batch, features).shape == (4, 3)
