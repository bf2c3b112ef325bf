"""What `explain_graph` shows of an expression is what the library's own reverse and forward mode give."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.glass import explain_graph

SAME = 1e-12  # float64 rounding of the same products in another order

EXPRESSIONS = {
    "product": (lambda x1, x2: ((x1 + x2) * x1) ** 2, (2.0, 3.0)),
    "logistic": (lambda a, b: cr.log(1 + cr.exp(-a * b)) / 3 + cr.maximum(a, b) ** 3 - b, (-1.5, 0.3)),
    "one input twice": (lambda x: x * x + x / x + x**x, (1.7,)),
    "waves": (lambda u, v, w: cr.sin(u) * cr.cos(v) - cr.tanh(u * w) / cr.sqrt(v), (0.4, 1.2, -0.7)),
    "not used": (lambda x, y: cr.sigmoid(x) + 0 * y, (0.2, 5.0)),
    "a chain": (lambda x: cr.square(cr.square(cr.square(-x))), (1.1,)),
}


@pytest.fixture(params=EXPRESSIONS)
def case(request):
    function, point = EXPRESSIONS[request.param]
    return function, point, explain_graph(function, *point)


def test_adjoints_are_the_gradient(case):
    function, point, walk = case
    names = [f"v{i}.bar" for i in range(1, len(point) + 1)]
    gradient = cr.grad(function, argnums=tuple(range(len(point))))(*map(np.float64, point))
    np.testing.assert_allclose([walk[name] for name in names], gradient, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(walk["L"], function(*map(np.float64, point)), rtol=SAME)
    assert walk.checked and walk.checks


def test_tangents_are_those_of_forward_mode(case):
    function, point, walk = case
    ends = [name for name in walk if name.startswith("L.dot.")]
    assert len(ends) == len(point)
    for i, name in enumerate(ends):
        direction = tuple(np.float64(i == j) for j in range(len(point)))
        _, tangent = cr.jvp(function, tuple(map(np.float64, point)), direction)
        np.testing.assert_allclose(walk[name], tangent, rtol=SAME, atol=SAME)


def test_every_form_can_be_written(case):
    *_, walk = case
    assert max(map(len, str(walk).splitlines())) <= 100
    assert walk.latex(document=True).isascii() and "<script" not in walk.html()
    assert list(walk) == walk.keys() and len(walk) == len(walk.keys()) and "v1" in walk


def test_a_partial_is_told_by_its_formula():
    walk = explain_graph(lambda a, b: cr.log(1 + cr.exp(a * b)) / 3, 1.5, 0.3)
    step = walk.step("v5.bar")
    assert [str(part) for part in step.expanded[0][:3:2]] == [r"\partial v_6/\partial v_5", "1 / {v_5}"]
    assert str(step) == "v̄₅ = v̄₆ ∂v₆/∂v₅"


NUMBERS = """\
v3   multiply
    v₃ = v₁ · v₂
       = (−1.5) · 0.3
       = −0.45

v4   exp
    v₄ = e^v₃
       = e^(−0.45)
       = 0.63763
"""


def test_numbers_are_put_into_the_formula():
    assert NUMBERS in str(explain_graph(lambda a, b: cr.sin(cr.exp(a * b)), -1.5, 0.3))


def test_notes_stand_below_their_steps():
    notes = {"v1.bar": "it is used $2$ times"}
    walk = explain_graph(lambda x: x * x, 3.0, notes=notes, title="A square", words=["Words."])
    lines = str(walk).splitlines()
    assert lines[:2] == ["A square", "Words."]
    assert "    note  it is used 2 times" in lines


def test_names_are_those_of_the_arguments():
    named, unnamed = explain_graph(lambda u, v: u * v, 2, 3), explain_graph(lambda *xs: xs[0] * xs[1], 2, 3)
    assert [name for name in named if name.startswith("L.dot")] == ["L.dot.u", "L.dot.v"]
    assert [name for name in unnamed if name.startswith("L.dot")] == ["L.dot.x1", "L.dot.x2"]


MISTAKES = {
    "an array": (
        lambda: explain_graph(lambda x: cr.sum(x), np.ones(3)),
        "explain_graph shows expressions of numbers, got an input of shape (3,).\n"
        "  try     cr.explain for a model on arrays",
    ),
    "no graph": (
        lambda: explain_graph(lambda x: 3.0, 1.0),
        "The result does not depend on the inputs, so there is no graph to explain.",
    ),
    "step": (
        lambda: explain_graph(lambda x: x * x, 1.0)["v9"],
        "There is no step 'v9' here.\n  known   v1, L, L.bar, v1.bar, v1.dot.x, L.dot.x",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_message(name):
    call, message = MISTAKES[name]
    with pytest.raises(cr.OptionError) as caught:
        call()
    assert str(caught.value) == message


def test_an_array_on_the_way_is_told_with_its_line():
    with pytest.raises(cr.OptionError) as caught:
        explain_graph(lambda x: cr.sum(x * np.ones(3)), 1.0)
    assert str(caught.value).splitlines()[0] == (
        "explain_graph shows expressions of numbers, and broadcast_to gave an array of shape (3,)."
    )
    assert "test_explain_graphs.py:" in str(caught.value)
