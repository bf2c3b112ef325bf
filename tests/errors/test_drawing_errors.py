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


class Loose(cr.nn.Module):
    def forward(self, x):
        return cr.tensor(x.numpy(), requires_grad=True)


def model():
    return cr.nn.Linear(2, 2)


PLANE, CLASSES = np.zeros((4, 2)), np.array([0, 1, 0, 1])
SPOILT = np.array([[1.0, np.nan], [np.inf, 2.0]])
ce = cr.losses.cross_entropy

CASES = {
    "figure in another format": (
        lambda: cr.draw.activation("tanh", path="tanh.jpg"),
        cr.OptionError,
        "A figure is saved as PNG or SVG, not as .jpg.\n  path    tanh.jpg\n  try     tanh.png",
    ),
    "figure without ending": (
        lambda: cr.draw.activation("tanh", path="tanh"),
        cr.OptionError,
        "A figure is saved as PNG or SVG, not as a file without ending.\n  path    tanh\n  try     tanh.png",
    ),
    "activation from high to low": (
        lambda: cr.draw.activation("tanh", 3, -3),
        cr.OptionError,
        "An activation is drawn from a lower to a higher number, got 3 to -3.",
    ),
    "gradient flow of no model": (
        lambda: cr.draw.gradient_flow(3, PLANE, CLASSES, ce),
        cr.OptionError,
        "A model is made of modules, got int.\n  try     a cr.nn.Module",
    ),
    "landscape of no model": (
        lambda: cr.draw.landscape(3, PLANE, CLASSES, ce),
        cr.OptionError,
        "A model is made of modules, got int.\n  try     a cr.nn.Module",
    ),
    "two inputs as a tuple": (
        lambda: cr.draw.network(model(), (PLANE, PLANE)),
        cr.OptionError,
        "An input is a shape or an array of examples, got a tuple of 2.\n"
        "  try     several inputs one after the other, (model, x1, x2)",
    ),
    "boundary in space": (
        lambda: cr.draw.boundary(model(), X, CLASSES),
        cr.ShapeError,
        "draw.boundary shows a plane: it needs two features, got x of shape (4, 3).\n"
        "  try     train on two columns, x[:, :2]",
    ),
    "boundary, classes": (
        lambda: cr.draw.boundary(model(), PLANE, CLASSES[:3]),
        cr.ShapeError,
        "There are 4 examples, but 3 classes.",
    ),
    "boundary, resolution": (
        lambda: cr.draw.boundary(model(), PLANE, CLASSES, resolution=1),
        cr.OptionError,
        "resolution must be 2 or more, got 1.",
    ),
    "not finite": (
        lambda: cr.draw.boundary(model(), SPOILT, CLASSES[:2]),
        cr.DataError,
        "x has 2 of 4 numbers that are not finite.\n  first   nan at (0, 1)",
    ),
    "no numbers": (
        lambda: cr.draw.attention(np.ones((2, 0, 0))),
        cr.DataError,
        "Attention has no numbers to draw.\n  shape   (2, 0, 0)",
    ),
    "gradient flow without layers": (
        lambda: cr.draw.gradient_flow(Loose(), cr.tensor(PLANE), CLASSES, ce),
        cr.OptionError,
        "No layer with parameters takes part in this loss, so no gradient flows.\n"
        "  model   Loose\n"
        "  try     a model made of modules such as cr.nn.Linear",
    ),
    "histograms of nothing": (
        lambda: cr.draw.histograms({}),
        cr.DataError,
        "Nothing is recorded, so there is no histogram to draw.\n  try     {step: array, ...}",
    ),
    "histograms, bins": (
        lambda: cr.draw.histograms([X], bins=0),
        cr.OptionError,
        "bins must be 1 or more, got 0.",
    ),
    "filters of a dense layer": (
        lambda: cr.draw.filters(model()),
        cr.OptionError,
        "draw.filters needs a convolution, got Linear(2 → 2).\n"
        "  try     a layer of the model, as draw.filters(model.conv1)",
    ),
    "feature maps of images": (
        lambda: cr.draw.feature_maps(cr.nn.Conv2d(1, 2, 3), np.ones((5, 1, 8, 8))),
        cr.ShapeError,
        "draw.feature_maps shows one image (channels, height, width), got shape (5, 1, 8, 8).\n  try     images[0]",
    ),
    "feature maps that are flat": (
        lambda: cr.draw.feature_maps(cr.nn.Flatten(), np.ones((1, 8, 8))),
        cr.ShapeError,
        "The result has shape (1, 64), and maps have (1, channels, height, width).\n"
        "  try     a convolution, an activation or a pooling, before the layer that flattens",
    ),
    "attention of sequences": (
        lambda: cr.draw.attention(np.ones((3, 2, 4, 4))),
        cr.ShapeError,
        "draw.attention shows one sequence (heads, queries, keys), got shape (3, 2, 4, 4).\n  try     weights[0]",
    ),
    "attention, names": (
        lambda: cr.draw.attention(np.ones((2, 4, 4)), queries="abc"),
        cr.OptionError,
        "Axis 'query' has 4 positions, but 3 names were given.",
    ),
    "hidden states of sequences": (
        lambda: cr.draw.hidden_states(np.ones((2, 3, 4))),
        cr.ShapeError,
        "draw.hidden_states shows one sequence (time, units), got shape (2, 3, 4).\n"
        "  try     states[0] with batch_first=True, states[:, 0] without",
    ),
    "hidden states, inputs": (
        lambda: cr.draw.hidden_states(X, inputs="abc"),
        cr.OptionError,
        "There are 4 moments, but 3 inputs.",
    ),
    "landscape, points": (
        lambda: cr.draw.landscape(model(), PLANE, CLASSES, ce, points=2),
        cr.OptionError,
        "A slice of the loss needs 3 points or more along a direction, got 2.",
    ),
    "landscape, span": (
        lambda: cr.draw.landscape_slice(model(), PLANE, CLASSES, ce, span=0.0),
        cr.OptionError,
        "span must be a positive number, got 0.0.\n  try     1.0, the length of the weights",
    ),
    "landscape without weights": (
        lambda: cr.draw.landscape(cr.nn.LayerNorm(2), PLANE, CLASSES, ce),
        cr.OptionError,
        "This model has no learned weights with two axes or more, so there is no direction to go.\n  model   LayerNorm",
    ),
    "landscape, lines": (
        lambda: cr.draw.landscape_slice(model(), PLANE, CLASSES, ce, lines=0),
        cr.OptionError,
        "lines must be 1 or more, got 0.",
    ),
    "curves of nothing": (
        lambda: cr.draw.curves([]),
        cr.DataError,
        "draw.curves needs a history or more.\n  try     [cr.fit(...), cr.fit(...)], one a seed",
    ),
    "curves without epochs": (
        lambda: cr.draw.curves({"SGD": [[{"validation_loss": 1.0}], []]}),
        cr.DataError,
        "A history has no epoch to draw.\n  history SGD, number 1",
    ),
    "curves, column": (
        lambda: cr.draw.curves([[{"epoch": 1, "train_loss": 1.0}]]),
        cr.OptionError,
        "There is no column 'validation_loss' in a history.\n  history number 0\n  known   train_loss",
    ),
    "one history is no list of them": (
        lambda: cr.draw.curves(cr.train.History([{"epoch": 1, "validation_loss": 1.0}])),
        cr.DataError,
        "draw.curves needs a list of histories, got one of them.\n  try     draw.curves([history])",
    ),
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
