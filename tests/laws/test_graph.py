"""The graph as data, and what it shows: broadcasting and changes of dtype are nodes of their own."""

import inspect

import numpy as np
import pytest

import chainrule as cr


def leaf(*shape, dtype=np.float32):
    return cr.tensor(np.linspace(0.5, 1.5, int(np.prod(shape)), dtype=dtype).reshape(shape), requires_grad=True)


def names(y):
    return [node.name for node in cr.graph(y)]


def test_broadcasting_is_a_node():
    assert names(leaf(4, 3) + leaf(3)) == ["leaf", "leaf", "broadcast_to", "add"]


def test_both_operands_may_be_repeated():
    y = leaf(4, 1) * leaf(3)
    assert names(y) == ["leaf", "leaf", "broadcast_to", "broadcast_to", "multiply"]
    assert y.shape == (4, 3)


def test_equal_shapes_need_no_node():
    assert names(leaf(3) + leaf(3)) == ["leaf", "leaf", "add"]
    assert names(leaf(3) * 2) == ["leaf", "multiply"]


def test_a_change_of_dtype_is_a_node():
    y = leaf(3) + leaf(3, dtype=np.float64)
    assert names(y) == ["leaf", "leaf", "astype", "add"]
    y.sum().backward()
    assert y.dtype == np.float64


def test_gradients_have_the_dtype_and_shape_of_their_leaf():
    a, b = leaf(4, 3), leaf(3, dtype=np.float64)
    (a * b).sum().backward()
    assert (a.grad.shape, a.grad.dtype) == ((4, 3), np.float32)
    assert (b.grad.shape, b.grad.dtype) == ((3,), np.float64)


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x + 1, lambda x: 1.5 + x, lambda x: x - 0.1, lambda x: 2 - x, lambda x: x * 3.0,
        lambda x: 3 * x,
        lambda x: x / 7, lambda x: 1 / x, lambda x: x**2, lambda x: x**0.5, lambda x: 2**x, lambda x: -x, abs,
        lambda x: cr.maximum(x, 0), lambda x: cr.where(x > 1, x, 0.0), lambda x: x.clip(0.6, 1.2),
        lambda x: x * np.float64(2), lambda x: np.float64(2) * x, lambda x: x + True,
        lambda x: x.mean() * 0.5,
        lambda x: x * np.arange(3), lambda x: x / np.int64(3),
    ],
)  # fmt: skip
def test_python_numbers_and_integers_keep_float32(operation):
    x = leaf(3)
    y = operation(x)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_float64_stays_float64_without_axes_too():
    """NumPy's float64 scalars are Python floats, but say their width."""
    x = np.array([0.1, 0.2])
    assert cr.divide(cr.sum(x), cr.mean(x)).dtype == np.float64
    assert cr.add(np.float64(0.1), 1).dtype == np.float64
    assert (cr.tensor(x).sum() / 3).dtype == np.float64


def test_integers_and_booleans():
    n = cr.tensor([1, 2, 3])
    assert (n + 1).dtype == np.int64
    assert (n * n).dtype == np.int64
    assert (n**2).dtype == np.int64
    assert (n / 2).dtype == np.float32
    assert (n + 0.5).dtype == np.float32
    assert cr.exp(n).dtype == np.float32
    assert (n > 1).dtype == np.bool_
    assert (n > 1).sum().dtype == np.int64
    assert ((n > 1) * 2.0).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_numpy_on_the_left_defers(dtype):
    a = np.array([[1, 2], [3, 4]], dtype)
    x = cr.tensor([[1.0, 2.0], [3.0, 5.0]])
    for result, wanted in [
        (a + x, a + x.numpy()), (a - x, a - x.numpy()), (a * x, a * x.numpy()), (a / x, a / x.numpy()),
        (a @ x, a @ x.numpy()), (a**x, a ** x.numpy()), (2 - x, 2 - x.numpy()), (a < x, a < x.numpy()),
        (a == x, a == x.numpy()),
    ]:  # fmt: skip
        assert isinstance(result, cr.Tensor)
        np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-6)  # float32 carries seven digits


def test_comparison_with_none_is_no_operation():
    x = cr.tensor([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711


# --- the graph as data ----------------------------------------------------------------------------


def test_edges_name_parents_by_position():
    x, w = leaf(2, 3), leaf(4, 3)
    y = cr.tanh(x @ w.T)
    graph = cr.graph(y)
    assert [n.name for n in graph] == ["leaf", "leaf", "permute", "matmul", "tanh"]
    assert graph.edges == [(1, 2), (0, 3), (2, 3), (3, 4)]
    assert [n.shape for n in graph] == [(2, 3), (4, 3), (3, 4), (2, 4), (2, 4)]
    assert len(graph) == 5


def test_a_value_used_twice_gives_two_edges():
    x = leaf(2)
    assert cr.graph(x * x).edges == [(0, 1), (0, 1)]


def test_the_graph_of_several_results_holds_their_common_past_once():
    x = leaf(2)
    h = cr.exp(x)
    assert [n.name for n in cr.graph(h * 2, h + 1)] == ["leaf", "exp", "multiply", "add"]


def test_the_source_is_the_line_that_asked():
    x = leaf(3)
    line = inspect.currentframe().f_lineno + 1
    y = cr.logsumexp(x * x)
    sources = {node.source for node in cr.graph(y) if node.name != "leaf"}
    assert sources == {f"test_graph.py:{line}"}


def test_a_file_beside_the_package_is_not_taken_for_it():
    """The package is known by its folder, not by how its path begins."""
    namespace = {"cr": cr, "x": leaf(2)}
    neighbour = cr.__path__[0] + "_lecture.py"
    exec(compile("y = x * x", neighbour, "exec"), namespace)
    assert cr.graph(namespace["y"]).nodes[-1].source == "chainrule_lecture.py:1"


def test_nodes_know_their_module():
    from chainrule.nn import Linear, Sequential

    y = Sequential(Linear(3, 2))(leaf(4, 3))
    assert "0" in {node.path.split(".")[-1] for node in cr.graph(y) if node.name != "leaf"}


def test_settings_and_values_stand_in_the_node():
    x = leaf(2, 3)
    node = cr.graph(x.sum(axis=1)).nodes[-1]
    assert node.params == {"axis": (1,)}
    np.testing.assert_array_equal(node.value, x.numpy().sum(axis=1))
    assert repr(node).startswith("<sum (2,) at test_graph.py:")


def test_a_constant_has_no_node():
    assert len(cr.graph(cr.tensor([1.0]) * 2)) == 0
    assert str(cr.graph(cr.tensor([1.0]))) == ""


def test_the_graph_can_be_printed_after_it_was_freed():
    x = leaf(2)
    y = (x * x).sum()
    y.backward()
    assert cr.graph(y).table(sources=False) == "0  sum  ()"


def test_a_long_chain_is_no_problem():
    x = cr.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    assert len(cr.graph(y)) == 1
    del y
