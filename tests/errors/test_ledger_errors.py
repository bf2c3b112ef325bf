"""What `ledger` says to what it cannot book; every message whole."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn

X, Y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)


def model():
    return nn.Sequential(fc=nn.Linear(3, 2))


class Folded(nn.Module):
    """Lets examples meet, so that what lies behind has no axis of them."""

    def __init__(self):
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(cr.matmul(cr.transpose(x), x))


def frozen():
    layers = model()
    for p in layers.parameters():
        p.requires_grad_(False)
    return layers


def unmixed():
    layer = nn.LSTM(3, 4, batch_first=False)
    return cr.ledger(layer, np.ones((5, 2, 3)), None, lambda y, _: cr.sum(y[0] ** 2))[""].examples.dweight_hh_l0


CASES = {
    "no model": (
        lambda: cr.ledger(np.tanh, X, Y, "mse"),
        cr.OptionError,
        "A ledger is of a model made of modules, got ufunc.",
    ),
    "a loss of several numbers": (
        lambda: cr.ledger(model(), X, Y, lambda p, y: (p - y) ** 2),
        cr.OptionError,
        "A ledger needs a loss that is one number, this one gave (4, 2).\n  try     a loss with reduction='mean'",
    ),
    "nothing learned": (
        lambda: cr.ledger(nn.Sequential(nn.Embedding(3, 2).requires_grad_(False)), [0, 1], Y[:2], losses.mse),
        cr.GradientError,
        "The loss does not depend on the parameters, so there is nothing to go back through.",
    ),
    "an optimiser that is not made": (
        lambda: cr.ledger(model(), X, Y, losses.mse, cr.optim.Adam),
        cr.OptionError,
        "A ledger needs an optimizer that is made, got Adam.\n  try     cr.optim.Adam(model, lr=1e-3)",
    ),
    "an optimiser of another model": (
        lambda: cr.ledger(model(), X, Y, losses.mse, cr.optim.Adam(model(), lr=1e-3)),
        cr.OptionError,
        "This Adam changes no parameter of the model.\n"
        "  cause   the model was made anew after it, or it belongs to another\n"
        "  try     cr.optim.Adam(model)",
    ),
    "no such layer": (
        lambda: cr.ledger(model(), X, Y, losses.mse)["fc1"],
        cr.OptionError,
        "There is no layer 'fc1' in the ledger.\n  known   fc",
    ),
    "no such quantity": (
        lambda: cr.ledger(model(), X, Y, losses.mse)["fc"]["gamma"],
        cr.OptionError,
        "There is no quantity 'gamma' of fc = Linear.\n  known   z, delta, a, da, weight, dweight, bias, dbias",
    ),
    "no such attribute": (
        lambda: cr.ledger(model(), X, Y, losses.mse)["fc"].gamma,
        AttributeError,
        "fc = Linear has no quantity 'gamma'; there are z, delta, a, da, weight, dweight, bias, dbias",
    ),
    "examples that meet": (
        lambda: cr.ledger(Folded(), X, np.ones((3, 2)), losses.mse)["fc"].examples.dW,
        cr.OptionError,
        "The gradient of fc.weight cannot be told apart by examples.\n"
        "  operation affine (3, 2) in fc at test_ledger_errors.py:LINE\n"
        "  cause   in its result no axis belongs to the examples of the batch, one after the other",
    ),
    "time first": (
        unmixed,
        cr.OptionError,
        "The gradient of weight_hh_l0 cannot be told apart by 5 examples.\n"
        "  cause   the shares found do not sum to it, so the batch does not lie along the axis it was looked for\n"
        "  try     ledger(..., batch_axis=1), where x is (time, batch, features)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_whole_message(name):
    call, kind, text = CASES[name]
    with pytest.raises(kind) as caught:
        call()
    lines = str(caught.value).split(".py:")
    said = lines[0] + (".py:LINE" + lines[1].lstrip("0123456789") if len(lines) > 1 else "")
    assert said == text


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(cr.OptionError) as caught:
        cr.ledger(model(), X, Y, losses.mse).frame()
    assert str(caught.value) == "A frame needs pandas, which is not installed.\n  try     pip install pandas"
