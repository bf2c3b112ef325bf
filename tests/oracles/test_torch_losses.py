"""PyTorch agrees: values and gradients of every loss that it has, in float64."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses

torch = pytest.importorskip("torch")
F = torch.nn.functional

TOLERANCE = 1e-12  # both compute in float64; what differs is the order of a few operations
DRAW = np.random.default_rng(1)
SCORES = 3 * DRAW.standard_normal((6, 4))
TARGETS = 3 * DRAW.standard_normal((6, 4))
SHARES = DRAW.random((6, 4))
HARD = (SHARES > 0.5).astype(float)
SIGNS = 2 * HARD - 1
ROWS = SHARES / SHARES.sum(axis=1, keepdims=True)
LOG_ROWS = np.log(ROWS[::-1])
LABELS = np.array([0, 3, 1, 2, 3, 0])
PROBABILITIES = DRAW.random((6, 4))
EXTREME = np.array([[1000.0, -1000.0, 0.0, 30.0], [-1e5, 1e5, -30.0, 1.0]])


def torch_sse(y, t, reduction):
    """The squared norm of each example's error, which PyTorch has no word for."""
    each = ((y - t) ** 2).sum(-1)
    return each if reduction == "none" else getattr(each, reduction)()


def torch_half_squared(y, t, reduction):
    return torch_sse(y, t, reduction) / 2


def torch_kl(y, t, reduction):
    """PyTorch's "none" keeps the classes apart."""
    if reduction == "none":
        return F.kl_div(y, t, reduction="none").sum(-1)
    return F.kl_div(y, t, reduction={"mean": "batchmean"}.get(reduction, reduction))


def torch_margin(margin):
    """max(0, −t (z − 0) + margin): hinge for a margin of 1, the perceptron criterion for 0."""

    def loss(z, t, reduction):
        return F.margin_ranking_loss(z, torch.zeros_like(z), t, margin=margin, reduction=reduction)

    return loss


def setting(loss, **settings):
    return lambda y, t, reduction: loss(y, t, reduction=reduction, **settings)


CASES = {
    "sse": (losses.sse, torch_sse, SCORES, TARGETS),
    "half-squared": (losses.half_squared, torch_half_squared, SCORES, TARGETS),
    "mse": (losses.mse, F.mse_loss, SCORES, TARGETS),
    "mae": (losses.mae, F.l1_loss, SCORES, TARGETS),
    "mae at its kink": (losses.mae, F.l1_loss, TARGETS, TARGETS),
    "huber": (losses.huber, F.huber_loss, SCORES, TARGETS),
    "huber 2.5": (setting(losses.huber, delta=2.5), setting(F.huber_loss, delta=2.5), SCORES, TARGETS),
    "kl": (losses.kl_divergence, torch_kl, LOG_ROWS, ROWS),
    "kl, one-hot": (losses.kl_divergence, torch_kl, LOG_ROWS, np.eye(4)[LABELS]),
    "nll": (losses.nll, F.nll_loss, LOG_ROWS, LABELS),
    "hinge": (losses.hinge, torch_margin(1.0), SCORES, SIGNS),
    "perceptron": (losses.perceptron_criterion, torch_margin(0.0), SCORES, SIGNS),
}
for kind, logits, target in (
    ("hard", SCORES, HARD),
    ("soft", SCORES, SHARES),
    ("extreme", EXTREME, SHARES[:2]),
):
    CASES[f"bce, {kind}"] = (
        losses.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, logits, target,
    )  # fmt: skip
for kind, probabilities, target in (
    ("hard", PROBABILITIES, HARD),
    ("soft", PROBABILITIES, SHARES),
):
    CASES[f"bce of probabilities, {kind}"] = (
        losses.binary_cross_entropy, F.binary_cross_entropy, probabilities, target,
    )  # fmt: skip
for kind, logits, target in (
    ("labels", SCORES, LABELS),
    ("one-hot", SCORES, np.eye(4)[LABELS]),
    ("rows", SCORES, ROWS),
    ("extreme", EXTREME, LABELS[:2]),
):
    for smoothing in (0.0, 0.2):
        CASES[f"cross-entropy, {kind}, smoothing {smoothing}"] = (
            setting(losses.cross_entropy, label_smoothing=smoothing),
            setting(F.cross_entropy, label_smoothing=smoothing),
            logits,
            target,
        )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, reduction):
    ours, theirs, prediction, target = CASES[name]
    y = cr.tensor(prediction, requires_grad=True)
    y_torch = torch.tensor(prediction, requires_grad=True)
    value, wanted = (
        ours(y, target, reduction=reduction),
        theirs(y_torch, torch.tensor(target), reduction=reduction),
    )
    value.sum().backward()
    wanted.sum().backward()
    np.testing.assert_allclose(value.data, wanted.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(y.grad.data, y_torch.grad.numpy(), rtol=TOLERANCE, atol=TOLERANCE)


def test_values_at_probabilities_zero_and_one():
    """Values only: where y = t = 0 PyTorch says that the derivative is 0; it is 1/(1 − y) = 1."""
    y, t = np.array([0.0, 1.0, 0.0, 1.0, 1e-300]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    ours = losses.binary_cross_entropy(y, t, reduction="none")
    theirs = F.binary_cross_entropy(torch.tensor(y), torch.tensor(t), reduction="none")
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_every_loss_has_a_counterpart_here():
    named = ("sse", "half-squared", "mse", "mae", "huber", "kl", "nll", "hinge", "perceptron")
    assert {*named, "bce", "bce-probabilities", "cross-entropy"} == set(losses.LOSSES)
