"""What `explain` says to what it cannot explain; every message whole."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from chainrule.glass import tiny_network

X, Y = np.ones((4, 3)), np.ones((4, 2))
IMAGES, IDS = np.ones((2, 1, 2, 2)), np.array([[0, 1], [3, 2]])


def model(*layers):
    return nn.Sequential(fc1=nn.Linear(3, 2), **{f"layer{i}": layer for i, layer in enumerate(layers)})


class Twice(nn.Module):
    def __init__(self, layer):
        self.layer = layer

    def forward(self, x):
        return self.layer(self.layer(x))


class Sum(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(3, 2)

    def forward(self, x, z):
        return self.fc(x) + z


class Pair(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x), x


class Halves(nn.Module):
    def forward(self, x):
        return x, x


CASES = {
    "no module": (
        lambda: cr.explain(lambda x: x, X, Y, losses.mse),
        cr.OptionError,
        "explain needs a model made of modules, got function.\n"
        "  try     cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.ReLU(), fc2=cr.nn.Linear(3, 1))",
    ),
    "layout": (
        lambda: cr.explain(model(), X, Y, losses.mse, layout="diagonal"),
        cr.OptionError,
        "There is no layout 'diagonal'.\n  known   rows, columns",
    ),
    "loss": (
        lambda: cr.explain(model(), X, Y, 3),
        cr.OptionError,
        'A loss is a function or a name, got int.\n  try     "cross-entropy"',
    ),
    "lr and optimizer": (
        lambda: cr.explain(model(), X, Y, losses.mse, lr=0.1, optimizer=cr.optim.SGD),
        cr.OptionError,
        "explain takes lr or optimizer, not both.\n  try     the learning rate inside the optimizer",
    ),
    "an optimizer that is made": (
        lambda: cr.explain(model(), X, Y, losses.mse, optimizer=cr.optim.SGD(model(), lr=0.1)),
        cr.OptionError,
        "explain takes a function that makes an optimizer from parameters, got SGD.\n"
        "  try     optimizer=lambda p: cr.optim.Adam(p, lr=1e-3)",
    ),
    "no digit": (
        lambda: cr.explain(model(), X, Y, losses.mse, digits=0),
        cr.OptionError,
        "explain expects digits to be a whole number of at least 1, got 0.",
    ),
    "no step": (
        lambda: cr.explain(model(), X, Y, losses.mse, lr=0.1, steps=0),
        cr.OptionError,
        "explain takes one update or more, got steps=0.",
    ),
    "lengths": (
        lambda: cr.explain(model(), X, Y[:3], losses.mse),
        cr.ShapeError,
        "x has 4 samples, y has 3.\n  x       (4, 3)\n  y       (3, 2)",
    ),
    "empty": (
        lambda: cr.explain(model(), X[:0], Y[:0], losses.mse),
        cr.DataError,
        "explain needs at least one sample, got none.\n  x       (0, 3)",
    ),
    "not finite": (
        lambda: cr.explain(model(), np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1.0), Y, losses.mse),
        cr.DataError,
        "x has a number that is not finite: nan.\n  place   row 2, column 1",
    ),
    "features": (
        lambda: cr.explain(model(), np.ones((4, 5)), Y, losses.mse),
        cr.ShapeError,
        "Linear expects 3 input features, got 5.\n  layer   fc1 = Linear(3 → 2)\n"
        "  input   (4, 5)   axis −1 = 5\n  try     Linear(5, 2)",
    ),
    "four axes": (
        lambda: cr.explain(model(), np.ones((4, 7, 5, 3)), np.ones((4, 7, 5, 2)), losses.mse),
        cr.OptionError,
        "explain shows dense layers on samples or sequences of features, not on (4, 7, 5, 3).\n"
        "  layer   fc1 = Linear(3 → 2)\n  try     cr.nn.Flatten() before it",
    ),
    "called twice": (
        lambda: cr.explain(Twice(nn.LayerNorm(3)), X, X, losses.mse),
        cr.OptionError,
        "explain shows dense layers and layers without parameters called more than once, not this one.\n"
        "  layer   layer = LayerNorm(3)\n"
        "  try     a layer for each call",
    ),
    "a cell called step by step": (
        lambda: cr.explain(Twice(nn.RNNCell(3, 3)), X, X, losses.mse),
        cr.OptionError,
        "explain shows dense layers and layers without parameters called more than once, not this one.\n"
        "  layer   layer = RNNCell(3 → 3)\n"
        "  try     cr.nn.Recurrent(RNNCell(3 → 3)), which runs the cell over a sequence",
    ),
    "inputs of different lengths": (
        lambda: cr.explain(Sum(), (X, Y[:3]), Y, losses.mse),
        cr.ShapeError,
        "The first input has 4 samples, input 2 has 3.\n  first   (4, 3)\n  other   (3, 2)",
    ),
    "two results": (
        lambda: cr.explain(Pair(), X, Y, losses.mse),
        cr.OptionError,
        "explain needs a model with one tensor as result, got tuple.",
    ),
    "layer with two results": (
        lambda: cr.explain(model(Halves()), X, Y, losses.mse),
        cr.OptionError,
        "explain shows layers that give one tensor.\n  layer   layer0 = Halves()",
    ),
    "loss of several numbers": (
        lambda: cr.explain(model(), X, Y, lambda p, t: p - t),
        cr.OptionError,
        "explain needs a loss that is one number, this one gave (4, 2).\n  try     a loss with reduction='mean'",
    ),
    "loss apart": (
        lambda: cr.explain(model(), X, Y, lambda p, t: cr.tensor(1.0)),
        cr.GradientError,
        "The loss does not depend on the parameters, so there is nothing to go back through.",
    ),
    "quantity": (
        lambda: cr.explain(nn.Sequential(fc1=nn.Linear(1, 1)), [[1.0]], [[1.0]], losses.mse)["fc2.z"],
        cr.OptionError,
        "There is no quantity 'fc2.z' here.\n"
        "  known   x, y, fc1.z, fc1.delta, fc1.a, fc1.da, fc1.W, fc1.dW, fc1.b, fc1.db, fc1.weight, "
        "fc1.bias, loss, dx, y_hat, losses",
    ),
    "step": (
        lambda: cr.explain(nn.Sequential(fc1=nn.Linear(1, 1)), [[1.0]], [[1.0]], losses.mse).step("fc1.da"),
        cr.OptionError,
        "There is no step 'fc1.da' here.\n  known   fc1.z, loss, fc1.delta, fc1.dW, fc1.db",
    ),
    "sample": (
        lambda: tiny_network().sample(4),
        cr.OptionError,
        "There is no sample 4: there are 4, counted from 0.",
    ),
    "sample of a batch of images": (
        lambda: cr.explain(nn.Sequential(bn=nn.BatchNorm2d(1)), np.ones((2, 1, 2, 2)), IMAGES, losses.mse).sample(0),
        cr.OptionError,
        "One sample alone would not be what it is in the batch.\n  layer   bn = BatchNorm2d(1)\n"
        "  cause   in training this layer draws a mask, or takes the statistics of the batch\n"
        "  try     model.eval()",
    ),
    "channels": (
        lambda: cr.explain(nn.Sequential(conv=nn.Conv2d(3, 2, 2)), IMAGES, IMAGES, losses.mse),
        cr.ShapeError,
        "Conv2d expects 3 channels, got 1.\n  layer   conv = Conv2d(3 → 2, kernel 2)\n"
        "  input   (2, 1, 2, 2)   axis 1 = 1\n  try     Conv2d(1, 2, 2)",
    ),
    "pixel that is not finite": (
        lambda: cr.explain(nn.Sequential(conv=nn.Conv2d(1, 1, 1)), IMAGES * np.inf, IMAGES, losses.mse),
        cr.DataError,
        "x has a number that is not finite: inf.\n  place   x[0, 0, 0, 0]",
    ),
    "dense layer on images": (
        lambda: cr.explain(nn.Sequential(fc=nn.Linear(2, 2)), IMAGES, IMAGES, losses.mse),
        cr.OptionError,
        "explain shows dense layers on samples or sequences of features, not on (2, 1, 2, 2).\n"
        "  layer   fc = Linear(2 → 2)\n  try     cr.nn.Flatten() before it",
    ),
    "ids with fractions": (
        lambda: cr.explain(nn.Sequential(emb=nn.Embedding(3, 2), flat=nn.Flatten()), X, np.ones((4, 6)), losses.mse),
        cr.DtypeError,
        "Ids are integers, these are float64.\n  layer   emb = Embedding(3, 2)\n  ids     shape (4, 3)\n"
        '  try     ids.astype("int64")',
    ),
    "an id that is none": (
        lambda: cr.explain(nn.Sequential(emb=nn.Embedding(3, 2), flat=nn.Flatten()), IDS, np.ones((2, 4)), losses.mse),
        cr.DataError,
        "Id 3 is not in a vocabulary of 3.\n  layer   emb = Embedding(3, 2)\n  place   ids[1, 0]\n"
        "  ids     shape (2, 2), from 0 to 3; known are 0 to 2\n"
        "  try     4 entries, or the id of an unknown one in its place",
    ),
    "sample of a batch": (
        lambda: cr.explain(model(nn.BatchNorm1d(2)), np.eye(4, 3), Y, losses.mse).sample(0),
        cr.OptionError,
        "One sample alone would not be what it is in the batch.\n  layer   layer0 = BatchNorm1d(2)\n"
        "  cause   in training this layer draws a mask, or takes the statistics of the batch\n"
        "  try     model.eval()",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    call, kind, message = CASES[name]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_the_model_is_as_before_after_an_error():
    net = model()
    before = net.fc1.weight.value
    with pytest.raises(cr.ShapeError):
        cr.explain(net, np.ones((4, 5)), Y, losses.mse)
    assert net.fc1.weight.value is before and "forward" not in vars(net.fc1)
