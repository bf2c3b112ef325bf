"""The whole text of each message of the layers and modules."""

import re
import traceback
from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import DtypeError, GradientError, OptionError, ShapeError


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


def mlp(*sizes):
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


class Classifier(nn.Module):
    def __init__(self):
        self.mlp = mlp(784, 256, 10)

    def forward(self, x):
        return self.mlp(x)


def inputs(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (
            nn.Linear(784, 256),
            (128, 785),
            "Linear expects 784 input features, got 785.\n"
            "  layer   Linear(784 → 256)\n"
            "  input   (128, 785)   axis −1 = 785\n"
            "  try     Linear(785, 256), or drop one column (is an index column left in the data?)",
        ),
        (
            nn.Linear(784, 256),
            (128, 30),
            "Linear expects 784 input features, got 30.\n"
            "  layer   Linear(784 → 256)\n"
            "  input   (128, 30)   axis −1 = 30\n"
            "  try     Linear(30, 256)",
        ),
        (
            nn.Linear(784, 256),
            (128, 1, 28, 28),
            "Linear expects 784 input features, got 28.\n"
            "  layer   Linear(784 → 256)\n"
            "  input   (128, 1, 28, 28)   axis −1 = 28\n"
            "  try     put Flatten() before it, or x.reshape(len(x), -1)",
        ),
        (
            nn.Linear(4, 2, bias=False),
            (4, 150),
            "Linear expects 4 input features, got 150.\n"
            "  layer   Linear(4 → 2, no bias)\n"
            "  input   (4, 150)   axis −1 = 150\n"
            "  try     x.T (samples are rows, features are columns)",
        ),
        (
            nn.Linear(1, 2),
            (30,),
            "Linear expects 1 input features, got 30.\n"
            "  layer   Linear(1 → 2)\n"
            "  input   (30,)   axis −1 = 30\n"
            "  try     x.reshape(-1, 1) (one feature, a sample a row)",
        ),
        (
            nn.Linear(3, 2),
            (),
            "Linear expects 3 input features, got a single number.\n"
            "  layer   Linear(3 → 2)\n"
            "  input   ()   no axis\n"
            "  try     x.reshape(1, 1) with Linear(1, ...)",
        ),
        (
            nn.Linear(3, 2),
            (0, 0),
            "Linear expects 3 input features, got 0.\n"
            "  layer   Linear(3 → 2)\n"
            "  input   (0, 0)   axis −1 = 0\n"
            "  try     give it 3 features",
        ),
        (
            nn.BatchNorm1d(8),
            (1, 8),
            "BatchNorm1d needs two values a feature or more to train on, got 1.\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (1, 8)\n"
            "  try     a batch of two or more (drop_last=True), or model.eval()",
        ),
        (
            nn.BatchNorm1d(8),
            (0, 8),
            "BatchNorm1d needs two values a feature or more to train on, got 0.\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (0, 8)\n"
            "  try     a batch of two or more (drop_last=True), or model.eval()",
        ),
        (
            nn.BatchNorm1d(8),
            (5, 7),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (5, 7).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (5, 7)   axis 1 = 7\n"
            "  try     BatchNorm1d(7)",
        ),
        (
            nn.BatchNorm1d(8),
            (8, 7),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (8, 7).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (8, 7)   axis 1 = 7\n"
            "  try     x.T (samples are rows, features are columns)",
        ),
        (
            nn.BatchNorm1d(8),
            (5, 20, 8),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (5, 20, 8).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (5, 20, 8)   axis 1 = 20\n"
            "  try     x.transpose(0, 2, 1) (features are axis 1)",
        ),
        (
            nn.BatchNorm1d(8),
            (5, 20, 9),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (5, 20, 9).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (5, 20, 9)   axis 1 = 20\n"
            "  try     BatchNorm1d(20)",
        ),
        (
            nn.BatchNorm1d(8),
            (8,),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (8,).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (8,)\n"
            "  try     x.reshape(1, -1) (one sample, evaluation)",
        ),
        (
            nn.BatchNorm1d(8),
            (2, 8, 3, 3),
            "BatchNorm1d expects (n, 8) or (n, 8, length), got (2, 8, 3, 3).\n"
            "  layer   BatchNorm1d(8)\n"
            "  input   (2, 8, 3, 3)   axis 1 = 8\n"
            "  try     put Flatten() before it",
        ),
        (
            nn.LayerNorm(5),
            (2, 4),
            "LayerNorm expects 5 in the last axis, got 4.\n"
            "  layer   LayerNorm(5)\n"
            "  input   (2, 4)\n"
            "  try     LayerNorm(4)",
        ),
        (
            nn.LayerNorm((4, 5)),
            (2, 4, 6),
            "LayerNorm expects (4, 5) in the last 2 axes, got (4, 6).\n"
            "  layer   LayerNorm(4, 5)\n"
            "  input   (2, 4, 6)\n"
            "  try     LayerNorm((4, 6))",
        ),
        (
            nn.LayerNorm((4, 5)),
            (5,),
            "LayerNorm expects (4, 5) in the last 2 axes, got (5,).\n"
            "  layer   LayerNorm(4, 5)\n"
            "  input   (5,)\n"
            "  try     an input of 2 axes or more",
        ),
        (
            nn.LayerNorm(5),
            (),
            "LayerNorm expects 5 in the last axis, got no axis.\n"
            "  layer   LayerNorm(5)\n"
            "  input   ()\n"
            "  try     an input of 1 axis or more",
        ),
        (
            nn.PReLU(3),
            (2, 4, 5),
            "PReLU expects 3 channels, got 4.\n"
            "  layer   PReLU(3)\n"
            "  input   (2, 4, 5)\n"
            "  try     PReLU(4), or PReLU() for one slope",
        ),
        (
            nn.PReLU(3),
            (2, 1),
            "PReLU expects 3 channels, got 1.\n  layer   PReLU(3)\n  input   (2, 1)\n  try     PReLU() for one slope",
        ),
        (
            nn.PReLU(3),
            (3,),
            "PReLU expects 3 channels, got no axis 1.\n"
            "  layer   PReLU(3)\n"
            "  input   (3,)\n"
            "  try     PReLU() for one slope",
        ),
        (
            nn.Residual(nn.Linear(4, 3)),
            (2, 4),
            "Residual adds f(x) to x, so f must keep the shape.\n"
            "  layer   Residual(…)\n"
            "  input   (2, 4)\n"
            "  result  (2, 3)\n"
            "  try     end f with Linear(3, 4), or make its last layer give 4 features",
        ),
        (
            nn.Residual(nn.Flatten()),
            (2, 4, 3),
            "Residual adds f(x) to x, so f must keep the shape.\n"
            "  layer   Residual(…)\n"
            "  input   (2, 4, 3)\n"
            "  result  (2, 12)\n"
            "  try     make f give (2, 4, 3)",
        ),
    ],
)
def test_inputs_that_do_not_fit_a_layer(layer, shape, text):
    with refuses(ShapeError, text):
        layer(inputs(*shape))


