"""Indexing means what NumPy means, its arrays are arguments, and writing at places obeys its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import integer_array_indices

import chainrule as cr

X = np.random.default_rng(0).standard_normal((4, 3, 5))
ROWS, COLUMNS = np.array([0, 3, 0, -1]), np.array([2, 1, 1, 0])
EQUAL = 1e-14  # the same sums, in another order

KEYS = {
    "a row": 1,
    "a numpy integer": np.int32(-1),
    "slices": (slice(None, None, -2), slice(1, None)),
    "dots": (..., 2),
    "a new axis": (None, 1, ..., None),
    "rows": ROWS,
    "a list": [0, 2],
    "an empty list": [],
    "an empty slice": slice(0, 0),
    "pairs": (ROWS, COLUMNS[:4] % 3),
    "a table": np.array([[0, 1], [3, 3]]),
    "one row by a column of rows": (ROWS[:, None], np.array([0, 1])),
    "arrays behind a slice": (slice(1, 3), np.array([0, 2]), np.array([4, 4])),
    "arrays apart": (ROWS, slice(None), COLUMNS),
    "a number and an array apart": (1, slice(None), COLUMNS),
    "an array and a number apart": (ROWS, slice(None), 2),
    "an array and a number together": (slice(None), np.array([0, 2]), 2),
    "arrays about a new axis": (ROWS, None, COLUMNS % 3),
    "a new axis in front": (None, ROWS),
    "dots and an array": (..., COLUMNS),
    "arrays about dots": (ROWS, ..., COLUMNS),
    "a mask": X > 0,
    "a mask of rows": np.array([True, False, True, True]),
    "a list of truths": [True, False, True, False],
    "a mask and a slice": (slice(2), np.array([True, False, True])),
    "a mask and an array": (np.array([True, False, True, False]), np.array([1, 2])),
    "one place, as an array": np.array(2),
    "unsigned": np.array([1, 2], np.uint8),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_means_what_numpy_means(name):
    key = KEYS[name]
    np.testing.assert_array_equal(cr.index(X, key), X[key], strict=True)
    x = cr.tensor(X, requires_grad=True)
    y = x[key]
    np.testing.assert_array_equal(y.data, X[key], strict=True)
    bar = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(bar)
    wanted = np.zeros_like(X)
    np.add.at(wanted, key, bar)
    np.testing.assert_allclose(x.grad, wanted, rtol=EQUAL, atol=EQUAL)


@given(integer_array_indices(shape=(3, 3, 3)), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_drawn_arrays(key, gap):
    x = X[:3, :, :3]
    np.testing.assert_array_equal(cr.index(x, key), x[key])
    parts = list(key)[:2]
    parts.insert(min(gap, len(parts)), slice(None))
    np.testing.assert_array_equal(cr.index(x, tuple(parts)), x[tuple(parts)])


def test_index_tensors_are_arguments_of_the_graph():
    """They are no settings: a recorded computation can be run with others."""
    x = cr.tensor(X, requires_grad=True)
    y = x[cr.tensor(ROWS)]
    node = next(n for n in cr.graph(y) if n.name == "take_at")
    assert not node.params
    np.testing.assert_array_equal(node.args[1], ROWS)


@pytest.mark.parametrize("mapped", [(0, 0), (None, 0), (0, None)])
def test_index_arrays_may_differ_between_examples(mapped):
    x = np.random.default_rng(2).standard_normal((6, 4, 3)) if mapped[0] == 0 else X[..., :3]
    rows = np.random.default_rng(3).integers(0, 3, (6, 2)) if mapped[1] == 0 else np.array([2, 0])
    slope = cr.grad(lambda x, rows: cr.sum(cr.sin(x[..., rows])) * cr.sum(x[rows][0]))
    for f in (cr.index, lambda x, rows: cr.index(x, (slice(None), rows)), slope):
        got = cr.vmap(f, in_axes=mapped)(x, rows)
        for k in range(6):
            one = f(cr.tensor(x[k] if mapped[0] == 0 else x), cr.tensor(rows[k] if mapped[1] == 0 else rows))
            np.testing.assert_allclose(got[k], one, rtol=EQUAL, atol=EQUAL)


def test_order_under_vmap():
    x = np.random.default_rng(4).standard_normal((5, 7))
    np.testing.assert_array_equal(cr.vmap(cr.argmax)(x), x.argmax(1))
    np.testing.assert_array_equal(cr.vmap(cr.sort)(x), np.sort(x, 1))
    np.testing.assert_array_equal(cr.vmap(lambda v: cr.top_k(v, 2)[0])(x), -np.sort(-x, 1)[:, :2])
    slopes = cr.vmap(cr.grad(lambda v: cr.sum(cr.sort(v) * np.arange(7.0))))(x)
    np.testing.assert_array_equal(slopes, x.argsort(1).argsort(1))


def test_order_of_shapes_alone():
    x = cr.Tensor(cr.Spec((4, 3), np.dtype(np.float32)))
    for y, shape, dtype in (
        (cr.argmax(x, 1), (4,), np.int64),
        (cr.argmin(x), (), np.int64),
        (cr.top_k(x, 2)[0], (4, 2), np.float32),
        (cr.sort(x), (4, 3), np.float32),
        (x[np.array([0, 1, 1])], (3, 3), np.float32),
    ):
        assert (y.shape, y.dtype) == (shape, dtype)


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in KEYS if n not in ("a new axis", "a new axis in front")])
def test_values_put_at_a_key(name):
    key = KEYS[name]
    values = np.random.default_rng(5).standard_normal(X[key].shape)
    wanted, added = X.copy(), X.copy()
    wanted[key] = values
    np.add.at(added, key, values)
    np.testing.assert_array_equal(cr.index_put(X, key, values), wanted)
    np.testing.assert_allclose(cr.index_put(X, key, values, accumulate=True), added, rtol=EQUAL, atol=EQUAL)


def test_the_last_value_for_a_place_counts_and_has_the_derivative():
    key, values = np.array([1, 0, 1]), np.array([10.0, 20.0, 30.0])
    x = np.array([1.0, 2.0, 3.0])
    put = lambda x, v: cr.sum(cr.index_put(x, key, v) * np.array([1.0, 2.0, 3.0]))  # noqa: E731
    np.testing.assert_array_equal(cr.index_put(x, key, values), [20, 30, 3])
    of_x, of_values = cr.grad(put, argnums=(0, 1))(x, values)
    np.testing.assert_array_equal(of_x, [0, 0, 3])
    np.testing.assert_array_equal(of_values, [0, 1, 2])
    assert cr.check_gradients(lambda x, v: cr.sin(cr.index_put(x, key, v)), x, values, order=2)


def test_a_number_may_be_written():
    np.testing.assert_array_equal(cr.index_put(np.zeros((2, 2)), (slice(None), 0), 5), [[5, 0], [5, 0]])
    np.testing.assert_array_equal(cr.scatter(np.zeros((2, 2)), 1, np.array([[1], [0]]), 7), [[0, 7], [7, 0]])
    np.testing.assert_array_equal(cr.scatter_add(np.zeros(2), 0, np.array([1, 1]), 7), [0, 14])
    np.testing.assert_array_equal(cr.masked_fill(np.ones(2), np.array([True, False]), 7), [7, 1])


def test_scattering_each_example():
    x, index = np.zeros((3, 4)), np.array([[0, 0], [3, 1], [2, 2]])
    got = cr.vmap(lambda x, i: cr.scatter_add(x, 0, i, np.array([1.0, 2.0])))(x, index)
    np.testing.assert_array_equal(got, [[3, 0, 0, 0], [0, 2, 0, 1], [0, 0, 3, 0]])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: cr.index(X, np.array([0.5])),
            cr.DtypeError,
            "An index is made of integers or booleans, this one is float64.\n  try     index.astype(int)",
        ),
        (
            lambda: cr.index(X, True),
            cr.DtypeError,
            "One truth value is no index: True.\n  try     x[None] for a new axis",
        ),
        (
            lambda: cr.gather(X, 0, np.zeros((4, 4, 5), int)),
            cr.ShapeError,
            "An index of shape (4, 4, 5) does not fit into shape (4, 3, 5) off axis 0.",
        ),
        (
            lambda: cr.masked_fill(X, np.zeros(5), 0),
            cr.DtypeError,
            "A mask is made of booleans, this one is float64.\n  try     mask != 0, or mask.astype(bool)",
        ),
        (
            lambda: cr.top_k(X, 9, 0),
            cr.OptionError,
            "There are 4 entries along axis 0 of shape (4, 3, 5), not 9.",
        ),
        (
            lambda: cr.index(X, (0, 0, 0, np.array([0]))),
            IndexError,
            "too many indices: the tensor has 3 axes, but 4 were indexed",
        ),
        (
            lambda: cr.tensor(X, requires_grad=True)[np.array([4])],
            IndexError,
            "index 4 is out of bounds for axis 0 with size 4",
        ),
        (
            lambda: cr.index_add(X, 0, np.array([4]), np.ones((1, 3, 5))),
            IndexError,
            "index 4 is out of bounds for axis 0 with size 4",
        ),
    ],
)
def test_mistakes_are_named(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text
