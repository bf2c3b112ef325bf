"""Trained to the minimum, models agree with solvers that go about it differently."""

import numpy as np
import pytest

import chainrule as cr

linear_model = pytest.importorskip("sklearn.linear_model")

# What is left of the gradient after training, over the least curvature of the loss, bounds the distance
# from the minimum; both solvers stop at a gradient of about 1e-10, and λ = 0.05 is the least curvature.
CONVERGED = 1e-7
LAMBDA = 0.05

rng = np.random.default_rng(0)
N = 120
X = rng.standard_normal((N, 5))
LABELS = (X @ rng.standard_normal((5, 3)) + rng.gumbel(size=(N, 3))).argmax(axis=1)


def descended(model, y, loss=None, penalty=None, lr=1.0, epochs=4000):
    """The model in float64 after full-batch gradient descent with momentum."""
    optimizer = cr.optim.SGD(model.astype(np.float64), lr=lr, momentum=0.5)
    loader = cr.data.Loader(X, y, N, shuffle=False)
    cr.fit(model, loader, loss, optimizer, epochs=epochs, penalty=penalty, progress=False)
    return model


def test_multinomial_logistic_regression():
    """scikit-learn minimises C Σ ℓ + ½ ‖W‖²; the mean loss with ½ λ ‖W‖² is that for C = 1/(λ n)."""
    model = descended(cr.nn.Linear(5, 3), LABELS, penalty=cr.losses.HalfL2(LAMBDA))
    oracle = linear_model.LogisticRegression(C=1 / (LAMBDA * N), tol=1e-10, max_iter=10_000).fit(X, LABELS)
    np.testing.assert_allclose(model.weight.data, oracle.coef_, atol=CONVERGED)
    bias = model.bias.data  # a constant added to all logits changes no probability
    np.testing.assert_allclose(bias - bias.mean(), oracle.intercept_ - oracle.intercept_.mean(), atol=CONVERGED)
    np.testing.assert_allclose(cr.predict_proba(model, X), oracle.predict_proba(X), atol=CONVERGED)
    np.testing.assert_array_equal(cr.predict(model, X), oracle.predict(X))


def test_binary_logistic_regression_with_one_logit():
    labels = (LABELS == 1).astype(int)
    model = descended(cr.nn.Linear(5, 1), labels, penalty=cr.losses.HalfL2(LAMBDA))
    oracle = linear_model.LogisticRegression(C=1 / (LAMBDA * N), tol=1e-10, max_iter=10_000).fit(X, labels)
    np.testing.assert_allclose(model.weight.data, oracle.coef_, atol=CONVERGED)
    np.testing.assert_allclose(model.bias.data, oracle.intercept_, atol=CONVERGED)
    np.testing.assert_allclose(cr.predict_proba(model, X), oracle.predict_proba(X), atol=CONVERGED)


def test_linear_regression():
    targets = X @ np.arange(5.0) + 3 + rng.standard_normal(N)
    model = descended(cr.nn.Linear(5, 1), targets, lr=0.2, epochs=1000)
    solution, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(N)]), targets, rcond=None)
    np.testing.assert_allclose([*model.weight.data[0], *model.bias.data], solution, atol=CONVERGED)
    np.testing.assert_allclose(cr.predict(model, X), X @ solution[:5] + solution[5], atol=CONVERGED)


def test_ridge_regression():
    """scikit-learn minimises Σ e² + α ‖w‖²; the mean of e² with λ ‖w‖² is that for α = λ n."""
    targets = X @ np.arange(5.0) + 3 + rng.standard_normal(N)
    penalty = cr.losses.L2(LAMBDA)
    model = descended(cr.nn.Linear(5, 1), targets, "mse", penalty, lr=0.2, epochs=1000)
    oracle = linear_model.Ridge(alpha=LAMBDA * N).fit(X, targets)
    np.testing.assert_allclose(model.weight.data[0], oracle.coef_, atol=CONVERGED)
    np.testing.assert_allclose(model.bias.data[0], oracle.intercept_, atol=CONVERGED)


def test_figures_are_those_of_scikit_learn():
    from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error, r2_score

    single = 1e-6  # outputs are float32
    classifier = cr.models.MLP(5, 4, 3)
    figures = cr.evaluate(classifier, (X, LABELS))
    assert figures["loss"] == pytest.approx(log_loss(LABELS, cr.predict_proba(classifier, X)), rel=single)
    regressor = cr.models.MLP(5, 4, 1)
    y = X[:, 0]
    figures, z = cr.evaluate(regressor, (X, y)), cr.predict(regressor, X, task="regression")
    assert figures["loss"] == pytest.approx(mean_squared_error(y, z), rel=single)
    assert figures["mae"] == pytest.approx(mean_absolute_error(y, z), rel=single)
    assert figures["r2"] == pytest.approx(r2_score(y, z), rel=single)