def test_the_layer_is_named_by_its_path():
    text = (
        "Linear expects 784 input features, got 785.\n"
        "  layer   mlp.0 = Linear(784 → 256)\n"
        "  input   (128, 785)   axis −1 = 785\n"
        "  try     Linear(785, 256), or drop one column (is an index column left in the data?)"
    )
    with refuses(ShapeError, text):
        Classifier()(inputs(128, 785))


def test_the_innermost_layer_is_named():
    model = nn.Sequential(nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(5))))
    text = (
        "LayerNorm expects 5 in the last axis, got 4.\n"
        "  layer   0.inner.1 = LayerNorm(5)\n"
        "  input   (2, 4)\n"
        "  try     LayerNorm(4)"
    )
    with refuses(ShapeError, text):
        model(inputs(2, 4))


def test_an_operation_in_a_models_own_forward():
    class Product(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(inputs(3, 2))

        def forward(self, x):
            return x @ self.w

    text = (
        "Matrix product of (5, 4) and (3, 2): the inner sizes 4 and 3 differ.\n"
        "  layer   0 = Product()\n"
        "  try     transpose one of them (x.T)"
    )
    with refuses(ShapeError, text) as caught:
        nn.Sequential(Product())(inputs(5, 4))
    lines = [frame.line for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "return x @ self.w" in lines  # the user's line is there


def test_the_traceback_ends_at_the_call():
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Residual(mlp(4, 4)), nn.Linear(3, 2))(inputs(2, 4))
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_the_traceback_ends_at_the_call", "__call__"]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_failed_call_leaves_the_next_one_alone():
    model = Classifier()
    with pytest.raises(ShapeError):
        model(inputs(1, 3))
    assert cr.graph(model(inputs(1, 784))).nodes[-1].path == "mlp.2"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (
            [["a", "b"]],
            "A tensor is made of numbers, this is list of dtype <U1.\n"
            "  layer   Linear(2 → 1)\n"
            "  entry   'a' at row 0, column 0\n"
            "  try     numbers in place of texts: one column for each category (pandas: get_dummies), or leave it out",
        ),
        (
            [[1.0, 2.0], [3.0]],
            "A tensor is made of numbers in rows of equal length.\n  layer   Linear(2 → 1)\n  cause   {cause}",
        ),
        (
            np.array([[None, 1]]),
            "A tensor is made of numbers, this is ndarray of dtype object.\n  layer   Linear(2 → 1)",
        ),
    ],
)
def test_inputs_that_are_no_numbers(x, text):
    with pytest.raises(DtypeError) as caught:
        nn.Linear(2, 1)(x)
    assert str(caught.value) == text.format(cause=caught.value.places.get("cause"))


