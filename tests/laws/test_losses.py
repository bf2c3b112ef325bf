"""What every loss obeys: right derivatives to order 2, reductions that agree, finite at the extremes."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.core import PRIMITIVES
from chainrule.losses import LOSSES
from chainrule.ops.cross_entropy import pick, place, sigmoid_cross_entropy, softmax_cross_entropy

ROUNDING = 1e-12  # a handful of float64 operations
DRAW = np.random.default_rng(0)
SCORES = DRAW.standard_normal((5, 4))
TARGETS = DRAW.standard_normal((5, 4))
SIGNS = np.where(DRAW.random((5, 4)) < 0.5, -1.0, 1.0)
SHARES = DRAW.random((5, 4))
LABELS = np.array([0, 3, 1, 2, 3])
ROWS = SHARES / SHARES.sum(axis=1, keepdims=True)
LOG_ROWS = np.log(ROWS[::-1])

# Points away from the kinks: |e| = 0 and 1, t z = 0 and 1.
POINTS = {
    "sse": (SCORES, TARGETS),
    "mse": (SCORES, TARGETS),
    "half-squared": (SCORES, TARGETS),
    "mae": (SCORES, TARGETS),
    "huber": (SCORES, TARGETS),
    "bce": (SCORES, SHARES),
    "bce-probabilities": (0.1 + 0.8 * SHARES, SHARES[::-1]),
    "cross-entropy": (SCORES, LABELS),
    "nll": (LOG_ROWS, LABELS),
    "kl": (LOG_ROWS, ROWS),
    "hinge": (SCORES, SIGNS),
    "perceptron": (SCORES, SIGNS),
}

PERFECT = {
    "sse": (TARGETS, TARGETS),
    "mse": (TARGETS, TARGETS),
    "half-squared": (TARGETS, TARGETS),
    "mae": (TARGETS, TARGETS),
    "huber": (TARGETS, TARGETS),
    "bce": (1000 * SIGNS, SIGNS > 0),
    "bce-probabilities": ((SIGNS + 1) / 2, SIGNS > 0),
    "cross-entropy": (1000 * np.eye(4)[LABELS], LABELS),
    "nll": (np.where(np.eye(4)[LABELS] == 1, 0, -np.inf), LABELS),
    "kl": (np.log(ROWS), ROWS),
    "hinge": (SIGNS, SIGNS),
    "perceptron": (SIGNS, SIGNS),
}

PER_EXAMPLE = {"sse", "half-squared", "cross-entropy", "nll", "kl"}


def test_every_loss_is_tested():
    assert set(POINTS) == set(PERFECT) == set(LOSSES)
    assert {loss.__name__ for loss in LOSSES.values()} <= set(losses.__all__)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_derivatives_to_order_two(name, reduction):
    prediction, target = POINTS[name]
    assert cr.check_gradients(lambda y: LOSSES[name](y, target, reduction=reduction), prediction, order=2)


@pytest.mark.parametrize("target", [ROWS, np.eye(4)[LABELS], np.eye(4, dtype=int)[LABELS], LABELS])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
def test_derivatives_of_cross_entropy(target, label_smoothing):
    def loss(z):
        return losses.cross_entropy(z, target, label_smoothing=label_smoothing)

    assert cr.check_gradients(loss, SCORES, order=2)


def test_derivatives_with_respect_to_soft_targets():
    for loss, prediction in (
        (losses.cross_entropy, SCORES),
        (losses.binary_cross_entropy_with_logits, SCORES),
        (losses.binary_cross_entropy, 0.1 + 0.8 * SHARES),
        (losses.kl_divergence, LOG_ROWS),
    ):
        assert cr.check_gradients(loss, prediction, ROWS, order=2)


@pytest.mark.parametrize("name", LOSSES)
def test_reductions_agree(name):
    prediction, target = POINTS[name]
    loss = LOSSES[name]
    each = loss(prediction, target, reduction="none")
    assert each.shape == ((5,) if name in PER_EXAMPLE else (5, 4))
    assert (each >= 0).all()
    np.testing.assert_allclose(loss(prediction, target, reduction="sum"), each.sum(), rtol=ROUNDING)
    np.testing.assert_allclose(loss(prediction, target, reduction="mean"), each.mean(), rtol=ROUNDING)
    default = "sum" if name == "sse" else "mean"
    assert loss(prediction, target) == loss(prediction, target, reduction=default)


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_costs_nothing(name):
    np.testing.assert_allclose(LOSSES[name](*PERFECT[name], reduction="none"), 0, atol=ROUNDING)


@pytest.mark.parametrize("name", LOSSES)
def test_tensors_and_arrays_agree_and_keep_the_dtype_of_the_prediction(name):
    prediction, target = POINTS[name]
    y = cr.tensor(prediction, dtype=np.float32, requires_grad=True)
    value = LOSSES[name](y, target)  # float64 targets, as NumPy makes them
    value.backward()
    assert value.dtype == y.grad.dtype == np.float32
    np.testing.assert_array_equal(value.data, LOSSES[name](prediction.astype(np.float32), target))


@pytest.mark.parametrize("size", [30.0, 1000.0, 1e30])
@pytest.mark.parametrize("name", ["bce", "cross-entropy", "hinge", "perceptron"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits(name, size, dtype):
    """Values and derivatives are finite, and the value is the size of the mistake."""
    wrong = {"bce": 1.0, "cross-entropy": 0, "hinge": 1.0, "perceptron": 1.0}[name]
    prediction = np.array([[-size, 0]] if name == "cross-entropy" else [-size], dtype)
    z = cr.tensor(prediction, requires_grad=True)
    loss = LOSSES[name](z, np.array([wrong]))
    loss.backward()
    np.testing.assert_allclose(loss.item(), size + (name == "hinge"), rtol=1e-6)
    assert np.isfinite(z.grad.data).all()
    assert z.grad.data.ravel()[0] == pytest.approx(-1, rel=1e-6)


def test_small_losses_keep_their_digits():
    """ln(1 + e^(−20)) = 2.06e-9 is far below the rounding unit of float32 at 1."""
    z = np.array([20.0, -20.0], np.float32)
    each = losses.binary_cross_entropy_with_logits(z, [1, 0], reduction="none")
    np.testing.assert_allclose(each, np.log1p(np.exp(-20.0)), rtol=1e-6)


def test_probabilities_of_exactly_zero_and_one():
    y = cr.tensor(np.array([0.0, 1.0, 0.0, 1.0]), requires_grad=True)
    each = losses.binary_cross_entropy(y, [0, 1, 1, 0], reduction="none")
    each.sum().backward()
    np.testing.assert_array_equal(each.data, [0, 0, 100, 100])
    np.testing.assert_allclose(y.grad.data, [1, -1, -1e12, 1e12])


def test_kl_where_a_class_is_impossible():
    y = cr.tensor(np.array([[0.0, -np.inf]]), requires_grad=True)
    value = losses.kl_divergence(y, [[1.0, 0.0]])
    value.backward()
    assert value.item() == 0
    np.testing.assert_array_equal(y.grad.data, [[-1, 0]])


@pytest.mark.parametrize(
    ("loss", "at", "target", "slope"),
    [
        (losses.mae, 2.0, 2.0, 0.0),
        (losses.hinge, 1.0, 1.0, 0.0),
        (losses.hinge, -1.0, -1.0, 0.0),
        (losses.perceptron_criterion, 0.0, 1.0, -1.0),
        (losses.perceptron_criterion, 0.0, -1.0, 1.0),
        (losses.huber, 1.0, 0.0, 1.0),
    ],
)
def test_derivatives_at_kinks_are_the_documented_ones(loss, at, target, slope):
    assert cr.grad(lambda y: loss(y, np.array([target])))(np.array([at])) == slope


def test_cross_entropy_in_its_forms():
    """Labels, one-hot rows and NLL of log-softmax agree; any axes may stand before the classes."""
    by_labels = losses.cross_entropy(SCORES, LABELS)
    np.testing.assert_allclose(losses.cross_entropy(SCORES, np.eye(4)[LABELS]), by_labels, rtol=ROUNDING)
    np.testing.assert_allclose(losses.nll(cr.log_softmax(SCORES), LABELS), by_labels, rtol=ROUNDING)
    assert losses.cross_entropy(SCORES[0], LABELS[0]) == losses.cross_entropy(SCORES[:1], LABELS[:1])
    sequence = DRAW.standard_normal((2, 3, 4))
    words = np.array([[0, 1, 2], [3, 0, 1]])
    flat = losses.cross_entropy(sequence.reshape(6, 4), words.ravel())
    np.testing.assert_allclose(losses.cross_entropy(sequence, words), flat, rtol=ROUNDING)


def test_smoothed_labels_are_smoothed_rows():
    smooth = 0.9 * np.eye(4)[LABELS] + 0.1 / 4
    for target in (LABELS, np.eye(4)[LABELS]):
        np.testing.assert_allclose(
            losses.cross_entropy(SCORES, target, label_smoothing=0.1),
            losses.cross_entropy(SCORES, smooth),
            rtol=ROUNDING,
        )


def test_squared_errors_are_multiples_of_each_other():
    norm = losses.sse(SCORES, TARGETS, reduction="mean")
    np.testing.assert_allclose(losses.mse(SCORES, TARGETS) * 4, norm, rtol=ROUNDING)
    np.testing.assert_allclose(losses.half_squared(SCORES, TARGETS) * 2, norm, rtol=ROUNDING)


def test_labels_in_cross_entropy_cost_one_node():
    z = cr.tensor(SCORES, requires_grad=True)
    names = [node.name for node in cr.graph(losses.cross_entropy(z, LABELS))]
    assert names[-2:] == ["softmax_cross_entropy", "mean"]


# The primitives of losses, against their compositions from elementary ones.


def test_softmax_cross_entropy_is_its_composition():
    def composed(z):
        return cr.logsumexp(z) - cr.sum(z * np.eye(4)[LABELS], axis=-1)

    _agree_to_order_two(lambda z: softmax_cross_entropy(z, LABELS), composed, SCORES)


def test_sigmoid_cross_entropy_is_its_composition():
    def composed(z):
        return cr.softplus(z) - SHARES * z

    _agree_to_order_two(lambda z: sigmoid_cross_entropy(z, SHARES), composed, SCORES)


def _agree_to_order_two(fused, composed, x):
    weights = DRAW.standard_normal(np.shape(fused(x)))

    def slope(f):
        return cr.grad(lambda z: cr.sum(f(z) * weights))

    def curvature(f):
        return cr.grad(lambda z: cr.sum(slope(f)(z) * TARGETS))

    np.testing.assert_allclose(fused(x), composed(x), rtol=ROUNDING)
    np.testing.assert_allclose(slope(fused)(x), slope(composed)(x), atol=ROUNDING)
    np.testing.assert_allclose(curvature(fused)(x), curvature(composed)(x), atol=ROUNDING)


def test_pick_and_place_are_adjoint():
    y = DRAW.standard_normal(5)
    np.testing.assert_allclose(np.vdot(y, pick(SCORES, LABELS)), np.vdot(place(y, LABELS, n=4), SCORES), rtol=ROUNDING)
    assert cr.check_gradients(lambda x: cr.square(pick(x, LABELS)), SCORES, order=2)
    assert cr.check_gradients(lambda x: cr.square(place(x, LABELS, n=4)), y, order=2)


@pytest.mark.parametrize("name", ["pick", "place", "softmax_cross_entropy", "sigmoid_cross_entropy", "clamped_log"])
def test_shapes_are_proved_without_numbers(name):
    x = {"place": SCORES[:, 0], "clamped_log": SHARES}.get(name, SCORES)
    args = {"clamped_log": (x,), "sigmoid_cross_entropy": (x, SHARES)}.get(name, (x, LABELS))
    params = {"n": 4} if name == "place" else {}
    spec = PRIMITIVES[name].spec(*args, **params)
    value = PRIMITIVES[name](*args, **params)
    assert (spec.shape, spec.dtype) == (value.shape, value.dtype)
    assert PRIMITIVES[name].latex


@pytest.mark.parametrize("name", LOSSES)
def test_names(name):
    loss = LOSSES[name]
    assert len(loss.latex) == 2
    for spelling in (name, name.replace("-", "_"), loss.__name__, loss.__name__.replace("_", "-")):
        assert losses.named(spelling) is loss
