"""What single neurons obey: the mistake bound, separability, least squares, invariance to scale."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.base.keys import Key
from chainrule.models.neurons import (
    Adaline,
    BatchAdaline,
    BatchPerceptron,
    ErrorDrivenHebb,
    LogicNetwork,
    McCullochPitts,
    Perceptron,
    is_linearly_separable,
    largest_stable_lr,
    margin,
    mistake_bound,
    separating_hyperplane,
    signed_distance,
)

CORNERS = np.array(list(product((0, 1), repeat=2)))
ROUNDING = 1e-9  # products of a few float64 numbers of size 1 to 100
AT_REST = 1e-6  # the rule stops when it moves by 1e-10 an epoch; slow directions are then this far off
MARGIN = 0.1  # drawn data keep this distance from the line that labels them, so that few epochs suffice


@st.composite
def separable(draw):
    """Points in the plane, labelled ±1 by a line that keeps its distance from all of them."""
    rng = (Key(draw(st.integers(0, 10_000))) / "separable").generator()
    points = rng.uniform(-1, 1, size=(draw(st.integers(1, 30)), 2))
    angle, b = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
    w = np.array([np.cos(angle), np.sin(angle)])
    scores = points @ w + b
    # Move each point away from the line, along w, by MARGIN.
    return points + MARGIN * np.sign(scores)[:, None] * w, np.sign(scores).astype(int), w, b


@given(separable(), st.sampled_from([0.01, 1.0, 7.0]), st.one_of(st.none(), st.integers(0, 99)))
@settings(deadline=None, max_examples=60)
def test_mistakes_stay_within_the_bound(task, lr, seed):
    x, t, w, b = task
    neuron = Perceptron(lr=lr, seed=seed, max_epochs=100_000).fit(x, t)
    assert neuron.converged_
    assert neuron.mistakes_ == len(neuron.history_) <= mistake_bound(x, t, w, b) * (1 + ROUNDING)
    np.testing.assert_array_equal(neuron.predict(x), t)
    assert len(set(t)) == 1 or margin(neuron.weight_, neuron.bias_, x, t) > 0


@given(separable())
@settings(deadline=None, max_examples=40)
def test_batch_rule_separates_too(task):
    x, t, _, _ = task
    neuron = BatchPerceptron(max_epochs=100_000).fit(x, t)
    assert neuron.converged_
    np.testing.assert_array_equal(neuron.predict(x), t)
    assert neuron.mistakes_ == sum(len(step.examples) for step in neuron.history_)


@given(separable(), st.floats(-6, 6))
@settings(deadline=None, max_examples=60)
def test_separable_data_are_found_separable_at_every_scale(task, exponent):
    x, t, _, _ = task
    scaled = x * np.array([10.0**exponent, 1.0]) + 3
    plane = separating_hyperplane(scaled, t)
    assert plane is not None
    assert (t * (scaled @ plane.weight + plane.bias) > 0).all()


@given(separable())
@settings(deadline=None, max_examples=30)
def test_a_point_of_both_classes_is_not_separable(task):
    x, t, _, _ = task
    assert not is_linearly_separable(np.vstack([x, x[:1]]), np.append(t, -t[0]))


def test_fourteen_of_sixteen_boolean_functions_are_separable():
    """Against brute force: every function that some small integer weights compute."""
    weights = product(range(-2, 3), range(-2, 3), np.arange(-2.5, 3))
    computed = {tuple((CORNERS @ [u, v] + b > 0).astype(int)) for u, v, b in weights}
    tables = list(product((0, 1), repeat=4))
    assert {table for table in tables if is_linearly_separable(CORNERS, table)} == computed
    assert len(computed) == 14
    assert set(tables) - computed == {(0, 1, 1, 0), (1, 0, 0, 1)}


@pytest.mark.parametrize("table", list(product((0, 1), repeat=4)), ids=str)
def test_every_boolean_function_is_a_logic_network(table):
    np.testing.assert_array_equal(LogicNetwork.from_truth_table(table)(CORNERS), table)


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
def test_gates_are_what_they_are_called(inputs):
    x = np.array(list(product((0, 1), repeat=inputs)))
    np.testing.assert_array_equal(McCullochPitts.and_gate(inputs)(x), x.all(axis=1))
    np.testing.assert_array_equal(McCullochPitts.or_gate(inputs)(x), x.any(axis=1))
    np.testing.assert_array_equal(McCullochPitts.nand_gate(inputs)(x), ~x.all(axis=1))
    np.testing.assert_array_equal(McCullochPitts.nor_gate(inputs)(x), ~x.any(axis=1))


def test_not_and_xor():
    np.testing.assert_array_equal(McCullochPitts.not_gate()([[0], [1]]), [1, 0])
    np.testing.assert_array_equal(LogicNetwork.xor()(CORNERS), [0, 1, 1, 0])
    assert LogicNetwork.xor()([1, 0]) == 1


@pytest.mark.parametrize("neuron", [Perceptron(), BatchPerceptron(), Adaline(), BatchAdaline()])
def test_both_label_codings_give_the_same_neuron(neuron):
    t = np.array([0, 1, 1, 1])
    bits = neuron.fit(CORNERS, t)
    weight, bias, answers = bits.weight_, bits.bias_, bits.predict(CORNERS)
    signs = neuron.fit(CORNERS, 2 * t - 1)
    np.testing.assert_array_equal([*weight, bias], [*signs.weight_, signs.bias_])
    np.testing.assert_array_equal(2 * answers - 1, signs.predict(CORNERS))


def test_signed_hebb_is_the_perceptron_once_scores_are_not_tied():
    x = (Key(3) / "x").generator().standard_normal((40, 3))
    t = np.where(x @ [1, -2, 0.5] > 0, 1, -1)
    t[0] = 1  # so that both rules take the first, tied, example for a mistake
    x[0] = abs(x[0]) * [1, -1, 1]
    hebb, rosenblatt = ErrorDrivenHebb(lr=1).fit(x, t), Perceptron(lr=1).fit(x, t)
    assert hebb.history_ == rosenblatt.history_
    np.testing.assert_array_equal(hebb.weight_, rosenblatt.weight_)


def test_the_shuffled_order_is_a_function_of_the_seed():
    x = (Key(5) / "x").generator().standard_normal((50, 2))
    t = (x @ [1, 1] + 0.3 > 0).astype(int)
    first, again, other = (Perceptron(seed=seed).fit(x, t) for seed in (1, 1, 2))
    assert first.history_ == again.history_ != other.history_


def test_learning_can_be_watched():
    """`learn` yields after each change, with the weights of that moment."""
    neuron = Perceptron()
    scores = []
    for step in neuron.learn(CORNERS, [0, 0, 0, 1]):
        scores.append((step.examples, neuron.weight_.tolist(), neuron.bias_))
    assert scores[:2] == [((0,), [0.0, 0.0], -1.0), ((3,), [1.0, 1.0], 0.0)]
    assert len(scores) == neuron.mistakes_


def noisy_task():
    x = (Key(7) / "x").generator().standard_normal((60, 3))
    noise = (Key(7) / "noise").generator().standard_normal(60)
    return x, np.where(x @ [1, -1, 0.5] + 0.2 + noise > 0, 1, -1)


def least_squares(x, t):
    return np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), t, rcond=None)[0]


def test_batch_adaline_reaches_least_squares():
    x, t = noisy_task()
    neuron = BatchAdaline(lr=0.3).fit(x, t)
    assert neuron.converged_
    np.testing.assert_allclose([*neuron.weight_, neuron.bias_], least_squares(x, t), atol=AT_REST)


def test_adaline_ends_within_order_lr_of_least_squares():
    x, t = noisy_task()
    distances = []
    for lr in (0.002, 0.0002):
        neuron = Adaline(lr=lr, max_epochs=3000, tol=1e-10).fit(x, t)
        distances.append(np.linalg.norm([*neuron.weight_, neuron.bias_] - least_squares(x, t)))
    # The distance is a lr + O(lr²): ten times smaller steps bring it about ten times nearer.
    assert distances[0] / distances[1] == pytest.approx(10, rel=0.1)


def test_adaline_reaches_least_squares_where_all_errors_can_vanish():
    x, t = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1, -1, 1]
    neuron = Adaline(lr=0.1, max_epochs=20_000).fit(x, t)
    np.testing.assert_allclose(neuron.decision_function(x), t, atol=AT_REST)


def test_the_mean_squared_error_falls_below_the_stable_lr_and_rises_above_it():
    x, t = noisy_task()
    limit = largest_stable_lr(x)
    below = [step.mse for step in BatchAdaline(lr=0.99 * limit, max_epochs=200).fit(x, t).history_]
    above = [step.mse for step in BatchAdaline(lr=1.05 * limit, max_epochs=200).fit(x, t).history_]
    assert all(later <= earlier * (1 + ROUNDING) for earlier, later in pairwise(below))
    assert above[-1] > above[0]


@given(separable(), st.floats(0.01, 100))
@settings(deadline=None, max_examples=40)
def test_geometry_ignores_the_scale_of_the_weights(task, alpha):
    x, t, w, b = task
    np.testing.assert_allclose(signed_distance(alpha * w, alpha * b, x), signed_distance(w, b, x), atol=ROUNDING)
    assert margin(w, b, x, t) >= MARGIN - ROUNDING
    assert mistake_bound(x, t, alpha * w, alpha * b) == pytest.approx(mistake_bound(x, t, w, b))
