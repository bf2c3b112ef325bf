"""The whole text of every error of the core and of the operations."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import (
    ChainruleError,
    DataError,
    DtypeError,
    GradientError,
    OptionError,
    ShapeError,
)
from chainrule.core import tree
from chainrule.core.families import elementwise
from chainrule.core.vocabulary import words

FIT = "  try     sizes must be equal or 1, counted from the right; x.reshape(...) adds axes of size 1"
TURN = "  try     transpose one of them (x.T)"
FINISHED = """\
A tensor of a finished transformation was used.
  cause   it was kept from inside the function given to grad, vjp or jvp
  try     return it from the function, or keep x.detach()"""
INTEGERS = """\
There is no derivative with respect to int64: only to floating-point numbers.
  try     x.astype("float32"), or leave it out of the arguments differentiated (argnums)"""


@pytest.fixture
def x():
    return cr.tensor(np.ones((2, 3)), requires_grad=True)


def text_of(kind, call, *args, **kwargs):
    """The message, of an error of exactly this class."""
    with pytest.raises(ChainruleError) as caught:
        call(*args, **kwargs)
    assert type(caught.value) is kind
    return str(caught.value)


SHAPES = {
    "add": (
        lambda x: x + np.ones((2, 4)),
        f"Shapes (2, 3) and (2, 4) do not fit together.\n  axis    -1 has sizes 3 and 4\n{FIT}",
    ),
    "where": (
        lambda x: cr.where(np.ones(4) > 0, x, 0.0),
        f"Shapes (4,) and (2, 3) do not fit together.\n  axis    -1 has sizes 4 and 3\n{FIT}",
    ),
    "broadcast_to": (
        lambda x: x.broadcast_to((3, 2)),
        f"Shapes (2, 3) and (3, 2) do not fit together.\n  axis    -2 has sizes 2 and 3\n{FIT}",
    ),
    "broadcast_to fewer": (lambda x: x.broadcast_to((3,)), "Shape (2, 3) cannot be repeated to (3,)."),
    "matmul": (
        lambda x: x @ np.ones((2, 3)),
        f"Matrix product of (2, 3) and (2, 3): the inner sizes 3 and 2 differ.\n{TURN}",
    ),
    "matmul vector": (
        lambda x: x @ np.ones(2),
        f"Matrix product of (2, 3) and (2,): the inner sizes 3 and 2 differ.\n{TURN}",
    ),
    "matmul batch": (
        lambda x: np.ones((2, 3, 4)) @ cr.tensor(np.ones((5, 4, 1))),
        f"Matrix product of (2, 3, 4) and (5, 4, 1): the leading axes (2,) and (5,) do not fit together.\n{FIT}",
    ),
    "matmul number": (
        lambda x: x @ np.array(2.0),
        "A matrix product needs axes; the shapes are (2, 3) and ().",
    ),
    "affine": (lambda x: cr.affine(x, np.ones((4, 5))), "Expected 5 input features, got 3."),
    "affine number": (
        lambda x: cr.affine(np.array(1.0), np.ones((4, 5))),
        "Expected 5 input features, got no axis.",
    ),
    "affine weight": (lambda x: cr.affine(x, np.ones(3)), "Expected a weight of shape (out, in), got (3,)."),
    "affine bias": (
        lambda x: cr.affine(x, np.ones((4, 3)), np.ones(1)),
        "Expected a bias of shape (4,), got (1,).",
    ),
    "reshape": (
        lambda x: x.reshape(4, 2),
        "6 entries of shape (2, 3) do not fill shape (4, 2).\n  try     x.reshape(-1, 2), which makes axis 0 3",
    ),
    "reshape, nothing comes out": (lambda x: x.reshape(4, 5), "6 entries of shape (2, 3) do not fill shape (4, 5)."),
    "reshape -1": (lambda x: x.reshape(4, -1), "6 entries of shape (2, 3) do not fill shape (4, -1)."),
    "reshape two": (lambda x: x.reshape(-1, -1), "6 entries of shape (2, 3) do not fill shape (-1, -1)."),
    "reshape negative": (
        lambda x: x.reshape(-2, -3),
        "6 entries of shape (2, 3) do not fill shape (-2, -3).",
    ),
    "primitive": (
        lambda x: cr.PRIMITIVES["reshape"](np.ones(3), shape=(2,)),
        "3 entries of shape (3,) do not fill shape (2,).\n  try     x.reshape(-1), which makes axis 0 3",
    ),
    "sum": (lambda x: x.sum(axis=2), "There is no axis 2 in shape (2, 3)."),
    "sum below": (lambda x: x.sum(axis=-3), "There is no axis -3 in shape (2, 3)."),
    "mean": (lambda x: x.mean(axis=(0, -2)), "An axis is named twice in (0, -2), of shape (2, 3)."),
    "softmax": (lambda x: x.softmax(axis=2), "There is no axis 2 in shape (2, 3)."),
    "softmax of nothing": (
        lambda x: cr.softmax(np.ones((2, 0))),
        "There are no entries along axis 1 of shape (2, 0).",
    ),
    "max of nothing": (
        lambda x: cr.max(np.ones((0, 3)), 0),
        "There is no largest or smallest of no entries: shape (0, 3), axes (0,).",
    ),
    "argmin of nothing": (
        lambda x: cr.argmin(np.ones(0)),
        "There is no largest or smallest of no entries: shape (0,), axes (0,).",
    ),
    "squeeze": (lambda x: x.squeeze(-1), "Axis 1 of shape (2, 3) has size 3, not 1."),
    "squeeze axis": (lambda x: x.squeeze(5), "There is no axis 5 in shape (2, 3)."),
    "expand_dims": (lambda x: x.expand_dims(4), "There is no axis 4 in shape (2, 3, 1)."),
    "flatten": (lambda x: x.flatten(2), "There is no axis 2 in shape (2, 3)."),
    "transpose": (lambda x: x.permute(0, 0), "(0, 0) is not an order of the 2 axes of shape (2, 3)."),
    "concatenate": (
        lambda x: cr.concatenate([x, np.ones((2, 4))]),
        "Shapes (2, 3) and (2, 4) differ outside axis 0, along which they are joined.",
    ),
    "concatenate axes": (
        lambda x: cr.concatenate([x, np.ones(3)]),
        "Shapes (2, 3) and (3,) differ outside axis 0, along which they are joined.",
    ),
    "concatenate axis": (lambda x: cr.concatenate([x, x], 2), "There is no axis 2 in shape (2, 3)."),
    "concatenate nothing": (lambda x: cr.concatenate([]), "There is nothing to join: the list is empty."),
    "stack": (
        lambda x: cr.stack([x, np.ones((3, 3))]),
        "Shapes (1, 2, 3) and (1, 3, 3) differ outside axis 0, along which they are joined.",
    ),
    "cotangent": (
        lambda x: (x * 2).backward(np.ones(3)),
        "The cotangent has shape (3,), the tensor (2, 3); they must be equal.",
    ),
    "cotangent of gradients": (
        lambda x: cr.gradients(x * 2, x, np.ones(3)),
        "The cotangent has shape (3,), the tensor (2, 3); they must be equal.",
    ),
    "cotangent of vjp": (
        lambda x: cr.vjp(cr.exp, np.ones(3))[1](np.ones(2)),
        "The cotangent has shape (2,), the tensor (3,); they must be equal.",
    ),
    "cotangent tree": (
        lambda x: cr.vjp(lambda x: (x, x), np.ones(3))[1](np.ones(3)),
        "Expected a tuple of 2, got one ndarray.",
    ),
    "tangent": (
        lambda x: cr.jvp(cr.sin, (np.ones(3),), (np.ones(2),)),
        "A tangent has shape (2,), its primal (3,).",
    ),
    "tangents": (lambda x: cr.jvp(cr.sin, (np.ones(3),), ()), "Expected a tuple of 1, got a tuple of 0."),
    "tangent tree": (
        lambda x: tree.leaves_as({"a": 1, "b": 2}, {"b": 1, "c": 2}),
        "Expected a dict with the keys 'a', 'b', got a dict with the keys 'b', 'c'.",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(x, name):
    call, text = SHAPES[name]
    assert text_of(ShapeError, call, x) == text


DTYPES = {
    "text": (
        lambda x: cr.tensor(["a"]),
        "A tensor is made of numbers, this is list of dtype <U1.\n"
        "  entry   'a' at row 0\n"
        "  try     numbers in place of texts: one column for each category (pandas: get_dummies), or leave it out",
    ),
    "objects": (
        lambda x: cr.tensor(np.array([None])),
        "A tensor is made of numbers, this is ndarray of dtype object.",
    ),
    "nothing": (lambda x: x + None, "A tensor is made of numbers, this is NoneType of dtype object."),
    "a word": (lambda x: x * "two", "A tensor is made of numbers, this is str of dtype <U3."),
    "a dict": (lambda x: cr.exp({}), "A tensor is made of numbers, this is dict of dtype object."),
    "labels": (lambda x: cr.one_hot([0.5], 3), "Labels are integers, these are float32."),
    "a list for a primitive": (
        lambda x: cr.PRIMITIVES["sum"]([1.0], axis=(0,)),
        "list is not an array that a backend knows.\n"
        "  known   numpy, torch, jax\n"
        "  try     cr.tensor(value), or numpy.asarray(value)",
    ),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(x, name):
    call, text = DTYPES[name]
    assert text_of(DtypeError, call, x) == text


@pytest.mark.parametrize("call", [cr.tensor, cr.exp, lambda rows: cr.tensor([1.0]) + rows])
def test_ragged_rows(call):
    """The cause is NumPy's own sentence, which its versions word differently."""
    rows = [[1, 2], [3]]
    with pytest.raises(ValueError, match="inhomogeneous") as numpys:
        np.array(rows)
    assert text_of(DtypeError, call, rows) == (
        f"A tensor is made of numbers in rows of equal length.\n  cause   {numpys.value}"
    )