def function_of_mine(x):
    return x


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: nn.Linear(0, 3),
            "Linear needs at least one input and one output, got Linear(0, 3).",
        ),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), function_of_mine),
            "Sequential is made of modules, entry 1 is the function function_of_mine.\n"
            "  try     the module of that name, as cr.nn.ReLU() for cr.relu",
        ),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), cr.relu),
            "Sequential is made of modules, entry 1 is the function relu.\n"
            "  try     the module of that name, as cr.nn.ReLU() for cr.relu",
        ),
        (
            lambda: nn.Sequential(act=nn.ReLU),
            "Sequential is made of modules, entry act is the class ReLU.\n  try     ReLU(...), an object of the class",
        ),
        (
            lambda: nn.Sequential([nn.Linear(2, 3), nn.ReLU()]),
            "Sequential is made of modules, entry 0 is a list.\n  try     cr.nn.Sequential(*layers)",
        ),
        (
            lambda: nn.Sequential(nn.ReLU(), None),
            "Sequential is made of modules, entry 1 is a NoneType.\n"
            "  try     cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.ReLU())",
        ),
        (
            lambda: nn.Sequential(nn.ReLU(), **{"0": nn.Tanh()}),
            "Sequential has two entries called '0'.",
        ),
        (
            lambda: nn.Sequential(forward=nn.ReLU()),
            "'forward' is a method of every module and cannot be the name of a part.\n"
            "  module  Sequential\n"
            "  try     forward_",
        ),
        (
            lambda: nn.Dropout(1.5),
            "Dropout takes a probability of dropping between 0 and 1, got 1.5.\n  try     Dropout(0.015)",
        ),
        (
            lambda: nn.Dropout(40),
            "Dropout takes a probability of dropping between 0 and 1, got 40.\n  try     Dropout(0.4)",
        ),
        (
            lambda: nn.Dropout(-0.1),
            "Dropout takes a probability of dropping between 0 and 1, got -0.1.\n  try     Dropout(0.5)",
        ),
        (
            lambda: nn.activation("rleu"),
            "There is no activation 'rleu'.\n"
            "  known   identity, step, step_strict, sign, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, "
            "gelu, gelu_tanh, silu, softplus, log_sigmoid, softmax, log_softmax",
        ),
        (
            lambda: nn.Linear(2, 3, init="kaiming"),
            "There is no initialiser 'kaiming'.\n"
            "  known   zeros, normal, lecun_normal, lecun_uniform, xavier_normal, xavier_uniform, he_normal, "
            "he_uniform, fan_in_uniform, orthogonal",
        ),
        (
            lambda: nn.Linear(2, 3, init=0.1),
            "An initialiser is a name or a function, got 0.1.\n  try     cr.nn.init.constant(0.1)",
        ),
        (lambda: nn.PReLU(0), "PReLU needs one slope or more, got 0."),
        (lambda: nn.BatchNorm1d(0), "BatchNorm1d needs one feature or more, got 0."),
        (lambda: nn.LayerNorm(()), "LayerNorm needs sizes of 1 or more, got ()."),
        (lambda: nn.LayerNorm((3, 0)), "LayerNorm needs sizes of 1 or more, got (3, 0)."),
        (
            lambda: nn.Flat([]),
            "There is nothing to optimise: no parameter was given.\n"
            "  try     a model whose attributes hold layers that learn (parameters() can be read through only once)",
        ),
    ],
)
def test_settings_that_do_not_fit(make, text):
    with refuses(OptionError, text):
        make()


