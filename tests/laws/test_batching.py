"""vmap: derivatives of many calls at once are what a loop over the calls gives; where batch axes may lie."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from tests.laws.domains import CASES
from tests.laws.entries import by_label

EQUAL = 1e-13  # the same sums in another order
SIZE = 3


def drawn(case, flags):
    """Arguments of SIZE calls: one after the other along axis 0 where flagged, the same for all elsewhere."""
    rounds = [case.draw(seed=k) for k in range(SIZE)]
    return [np.stack([r[i] for r in rounds]) if f else rounds[0][i] for i, f in enumerate(flags)]


def one(args, flags, k):
    return [a[k] if f else a for a, f in zip(args, flags, strict=True)]


@pytest.mark.parametrize(**by_label([c for c in CASES if c.primitive.is_differentiable and c.active]))
def test_derivatives_of_many_calls_equal_a_loop(case):
    flags = (True,) * len(case.shapes)
    args = drawn(case, flags)

    def slopes(*xs):
        f, point = case.function(xs)
        total = lambda *v: sum(cr.sum(cr.sin(y)) for y in f(*v))  # noqa: E731 - a curved function of the results
        return cr.grad(total, argnums=tuple(range(len(point))))(*point)

    got = cr.vmap(slopes)(*args)
    for k in range(SIZE):
        for g, w in zip(got, slopes(*map(cr.tensor, one(args, flags, k))), strict=True):
            np.testing.assert_allclose(np.asarray(g)[k], w, rtol=EQUAL, atol=EQUAL)


def test_axes_may_lie_anywhere():
    x = np.arange(24.0).reshape(2, 3, 4)
    got = cr.vmap(lambda v: v * 2, in_axes=1, out_axes=2)(x)
    np.testing.assert_array_equal(got, np.moveaxis(x * 2, 1, 2))


def test_vmap_nests():
    a, b = np.random.default_rng(0).standard_normal((2, 3, 4))
    table = cr.vmap(lambda x: cr.vmap(lambda y: cr.dot(x, y))(b))(a)
    np.testing.assert_allclose(table, a @ b.T, rtol=EQUAL)


def test_no_grad_inside_keeps_the_examples_apart():
    def f(x):
        with cr.no_grad():
            return cr.tanh(x) * 2

    x = np.arange(3.0)
    np.testing.assert_allclose(cr.vmap(f)(x), 2 * np.tanh(x), rtol=EQUAL)
    np.testing.assert_array_equal(cr.vmap(cr.grad(lambda v: f(v) * v))(x), 2 * np.tanh(x))


def model_and_data():
    model = cr.models.MLP(4, 5, 3, activation="tanh").astype("float64")
    draw = np.random.default_rng(1)
    return model, draw.standard_normal((6, 4)), draw.integers(0, 3, 6)


def test_gradients_example_by_example():
    model, x, y = model_and_data()

    def loss(w, x, y):
        z = cr.nn.functional_call(model, w, x.reshape(1, -1))
        return cr.losses.cross_entropy(z, y.reshape(1))

    w = dict(model.named_parameters())
    each = cr.vmap(cr.grad(loss), in_axes=(None, 0, 0))(w, x, y)
    for k in range(len(x)):
        alone = cr.grad(loss)(w, cr.tensor(x[k]), cr.tensor(y[k]))
        for name in w:
            np.testing.assert_allclose(each[name][k], alone[name], rtol=EQUAL, atol=EQUAL)


def test_the_hessian_by_all_four_nestings():
    f = lambda x: cr.sum(cr.tanh(x) * x[0]) + cr.sum(x) ** 3  # noqa: E731
    x = np.array([0.3, -0.2, 0.5])
    modes = itertools.product(["forward", "reverse"], repeat=2)
    hessians = [cr.jacobian(cr.jacobian(f, mode=inner), mode=outer)(x) for outer, inner in modes]
    for h in hessians:
        np.testing.assert_allclose(h, cr.hessian(f)(x), rtol=1e-10)
    np.testing.assert_allclose(cr.hvp(f, x, np.ones(3)), hessians[0].sum(1), rtol=1e-10)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians_of_matrices(mode):
    a = np.random.default_rng(2).standard_normal((2, 3))
    j = cr.jacobian(lambda m: m @ m.T, mode=mode)(a)
    assert j.shape == (2, 2, 2, 3)
    dot = np.random.default_rng(3).standard_normal((2, 3))
    np.testing.assert_allclose(np.tensordot(j, dot), dot @ a.T + a @ dot.T, rtol=EQUAL, atol=EQUAL)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: cr.vmap(cr.add)(np.ones(2), np.ones(3)),
            "The arguments of vmap have different numbers of examples: [2, 3].",
        ),
        (
            lambda: cr.vmap(cr.sin, in_axes=(None,))(np.ones(2)),
            "vmap maps over no argument.\n  try     in_axes=0 for at least one",
        ),
        (
            lambda: cr.vmap(cr.add, in_axes=(0,))(np.ones(2), np.ones(2)),
            "in_axes names 1 arguments, the call has 2.",
        ),
        (
            lambda: cr.vmap(lambda x: x if x > 0 else -x)(np.ones(2)),
            "A number was asked of a tensor that has one value for each example of vmap.\n"
            "  shape   () in each of 2 examples\n"
            "  try     cr.where(condition, a, b) in place of if; return the tensor from the function",
        ),
        (
            lambda: cr.jacobian(cr.sin, mode="sideways")(1.0),
            "There is no mode 'sideways'.\n  known   auto, forward, reverse",
        ),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.ChainruleError) as caught:
        call()
    assert str(caught.value) == text
