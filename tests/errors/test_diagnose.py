"""diagnose: the first number that is not finite, by rule, with the whole report."""

from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn


class Bent(nn.Module):
    """A layer that changes nothing, and a function of its result."""

    def __init__(self, function):
        self.fc, self.function = nn.Linear(2, 2), function
        self.fc.weight.assign(np.eye(2, dtype=np.float32))
        self.fc.bias.assign(np.zeros(2, np.float32))

    def forward(self, x):
        return self.function(self.fc(x))


INF = np.inf
CASES = {
    "log of 0": (
        lambda z: cr.log(z),
        [[1, 2], [3, 0]],
        """
        The forward pass is not finite: log of 0.
          in      log at LINE
          from    a = 0 at 1, 1
          gave    -inf at 1, 1; 1 of 4 entries
          rule    log x goes to −∞ as x goes to 0
          try     a loss on logits, which needs no log; or cr.log(x + 1e-7)
        """,
    ),
    "log of a negative number": (
        lambda z: cr.log1p(z),
        [[1, 2], [-3, 1]],
        """
        The forward pass is not finite: log1p of a negative number.
          in      log1p at LINE
          from    a = -3 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    log1p x is defined for x > -1
          try     cr.log1p(cr.softplus(x))
        """,
    ),
    "overflow of exp": (
        lambda z: cr.exp(z) / cr.exp(z).sum(-1, keepdims=True),
        [[1, 2], [100, 1]],
        """
        The forward pass is not finite: overflow of exp.
          in      exp at LINE
          from    a = 100 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    exp x is beyond float32 for x > 88.72
          try     cr.logsumexp, cr.softmax or cr.log_softmax, which subtract the maximum first; or cr.clip(x, None, 80)
        """,
    ),
    "0/0": (
        lambda z: z / z,
        [[1, 2], [0, 1]],
        """
        The forward pass is not finite: 0/0.
          in      divide at LINE
          from    a = 0 at 1, 0, b = 0 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    0/0 is no number
          try     cr.where(b == 0, 0.0, a / cr.where(b == 0, 1.0, b)), or b + 1e-8
        """,
    ),
    "division by zero": (
        lambda z: 1 / z,
        [[1, 2], [0, 1]],
        """
        The forward pass is not finite: division by zero.
          in      divide at LINE
          from    a = 1 at 1, 0, b = 0 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    a/b goes to ±∞ as b goes to 0
          try     b + 1e-8, or cr.maximum(b, 1e-8) for b ≥ 0
        """,
    ),
    "a column that does not vary": (
        lambda z: (z - z.mean(0)) / z.std(0),
        [[1, 2], [1, 3]],
        """
        The forward pass is not finite: division by a variance of zero.
          in      divide at LINE
          from    a = 0 at 0, 0, b = 0 at 0, 0
          gave    nan at 0, 0; 2 of 4 entries
          rule    a column that does not vary has variance 0
          try     eps inside the root: cr.sqrt(var + 1e-5)
        """,
    ),
    "sqrt of a negative number": (
        lambda z: cr.sqrt(z),
        [[1, 2], [-1, 1]],
        """
        The forward pass is not finite: sqrt of a negative number.
          in      sqrt at LINE
          from    a = -1 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    √x is defined for x ≥ 0
          try     cr.sqrt(cr.maximum(x, 0)), or x ** 2 before
        """,
    ),
    "0 to a negative power": (
        lambda z: z**-1.5,
        [[1, 2], [0, 1]],
        """
        The forward pass is not finite: 0 to a negative power.
          in      raise_to at LINE
          from    a = 0 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    x^-1.5 goes to ∞ as x goes to 0
          try     cr.maximum(x, 1e-8) before it
        """,
    ),
    "a fractional power": (
        lambda z: z**1.5,
        [[1, 2], [-4, 1]],
        """
        The forward pass is not finite: a fractional power of a negative number.
          in      raise_to at LINE
          from    a = -4 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    x^1.5 is defined for x ≥ 0
          try     cr.abs(x) before it
        """,
    ),
    "a fully masked row": (
        lambda z: cr.softmax(z + np.array([[0, -INF], [-INF, -INF]], np.float32)),
        [[1, 2], [0, 1]],
        """
        The forward pass is not finite: a fully masked row.
          in      softmax at LINE
          from    a = -inf at 1, 0
          gave    nan at 1, 0; 2 of 4 entries
          rule    softmax of a row that is −∞ throughout is 0/0
          try     a boolean mask: cr.scaled_dot_product_attention(q, k, v, mask), whose fully masked rows give 0
        """,
    ),
    "infinity less infinity": (
        lambda z: z + np.float32(INF) - np.array([INF, 0], np.float32),
        [[1, 2]],
        """
        The forward pass is not finite: ∞ − ∞.
          in      subtract at LINE
          from    a = inf at 0, 0, b = inf at 0, 0
          gave    nan at 0, 0; 1 of 2 entries
          rule    the difference of infinities is no number
          try     a large finite number, as -1e9, in the mask
        """,
    ),
    "zero times infinity": (
        lambda z: z * np.array([INF, 1], np.float32),
        [[0, 2]],
        """
        The forward pass is not finite: 0 · ∞.
          in      multiply at LINE
          from    a = 0 at 0, 0, b = inf at 0, 0
          gave    nan at 0, 0; 1 of 2 entries
          rule    zero times infinity is no number
          try     cr.where(mask, x, 0.0) in the place of a product
        """,
    ),
    "float16": (
        lambda z: z.astype("float16") ** 2,
        [[1, 2], [300, 1]],
        """
        The forward pass is not finite: overflow of float16.
          in      square at LINE
          from    a = 300 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    the largest number of float16 is 65504
          try     float32 for this part, or cr.optim.LossScale for gradients
        """,
    ),
    "float32": (
        lambda z: z * 1e30,
        [[1, 2], [1e20, 1]],
        """
        The forward pass is not finite: overflow of float32.
          in      multiply at LINE
          from    a = 1e+20 at 1, 0, b = 1e+30 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    the largest number of float32 is 3.40282e+38
          try     smaller inputs or weights: scale the data, or normalise before it
        """,
    ),
    "sqrt at 0": (
        lambda z: cr.sqrt(z) + 1,
        [[1, 2], [0, 1]],
        """
        The loss is finite, its gradient is not: sqrt at 0.
          in      the derivative of sqrt at LINE
          from    a = 0 at 1, 0, ȳ = 0.5 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    the slope of √x goes to ∞ as x goes to 0
          try     cr.sqrt(x + 1e-12), or cr.norm(x), whose derivative at 0 is taken as 0
        """,
    ),
    "a root at 0": (
        lambda z: z**0.25 + 1,
        [[1, 2], [0, 1]],
        """
        The loss is finite, its gradient is not: raise_to at 0.
          in      the derivative of raise_to at LINE
          from    a = 0 at 1, 0, ȳ = 0.5 at 1, 0
          gave    inf at 1, 0; 1 of 4 entries
          rule    the slope of x^0.25 goes to ∞ as x goes to 0
          try     x + 1e-12
        """,
    ),
    "log behind a where": (
        lambda z: cr.where(z > 0, cr.log(z), 0.0),
        [[1, 2], [0, 1]],
        """
        The loss is finite, its gradient is not: 0 · ∞ in the derivative of log.
          in      the derivative of log at LINE
          from    a = 0 at 1, 0, ȳ = 0 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    the slope of log goes to ∞ at 0; times the 0 that comes back to it, as from a `where`, it is NaN
          try     inside of a where: cr.log(x), x = cr.where(good, x, 1.0)
        """,
    ),
    "a quotient behind a where": (
        lambda z: cr.where(z != 0, 1 / z, 0.0),
        [[1, 2], [0, 1]],
        """
        The loss is finite, its gradient is not: 0 · ∞ in the derivative of divide.
          in      the derivative of divide at LINE
          from    a = 1 at 1, 0, b = 0 at 1, 0, ȳ = 0 at 1, 0
          gave    nan at 1, 0; 1 of 4 entries
          rule    the slope of a/b goes to ∞ at b = 0; times the 0 that comes back to it, as from a `where`, it is NaN
          try     inside of a where: a / cr.where(b == 0, 1.0, b)
        """,
    ),
    "arcus sine at 1": (
        lambda z: cr.asin(z),
        [[0.5, 1]],
        """
        The loss is finite, its gradient is not: asin at ±1.
          in      the derivative of asin at LINE
          from    a = 1 at 0, 1, ȳ = 1.5708 at 0, 1
          gave    inf at 0, 1; 1 of 2 entries
          rule    the slope of asin x goes to ∞ as x goes to ±1
          try     cr.clip(x, -1 + 1e-6, 1 - 1e-6)
        """,
    ),
}


