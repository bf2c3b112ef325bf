"""Worked numbers of 004 §2.2.2-2.2.5 and §2.6, and of 000 chapter 2, errors put right."""

import numpy as np
import pytest

from chainrule.models.neurons import (
    ErrorDrivenHebb,
    McCullochPitts,
    Perceptron,
    is_linearly_separable,
    mistake_bound,
    signed_distance,
)

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = {
    "AND": [0, 0, 0, 1],
    "OR": [0, 1, 1, 1],
    "NAND": [1, 1, 1, 0],
    "NOR": [1, 0, 0, 0],
    "XOR": [0, 1, 1, 0],
    "XNOR": [1, 0, 0, 1],
}
ROUNDING = 1e-12  # a handful of float64 additions of 0.1


@pytest.mark.parametrize(
    ("w", "b", "scores", "gate"),
    [
        ((1, 1), -0.5, [-0.5, 0.5, 0.5, 1.5], "OR"),
        ((1, 1), -1.5, [-1.5, -0.5, -0.5, 0.5], "AND"),
        ((1.5, 1.5), -2.0, [-2.0, -0.5, -0.5, 1.0], "AND"),
    ],
)
def test_given_weights_are_gates(w, b, scores, gate):
    """§2.2.2: the activations printed, and the unit that fires where they are positive."""
    np.testing.assert_array_equal(CORNERS @ w + b, scores)
    np.testing.assert_array_equal(McCullochPitts(w, -b)(CORNERS), TARGETS[gate])


def test_the_gates_have_the_printed_thresholds():
    assert McCullochPitts.and_gate() == McCullochPitts((1, 1), 1.5)
    assert McCullochPitts.or_gate() == McCullochPitts((1, 1), 0.5)


def test_hebb_example_3_with_the_step_its_trace_uses():
    """§2.2.3, E02: right with [z > 0]; E03: the second epoch changes nothing."""
    neuron = ErrorDrivenHebb(lr=0.1, bias=False)
    trace = [(*step, neuron.weight_.tolist()) for step in neuron.learn(CORNERS, TARGETS["OR"])]
    assert trace == [(1, (1,), [0.0, 0.1]), (1, (2,), [0.1, 0.1])]
    assert (neuron.converged_, neuron.epochs_, neuron.bias_) == (True, 2, 0.0)
    np.testing.assert_array_equal(neuron.predict(CORNERS), TARGETS["OR"])


def test_hebb_with_targets_0_1_and_a_bias_fails_on_or():
    """E04: a target of 0 can lower nothing; (0, 0) stays wrong."""
    neuron = ErrorDrivenHebb(lr=0.1).fit(CORNERS, TARGETS["OR"])
    np.testing.assert_allclose([*neuron.weight_, neuron.bias_], [0, 0.1, 0.1], atol=ROUNDING)
    np.testing.assert_array_equal(neuron.predict(CORNERS), [1, 1, 1, 1])
    assert not neuron.converged_


def test_hebb_with_targets_0_1_and_a_bias_fails_on_and():
    neuron = ErrorDrivenHebb(lr=0.1).fit(CORNERS, TARGETS["AND"])
    assert not neuron.converged_


def test_hebb_with_signed_targets_learns_and():
    """E04: w = (0.2, 0.1), b = -0.2 at η = 0.1."""
    signs = 2 * np.array(TARGETS["AND"]) - 1
    neuron = ErrorDrivenHebb(lr=0.1).fit(CORNERS, signs)
    np.testing.assert_allclose([*neuron.weight_, neuron.bias_], [0.2, 0.1, -0.2], atol=ROUNDING)
    np.testing.assert_array_equal(neuron.predict(CORNERS), signs)
    assert neuron.converged_


def test_hebb_changes_weights_of_negative_inputs():
    """E05: an input below zero does change its weight, downwards for a positive target."""
    neuron = ErrorDrivenHebb(lr=0.1).fit([[-1.0], [1.0]], [1, -1])
    assert neuron.weight_.tolist() == [-0.1]


@pytest.mark.parametrize(("b", "corner"), [(-1.2, (0, 1.2)), (-1.2, (1.2, 0)), (0.0, (1, -1))])
def test_the_bias_shifts_the_line(b, corner):
    """§2.2.4, Fig. 3: x₂ = -x₁ + 1.2 and x₂ = -x₁."""
    assert signed_distance([1, 1], b, corner) == 0


@pytest.mark.parametrize("gate", TARGETS)
def test_all_gates_but_xor_and_xnor_are_separable(gate):
    """§2.2.5, table of Boolean operators."""
    assert is_linearly_separable(CORNERS, TARGETS[gate]) == (gate not in ("XOR", "XNOR"))


@pytest.mark.parametrize(
    ("gate", "w", "b"),
    [("AND", [3, 2], -4), ("OR", [2, 2], -1), ("NAND", [-3, -2], 4), ("NOR", [-2, -2], 1)],
)
def test_perceptron_learns_the_gates(gate, w, b):
    """§2.6, Listing 1, η = 1, from zero, in the order of the table."""
    neuron = Perceptron().fit(CORNERS, TARGETS[gate])
    assert (neuron.weight_.tolist(), neuron.bias_, neuron.converged_) == (w, b, True)
    np.testing.assert_array_equal(neuron.predict(CORNERS), TARGETS[gate])


@pytest.mark.parametrize("gate", ["XOR", "XNOR"])
def test_perceptron_never_learns_xor(gate):
    neuron = Perceptron(max_epochs=1000).fit(CORNERS, TARGETS[gate])
    assert (neuron.converged_, neuron.epochs_) == (False, 1000)


@pytest.mark.worked("000-2.15")
def test_mistakes_attain_the_augmented_bound(worked):
    """000 §2.4.2: 2 corrections where the bound without augmentation says 1; augmented it is 2."""
    x, t = [[1], [-1]], [1, -1]
    neuron = Perceptron().fit(x, t)
    worked("000-2.15").check(neuron.mistakes_)
    worked("000-2.15").check(mistake_bound(x, t, w=[1], b=0))


@pytest.mark.worked("000-2.7")
def test_signed_distance(worked):
    """000 §2.2: (3, 4) from 3x + 4y - 5 = 0."""
    worked("000-2.7").check(signed_distance([3, 4], -5, [3, 4]))
