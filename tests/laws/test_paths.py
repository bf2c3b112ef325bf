"""The sum over paths is the derivative, and every path can be looked at."""

import numpy as np
import pytest

import chainrule as cr

EQUAL = 1e-12  # the same products in another order


def leaf(*shape, seed=0):
    return cr.tensor(np.random.default_rng(seed).uniform(0.5, 1.5, shape), requires_grad=True)


GRAPHS = {
    "a product with itself": lambda x: cr.sum(x * x),
    "reuse": lambda x: cr.sum(cr.sin(x) * x + cr.exp(x) / x),
    "a matrix product": lambda x: cr.sum(cr.tanh(cr.reshape(x, 2, 2) @ cr.reshape(x, 2, 2).T)),
    "softmax": lambda x: cr.sum(cr.softmax(x) * np.arange(4.0)),
    "indexing and joining": lambda x: cr.sum(cr.concatenate([x[1:], x[:2] ** 2]) * x[np.array([0, 0, 1, 3, 2])]),
    "several results of one node": lambda x: (lambda a, b, c, d: a * b + c / d)(*cr.unstack(x)),
    "unrelated": lambda x: cr.sum(leaf(3)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_paths_agree_with_reverse_mode(name):
    x = leaf(4)
    y = GRAPHS[name](x)
    found = cr.path_sum(y, x)
    assert found.shape == (4,)
    np.testing.assert_allclose(found, cr.gradients(y, x), rtol=EQUAL, atol=EQUAL)


def test_the_jacobian_of_a_vector():
    x = leaf(2, 2)
    f = lambda m: cr.sum(m @ m, 0) * m[0, 0]  # noqa: E731
    np.testing.assert_allclose(cr.path_sum(f(x), x), cr.jacobian(f)(x.data), rtol=EQUAL)


def test_paths_to_something_in_between():
    x = leaf()
    middle = cr.sin(x)
    y = middle * middle + x
    np.testing.assert_allclose(cr.path_sum(y, middle), 2 * middle.data, rtol=EQUAL)
    assert cr.path_sum(x, x) == 1


def test_doubling_paths_are_refused_and_counted_without_a_walk():
    x = leaf()
    y = x
    for _ in range(40):
        y = y + y
    with pytest.raises(cr.GradientError) as caught:
        cr.path_sum(y, x)
    assert str(caught.value) == (
        f"There are {2**40} paths from x to y, more than 10000.\n"
        "  graph   41 nodes\n"
        "  try     cr.gradients(y, x), which takes every edge once; or most=..."
    )


def test_a_tensor_without_history():
    with pytest.raises(cr.GradientError) as caught:
        cr.path_sum(cr.tensor(1.0), leaf())
    assert str(caught.value) == "y has no history.\n  try     x.requires_grad_() before y is computed"
    x = leaf()
    y = x * x
    y.backward()
    with pytest.raises(cr.GradientError) as caught:
        cr.path_sum(y, x)
    assert str(caught.value).startswith(
        "The history of this tensor was freed by an earlier backward().\n  node    multiply"
    )
