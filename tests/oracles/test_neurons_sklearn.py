"""Single neurons agree with scikit-learn's perceptron and with least squares."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Perceptron as Reference
from sklearn.svm import SVC

from chainrule.base.keys import Key
from chainrule.models.neurons import (
    BatchAdaline,
    Perceptron,
    is_linearly_separable,
    mistake_bound,
    separating_hyperplane,
)

SAME = 1e-12  # the same additions, in the same order
AT_REST = 1e-6  # gradient descent stops when it moves by 1e-10 an epoch
HARD = 1e10  # a cost of violations so large that the support vector machine allows none


def points(seed, n=60, features=2, gap=0.2):
    x = (Key(seed) / "points").generator().standard_normal((n, features))
    scores = x @ np.arange(1, features + 1) + 0.3
    keep = abs(scores) > gap
    return x[keep], (scores[keep] > 0).astype(int)


@pytest.mark.parametrize("lr", [1.0, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_stochastic_rule(seed, lr):
    """The same order and η; scikit-learn too takes a score of 0 for a mistake (hinge at threshold 0)."""
    x, t = points(seed)
    ours = Perceptron(lr=lr).fit(x, t)
    reference = Reference(shuffle=False, eta0=lr, max_iter=ours.epochs_, tol=None).fit(x, t)
    assert ours.converged_
    np.testing.assert_allclose(ours.weight_, reference.coef_[0], atol=SAME)
    np.testing.assert_allclose(ours.bias_, reference.intercept_[0], atol=SAME)
    np.testing.assert_array_equal(ours.predict(x), reference.predict(x))
    np.testing.assert_allclose(ours.decision_function(x), reference.decision_function(x), atol=SAME)


def test_batch_adaline_is_linear_regression_on_signs():
    x, t = points(1, features=3)
    ours = BatchAdaline(lr=0.3).fit(x, t)
    reference = LinearRegression().fit(x, 2 * t - 1)
    np.testing.assert_allclose(ours.weight_, reference.coef_, atol=AT_REST)
    np.testing.assert_allclose(ours.bias_, reference.intercept_, atol=AT_REST)


@pytest.mark.filterwarnings("ignore:Solver terminated early")  # its way of saying "not separable"
@pytest.mark.parametrize("seed", range(20))
def test_separability_agrees_with_a_hard_support_vector_machine(seed):
    """Six random points in the plane with random labels: about half of the draws are separable."""
    rng = (Key(seed) / "labels").generator()
    x, t = rng.standard_normal((6, 2)), np.array([0, 1, *rng.integers(0, 2, 4)])
    reference = SVC(kernel="linear", C=HARD, max_iter=1_000_000).fit(x, t)
    assert is_linearly_separable(x, t) == (reference.score(x, t) == 1)


def test_the_hyperplane_found_proves_a_bound_that_learning_keeps():
    x, t = points(2)
    plane = separating_hyperplane(x, t)
    assert plane is not None
    assert Perceptron().fit(x, t).mistakes_ <= mistake_bound(x, t, plane.weight, plane.bias)