GRADIENTS = {
    "not a scalar": (
        lambda x: (x * 2).backward(),
        "backward() starts from a scalar, this tensor has shape (2, 3).\n"
        "  try     y.sum().backward(), or give the cotangent: y.backward(gradient)",
    ),
    "no history": (
        lambda x: cr.tensor([1.0]).backward(),
        "This tensor has no history: no leaf below it requires a gradient.\n"
        "  tensor  shape (1,)\n"
        "  try     cr.tensor(..., requires_grad=True), or leave the no_grad block",
    ),
    "integers require": (
        lambda x: cr.tensor([1, 2], requires_grad=True),
        "A tensor of int64 cannot require a gradient: only floating-point numbers can.\n"
        '  try     x.astype("float32").requires_grad_()',
    ),
    "a leaf inside vmap": (
        lambda x: cr.vmap(lambda row: row.requires_grad_())(np.ones((2, 3))),
        "A tensor inside grad, vjp, jvp or vmap cannot be made a leaf of backward().\n  try     cr.grad(f)(x) there",
    ),
    "a leaf inside grad": (
        lambda x: cr.grad(lambda v: cr.sum(v.requires_grad_()))(1.0),
        "A tensor inside grad, vjp, jvp or vmap cannot be made a leaf of backward().\n  try     cr.grad(f)(x) there",
    ),
    "grad of integers": (lambda x: cr.grad(cr.sum)(np.ones(3, int)), INTEGERS),
    "jvp of integers": (lambda x: cr.jvp(cr.sum, (np.ones(3, int),), (np.ones(3),)), INTEGERS),
    "grad of an array": (
        lambda x: cr.grad(cr.exp)(np.ones(3)),
        "The gradient is of a scalar function, this one returned (3,).\n"
        "  try     return y.sum() or y.mean(), or use cr.vjp",
    ),
    "grad of nothing": (
        lambda x: cr.grad(lambda x: None)(np.ones(3)),
        "The gradient is of a scalar function, this one returned NoneType.\n"
        "  try     return y.sum() or y.mean(), or use cr.vjp",
    ),
    "gradients of a constant": (
        lambda x: cr.gradients(x.sum(), [x, cr.tensor(1.0)]),
        "Tensor 1 of those asked for has no history, so y cannot depend on it.\n"
        "  try     x.requires_grad_() before y is computed",
    ),
    "grad of a result set": (
        lambda x: setattr(x * 2, "grad", None),
        "Only a leaf tensor has a gradient to set.\n  try     x.requires_grad_()",
    ),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(x, name):
    call, text = GRADIENTS[name]
    assert text_of(GradientError, call, x) == text


def test_a_history_that_was_freed(x):
    y = (x * x).sum()
    line = y.node.source
    y.backward()
    kept = x.grad
    assert text_of(GradientError, y.backward) == (
        "The history of this tensor was freed by an earlier backward().\n"
        f"  node    sum at {line}\n"
        "  try     backward(retain_graph=True) the first time, or compute the loss again"
    )
    assert x.grad is kept
    assert line.startswith("test_core_errors.py:")


@pytest.mark.parametrize("transformation", ["grad", "jvp"])
def test_a_tensor_that_leaked_from_a_transformation(transformation):
    kept = []

    def f(x):
        kept.append(x)
        return x.sum()

    if transformation == "grad":
        cr.grad(f)(np.ones(2))
    else:
        cr.jvp(f, (np.ones(2),), (np.ones(2),))
    assert text_of(GradientError, lambda: kept[0] * 2) == FINISHED
    assert (kept[0].detach() * 2).tolist() == [2.0, 2.0]


def test_a_wrong_derivative_is_shown_rung_by_rung():
    text = text_of(GradientError, cr.check_gradients, lambda x: cr.stop_gradient(x) * x, np.array([1.0, 2.0]))
    assert text == (
        "A derivative is wrong.\n"
        "✓ order 1: adjoint identity        0.0e+00  (at most 1e-10)\n"
        "✗ order 1: forward difference      5.0e-01  (at most 1e-06)\n"
        "✗ order 1: reverse difference      5.0e-01  (at most 1e-06)"
    )


def test_labels_outside_the_classes():
    assert text_of(DataError, cr.one_hot, [0, 3], 3) == "Labels range from 0 to 3, the classes from 0 to 2."
    assert text_of(DataError, cr.one_hot, [-1], 3) == "Labels range from -1 to -1, the classes from 0 to 2."


@pytest.mark.parametrize("p", [1.5, -0.1])
def test_a_probability_of_dropping_outside_0_and_1(p):
    wanted = f"p is the probability of dropping an entry, between 0 and 1; it is {p}."
    assert text_of(OptionError, cr.dropout, np.ones(3), p) == wanted


def test_an_argument_that_is_not_there():
    wanted = "argnums=(0, 2) names an argument that the call, with 1, does not have."
    assert text_of(OptionError, cr.grad(cr.sum, argnums=(0, 2)), np.ones(3)) == wanted


@pytest.mark.parametrize(
    ("kind", "call", "text"),
    [
        (TypeError, lambda: len(cr.tensor(1.0)), "a tensor without axes has no length"),
        (IndexError, lambda: cr.tensor([1.0, 2.0])[5], "index 5 is out of bounds for axis 0 with size 2"),
        (AttributeError, lambda: words.nothing, "no operation is called 'nothing'"),
        (ValueError, lambda: words.define(cr.exp), "an operation called 'exp' exists already"),
        (ValueError, lambda: elementwise(cr.exp.kernel), "a primitive called 'exp' exists already"),
    ],
)
def test_built_in_errors(kind, call, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text


def test_every_error_is_of_the_built_in_kind_a_caller_expects(x):
    with pytest.raises(ValueError, match="do not fit together"):
        x + np.ones(4)
    with pytest.raises(TypeError, match="made of numbers"):
        cr.tensor("three")
    with pytest.raises(RuntimeError, match="scalar"):
        x.backward()


def test_an_error_leaves_no_transformation_behind():
    for transformation in (
        cr.grad(lambda x: x @ np.ones(5)),
        lambda x: cr.jvp(lambda x: x @ np.ones(5), (x,), (x,)),
    ):
        text_of(ShapeError, transformation, np.ones(3))
    assert cr.core.stack.traces == []