def test_a_module_without_forward():
    class Empty(nn.Module):
        pass

    with refuses(NotImplementedError, "Empty has no forward method.\n  try     def forward(self, x): return ..."):
        Empty()(inputs(1))


def test_states_that_do_not_belong():
    model = mlp(2, 3, 1)
    state = model.state_dict()
    without = {name: a for name, a in state.items() if name != "2.bias"}
    with refuses(OptionError, "The state does not belong to this model.\n  missing 2.bias\n  unknown 3.bias"):
        model.load_state_dict({**without, "3.bias": state["2.bias"]})
    with refuses(OptionError, "The state does not belong to this model.\n  missing 2.bias\n  unknown nothing"):
        model.load_state_dict(without)
    with refuses(
        ShapeError,
        "0.bias has shape (3,) here and (4,) in the state.\n"
        "  try     a model of the sizes that the state was saved from",
    ):
        model.load_state_dict({**state, "0.bias": inputs(4)})
    with refuses(
        ShapeError,
        "0.weight has shape (3, 2) here and (2, 3) in the state.\n"
        '  try     state["0.weight"].T (weights are (outputs, inputs))',
    ):
        model.load_state_dict({**state, "0.weight": state["0.weight"].T})
    with refuses(DtypeError, "0.bias is made of numbers, the state has <U1."):
        model.load_state_dict({**state, "0.bias": np.array(["a", "b", "c"])})


def test_a_long_list_of_names_is_cut():
    model = nn.Sequential(*[nn.PReLU() for _ in range(9)])
    names = "0.weight, 1.weight, 2.weight, 3.weight, 4.weight, 5.weight and 3 more"
    with refuses(OptionError, f"The state does not belong to this model.\n  missing {names}\n  unknown nothing"):
        model.load_state_dict({})


def test_functional_call_with_a_name_that_is_not_there():
    with refuses(OptionError, "There is no parameter '0.wieght'.\n  known   0.weight, 0.bias, 2.weight, 2.bias"):
        nn.functional_call(mlp(2, 3, 1), {"0.wieght": inputs(3, 2)}, inputs(1, 2))


def test_parameters():
    with refuses(
        GradientError,
        "A parameter is made of floating-point numbers, this is int64.\n"
        "  try     floats (1.0 rather than 1), or Buffer for what is not learned",
    ):
        nn.Parameter([1, 2])
    p = nn.Parameter([1.0, 2.0])
    with refuses(ShapeError, "A parameter of shape (2,) cannot take values of shape (3,)."):
        p.assign(inputs(3))
    with refuses(ShapeError, "The gradient has shape (1,), the parameter (2,)."):
        p.grad = inputs(1)
    with refuses(DtypeError, "Parameters are floating-point numbers, they cannot be int64."):
        nn.Linear(1, 1).astype("int64")


def test_flat_buffers():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2).astype("float64")
    with refuses(
        DtypeError,
        "Parameters of one optimiser have one dtype, these have float32 and float64.\n"
        '  try     model.astype("float32")',
    ):
        nn.Flat([*a.parameters(), *b.parameters()])
    flat = nn.Flat(a.parameters())
    nn.Flat([a.weight])
    with refuses(
        GradientError,
        "These parameters were moved out of this buffer, by another optimiser or by astype.\n"
        "  try     make one optimiser over all of them, after astype",
    ):
        flat.runs()


def test_a_summary_names_the_layer():
    model = nn.Sequential(mlp(784, 256, 10), nn.Linear(11, 2))
    text = (
        "Linear expects 11 input features, got 10.\n"
        "  layer   1 = Linear(11 → 2)\n"
        "  input   (64, 10)   axis −1 = 10\n"
        "  try     Linear(10, 2)"
    )
    with refuses(ShapeError, text):
        nn.summary(model, (64, 784))

    class Looking(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    text = (
        "A summary works on shapes alone, and this model looks at numbers.\n"
        "  layer   1 = Looking()\n"
        "  try     leave out numpy(), item() and conditions on values, or summarise the layers one by one"
    )
    with refuses(DtypeError, text):
        nn.summary(nn.Sequential(nn.Linear(3, 2), Looking()), (1, 3))
    with refuses(ShapeError, "A shape has no negative sizes, got (-1, 784)."):
        nn.summary(model, (-1, 784))
