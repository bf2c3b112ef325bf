"""The walk-throughs of `chainrule explain`: 000 ch. 7 and 10, 002 exercises 1 and 3, 004 §3.6.4, step by step."""

import numpy as np
import pytest

from chainrule.glass.explanation.examples import EXAMPLES

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1

DEMONSTRATIONS = {
    "000-7.1": "change_at_0.1",
    "000-7.2": "change_at_0.5",
    "000-7.3b": "curve",
    "000-7.4": "norm_1",
    "000-7.5": "norm_2",
    "000-7.6": "penalty",
    "000-7.7": "penalised",
    "000-7.8": "penalised_slope",
    "000-7.10": "W_1",
    "000-7.12b": "velocity_2",
    "000-7.13": "W_2",
    "000-7.16": "mean",
    "000-7.14a": "deviations",
    "000-7.14": "variance",
    "000-7.14c": "root",
    "000-7.14r": "normed",
    "000-7.17": "dropped",
    "000-7.18": "z_dropped",
    "000-7.19": "z_tested",
}


@pytest.fixture(scope="module")
def walks():
    """Every example, told once."""
    return {name: make() for name, make in EXAMPLES.items()}


ROWS = [pytest.param(row_id, name, marks=pytest.mark.worked(row_id)) for row_id, name in DEMONSTRATIONS.items()]


@pytest.mark.parametrize(("row_id", "name"), ROWS)
def test_demonstrations(worked, walks, row_id, name):
    row = worked(row_id)
    row.check(np.reshape(walks["demonstrations"][name], row.right.shape))


@pytest.mark.worked("000-7.3", "000-7.14'", "000-7.13r")
def test_demonstrations_of_several_numbers(worked, walks):
    walk = walks["demonstrations"]
    worked("000-7.3").check(walk["curve"][[0, 1, 5]])
    worked("000-7.14'").check(walk["normed"][0])
    names = ("fc2.W.velocity.1", "fc2.W.new.1", "fc2.W.velocity.2", "fc2.W.new.2")
    worked("000-7.13r").check([walk[name].ravel() for name in names])


@pytest.mark.worked("000-10.fwd", "000-10.7", "000-10.hand")
def test_expression_graph(worked, walks):
    """The document's v₅ = y is v₄ under another name."""
    walk = walks["expression-graph"]
    worked("000-10.fwd").check([walk["v3"], walk["v4"], walk["v4"]])
    worked("000-10.7").check([walk[f"{v}.bar"] for v in ("v4", "v4", "v3", "v1", "v2")])
    worked("000-10.hand").check(walk["L.dot.x1"])
    assert (walk["L.dot.x1"], walk["L.dot.x2"]) == (walk["v1.bar"], walk["v2.bar"])


@pytest.mark.worked("000-10.12")
def test_softmax_backward(walks):
    walk = walks["expression-graph"]
    np.testing.assert_allclose(walk["z.bar"], walk["p"] - [0, 1, 0], rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(walk["z.bar"], [0.53218029, -0.67721634, 0.14503605], rtol=1e-7)
    p, p_bar = walk["p"], walk["p.bar"]
    np.testing.assert_allclose(walk["z.bar"], p * (p_bar - p_bar @ p), rtol=EXACT)
    np.testing.assert_allclose(walk["J"], np.diag(p) - np.outer(p, p), rtol=EXACT)


@pytest.mark.worked("002-Ex1a", "002-Ex1b", "002-Ex1c")
def test_xor(worked, walks):
    walk = walks["xor"]
    np.testing.assert_array_equal(walk["a.class_1"], walk["a.class_0"])
    worked("002-Ex1b").check(walk["b.fc2.z"][0])
    worked("002-Ex1c").check([walk["c1.fc2.z"][0], walk["c2.fc2.z"][0]])
    for part in ("b", "c1", "c2"):
        np.testing.assert_array_equal(walk[f"{part}.class"], [[0, 1, 1, 0]])


@pytest.mark.worked("002-Ex3")
@pytest.mark.parametrize("part", ["a", "b", "c", "c.b"])
def test_backpropagation(walks, part):
    """p₂ = x₂ − y or softmax(x₂) − y; the gradients are its products, summed over the data points."""
    walk = walks["backpropagation"]
    n = 2 if part.endswith("b") else 1
    X, Y = np.array([[1.0, 2.0], [-1.0, 0.5]])[:n].T, np.array([[0.0, 1.0], [1.0, 0.0]])[:n].T
    W1 = np.array([[0.6, -0.4, 0.2], [0.3, 0.5, -0.7]])
    x1, x2 = walk[f"{part}.act1.a"], walk[f"{part}.fc2.z"]
    output = np.exp(x2) / np.exp(x2).sum(axis=0) if part.startswith("c") else x2
    p2 = output - Y
    delta = (W1.T @ p2) * x1 * (1 - x1)
    for name, wanted in {
        "fc2.delta": p2,
        "fc2.dW": p2 @ x1.T,
        "fc2.db": p2.sum(axis=1, keepdims=True),
        "fc1.delta": delta,
        "fc1.dW": delta @ X.T,
        "fc1.db": delta.sum(axis=1, keepdims=True),
    }.items():
        np.testing.assert_allclose(walk[f"{part}.{name}"], wanted, rtol=1e-9, atol=EXACT, err_msg=name)


def test_dropout_of_a_layer(walks):
    """004 §3.6.4, Example 3: its numbers, and the mean over all masks."""
    walk = walks["dropout"]
    for name, wanted in {
        "training": [0.4, 0, 0.3, 0, 0.9],
        "testing": [0.24, 0.42, 0.18, 0.06, 0.54],
        "mean": [0.24, 0.42, 0.18, 0.06, 0.54],
        "inverted": [2 / 3, 0, 0.5, 0, 1.5],
    }.items():
        np.testing.assert_allclose(walk[name], wanted, rtol=EXACT, atol=EXACT, err_msg=name)
