"""What drawings say to what they cannot draw; every message whole."""

import numpy as np
import pytest

import chainrule as cr

X = np.ones((4, 3))


def history():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    return x * x


def freed():
    y = history().sum()
    y.backward()
    return y


def long():
    y = cr.tensor(1.0, requires_grad=True)
    for _ in range(400):
        y = y * 1.0
    return y


CASES = {
    "network of a function": (
        lambda: cr.draw.network(np.tanh, (1, 2)),
        cr.OptionError,
        "draw.network needs a model made of modules, got ufunc.\n"
        "  try     cr.draw.graph(y) for the operations of any computation",
    ),
    "network of nothing": (
        lambda: cr.draw.network(cr.nn.Linear(3, 2)),
        cr.OptionError,
        "draw.network needs an input, to follow it through the model.\n"
        "  try     its shape with the batch axis, as draw.network(model, (1, 784))",
    ),
    "graph of an array": (
        lambda: cr.draw.graph(X),
        cr.DtypeError,
        "draw.graph needs a tensor that remembers how it was made, got ndarray.\n"
        "  try     give the result of a computation with cr.tensor(..., requires_grad=True)",
    ),
    "graph without history": (
        lambda: cr.draw.graph(cr.tensor(X)),
        cr.GradientError,
        "This tensor has no history to draw: no leaf below it requires a gradient.\n"
        "  tensor  shape (4, 3)\n"
        "  try     cr.tensor(..., requires_grad=True), or leave the no_grad block",
    ),
    "graph that is freed": (
        lambda: cr.draw.graph(freed()),
        cr.GradientError,
        "The history of this tensor is freed, and cannot be drawn any more.\n"
        "  tensor  sum of shape ()\n"
        "  try     draw it before backward()",
    ),
    "graph too large": (
        lambda: cr.draw.graph(long()),
        cr.OptionError,
        "A drawing of 401 operations could not be read; the most is 400.\n"
        "  try     cr.draw.network for a model, or cr.graph(y).table()",
    ),
    "adjoints of a vector": (
        lambda: cr.draw.graph(history(), adjoints=True),
        cr.GradientError,
        "Adjoints are derivatives of one number, and this tensor has shape (2,).\n  try     draw a loss, or y.sum()",
    ),
    "another format": (
        lambda: cr.draw.graph(history(), path="graph.png"),
        cr.OptionError,
        "This drawing is saved as SVG, not as .png.\n  path    graph.png\n  try     graph.svg",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    make, kind, text = CASES[case]
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text