def trimmed(text):
    lines = text.strip("\n").split("\n")[:-1]
    return "\n".join(line[8:] for line in lines)


def diagnosed(model, x, optimizer=None):
    x = np.array(x, np.float32)
    return cr.diagnose(model, x, np.zeros_like(x), "mse", optimizer)


@pytest.mark.parametrize("case", CASES)
def test_each_rule(case):
    function, x, text = CASES[case]
    diagnosis = diagnosed(Bent(function), x)
    assert not diagnosis
    line = f"test_diagnose.py:{function.__code__.co_firstlineno}"
    assert str(diagnosis) == trimmed(text).replace("LINE", line)
    assert diagnosis.source == line


HEALTHY = {
    "plain": (lambda z: z, [[1, 2]]),
    "a mask of infinities": (lambda z: cr.softmax(z + np.array([0, -INF], np.float32)), [[1, 2]]),
    "a where inside": (lambda z: cr.log(cr.where(z > 0, z, 1.0)), [[0, 2]]),
    "an infinity that goes to 0": (lambda z: 1 / (1 + cr.exp(cr.where(z > 50, 50.0, z))), [[1e3, 2]]),
}


@pytest.mark.parametrize("case", HEALTHY)
@pytest.mark.parametrize("optimizer", [None, partial(cr.optim.Adam, lr=0.1), partial(cr.optim.SGD, lr=0.1)])
def test_what_is_healthy(case, optimizer):
    function, x = HEALTHY[case]
    model = Bent(function)
    before = model.state_dict()
    diagnosis = diagnosed(model, x, optimizer and optimizer(model))
    assert diagnosis
    assert str(diagnosis) == "Everything is finite: the loss, its gradients, and the update."
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_slope_of_the_input_alone_is_not_asked_for():
    """Training has no use for ∂L/∂x; √x at 0 has a value."""

    class Rooted(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return self.fc(cr.sqrt(x))

    assert diagnosed(Rooted(), [[0, 1]])
    assert diagnosed(Rooted(), [[-1, 1]]).rule == "sqrt of a negative number"


# --- inputs, parameters, layers, updates --------------------------------------------------------------------


def test_an_input():
    x = [[1, 2], [np.nan, INF]]
    assert str(diagnosed(Bent(lambda z: z), x)) == (
        "The input x is not finite.\n"
        "  gave    nan at 1, 0; 2 of 4 entries\n"
        "  rule    it was not finite in the data\n"
        "  try     drop those rows, or fill them in, before training"
    )


def test_a_parameter():
    model = Bent(lambda z: z)
    model.fc.bias.data[1] = -INF
    assert str(diagnosed(model, [[1, 2]])) == (
        "The parameter fc.bias is not finite.\n"
        "  layer   fc = Linear(2 → 2)\n"
        "  gave    -inf at 1; 1 of 2 entries\n"
        "  rule    an earlier step has spoiled it\n"
        "  try     diagnose at the step that did: cr.at(run, step)"
    )


def test_the_layer_is_named():
    class Log(nn.Module):
        def forward(self, x):
            return cr.log(x)

    model = nn.Sequential(fc=nn.Linear(2, 2), act=nn.ReLU(), log=Log())
    model.fc.weight.assign(-np.eye(2, dtype=np.float32))
    diagnosis = diagnosed(model, [[1, 2]])
    assert (diagnosis.phase, diagnosis.operation, diagnosis.layer) == ("forward", "log", "log")
    assert str(diagnosis).split("\n")[2] == "  layer   log = Log()"
    assert diagnosis.operands[0].value == 0


def test_a_norm_without_eps():
    model = nn.Sequential(fc=nn.Linear(2, 3), norm=nn.LayerNorm(3, eps=1e-45))
    model.norm.eps = 0.0
    model.fc.weight.assign(np.zeros((3, 2), np.float32))
    model.fc.bias.assign(np.ones(3, np.float32))
    diagnosis = cr.diagnose(model, np.ones((2, 2)), np.ones((2, 3)), "mse")
    assert (diagnosis.layer, diagnosis.rule) == ("norm", "division by a variance of zero")


@pytest.mark.parametrize("scale", [1e3, 1e12])
def test_updates(scale):
    model = Bent(lambda z: z * scale)
    diagnosis = diagnosed(model, [[1, 2]], cr.optim.Adam(model, lr=0.1))
    if scale < 1e6:
        assert diagnosis
        return
    first, layer, *rest = str(diagnosis).split("\n")[1:]
    assert str(diagnosis).split("\n")[0] == (
        "Loss and gradient are finite, the update is not: overflow of the gradient's square."
    )
    assert first == "  in      Adam on fc.weight"
    assert layer == "  layer   fc = Linear(2 → 2)"
    assert rest == [
        "  from    θ = 1 at 0, 0, g = 1e+24 at 0, 0, m = 1e+23 at 0, 0, v = inf at 0, 0",
        "  gave    inf at 0, 0; 4 of 4 entries",
        "  rule    the largest number of float32 is 3.40282e+38",
        "  try     clip_norm=1.0, or a loss on a smaller scale",
    ]


def test_a_step_too_long():
    model = Bent(lambda z: z * 1e18)
    optimizer = cr.optim.SGD(model, lr=1e3)
    assert str(diagnosed(model, [[1, 2]], optimizer)) == (
        "Loss and gradient are finite, the update is not: overflow of the step.\n"
        "  in      SGD on fc.weight\n"
        "  layer   fc = Linear(2 → 2)\n"
        "  from    θ = 1 at 0, 0, g = 1e+36 at 0, 0\n"
        "  gave    -inf at 0, 0; 4 of 4 entries\n"
        "  rule    the largest number of float32 is 3.40282e+38\n"
        "  try     a smaller learning rate than 1000, or clip_norm=1.0"
    )
    assert optimizer.steps == 0


def test_a_loss_that_refuses_the_prediction():
    """The loss would say that NaN is no probability; what made it comes first."""
    diagnosis = cr.diagnose(Bent(lambda z: cr.sigmoid(cr.log(z))), [[-1.0, 2.0]], [[1.0, 0.0]], "binary-cross-entropy")
    assert diagnosis.rule == "log of a negative number"


@pytest.mark.parametrize(("optimizer", "got"), [("adam", "str"), (cr.optim.Adam, "Adam")], ids=["a name", "a class"])
def test_an_optimizer_that_is_not_made(optimizer, got):
    with pytest.raises(cr.OptionError) as caught:
        cr.diagnose(Bent(lambda z: z), np.ones((2, 2)), np.ones((2, 2)), "mse", optimizer)
    assert str(caught.value) == (
        f"diagnose needs an optimizer that is made, got {got}.\n  try     cr.optim.Adam(model, lr=1e-3)"
    )


@pytest.mark.parametrize(
    ("model", "loss", "text"),
    [
        (3, "mse", "diagnose needs a model made of modules, got int."),
        (
            Bent(lambda z: z),
            lambda z, y: 1.0,
            "diagnose needs a loss that is a tensor, this one gave float.\n"
            "  try     operations of cr on the prediction: NumPy's are not recorded",
        ),
    ],
    ids=["no model", "no tensor"],
)
def test_what_it_cannot_diagnose(model, loss, text):
    with pytest.raises(cr.OptionError) as caught:
        cr.diagnose(model, np.ones((2, 2)), np.ones((2, 2)), loss)
    assert str(caught.value) == text
