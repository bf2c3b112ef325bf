"""Every loss against PyTorch: values and gradients of drawn configurations, at every reduction, in both dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from tests.oracles.pairing import Draw
from tests.oracles.test_torch_layers import DTYPES, TOLERANCE, agree, cast

torch = pytest.importorskip("torch")
F = torch.nn.functional

CONFIGURATIONS = 40
"""Drawn of each loss."""
DRAWN: dict[str, Callable[[Draw], tuple[Any, ...]]] = {}
"""By the name of the loss: PyTorch's loss, prediction, target and settings of a configuration."""


def of(name: str) -> Callable[[Any], Any]:
    return lambda drawn: DRAWN.setdefault(name, drawn)


def values(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """A prediction and a target of one shape, some entries alike, where |y − t| has its kink."""
    shape = draw.shape(draw.size(1, 3))
    t = draw.normal(*shape) * 3
    return np.where(draw.rng.random(shape) < 0.1, t, draw.normal(*shape) * 3), t


def torch_sse(y, t, reduction):
    """The squared norm of each example's error, which PyTorch has no word for."""
    each = ((y - t) ** 2).reshape(len(y), -1).sum(-1)
    return each if reduction == "none" else getattr(each, reduction)()


@of("sse")
def sse(draw):
    return torch_sse, *values(draw), {}


@of("half-squared")
def half_squared(draw):
    return lambda y, t, reduction: torch_sse(y, t, reduction) / 2, *values(draw), {}


@of("mse")
def mse(draw):
    return F.mse_loss, *values(draw), {}


@of("mae")
def mae(draw):
    return F.l1_loss, *values(draw), {}


@of("huber")
def huber(draw):
    return F.huber_loss, *values(draw), draw.one_of({}, {"delta": draw.real(0.1, 4)})


def shares(draw: Draw, *shape: int) -> np.ndarray:
    """Targets in [0, 1], hard ones among them."""
    return draw.one_of(draw.rng.random(shape), (draw.rng.random(shape) < 0.5) * 1.0)


def logits(draw: Draw, *shape: int) -> np.ndarray:
    """Of every size: an untrained network's, a sure one's, and such as overflow e^z."""
    return draw.normal(*shape) * draw.one_of(1, 10, 1e4)


@of("bce")
def binary(draw):
    shape = draw.shape(draw.size(1, 3))
    return F.binary_cross_entropy_with_logits, logits(draw, *shape), shares(draw, *shape), {}


@of("bce-probabilities")
def binary_of_probabilities(draw):
    shape = draw.shape(draw.size(1, 3))
    y = 0.01 + 0.98 * draw.rng.random(shape)
    return F.binary_cross_entropy, y, shares(draw, *shape), {}


def margin(at: float) -> Callable[..., Any]:
    """max(0, −t (z − 0) + margin): hinge for a margin of 1, the perceptron criterion for 0."""

    def loss(z, t, reduction):
        return F.margin_ranking_loss(z, torch.zeros_like(z), t, margin=at, reduction=reduction)

    return loss


def signs(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    shape = draw.shape(draw.size(1, 3))
    return draw.normal(*shape) * 2, np.where(draw.rng.random(shape) < 0.5, -1.0, 1.0)


@of("hinge")
def hinge(draw):
    return margin(1.0), *signs(draw), {}


@of("perceptron")
def perceptron(draw):
    return margin(0.0), *signs(draw), {}


def rows(draw: Draw, *shape: int) -> np.ndarray:
    """Probabilities, or one-hot rows."""
    weights = draw.rng.random(shape) + 0.01
    hot = np.eye(shape[-1])[draw.rng.integers(0, shape[-1], shape[:-1])]
    return draw.one_of(weights / weights.sum(-1, keepdims=True), hot)


def classes_second(loss: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch has the classes on axis 1; what has the shape of the logits turns with them."""

    def turned(z, t, reduction, **settings):
        t = t.movedim(-1, 1) if t.shape == z.shape else t
        return loss(z.movedim(-1, 1).contiguous(), t, reduction=reduction, **settings)

    return turned


@of("cross-entropy")
def cross_entropy(draw):
    shape = *draw.shape(draw.size(1, 3)), draw.size(2, 6)
    labels = draw.rng.integers(0, shape[-1], shape[:-1])
    settings = draw.one_of({}, {"label_smoothing": draw.real(0, 1)})
    return classes_second(F.cross_entropy), logits(draw, *shape), draw.one_of(labels, rows(draw, *shape)), settings


def log_rows(draw: Draw, *shape: int) -> np.ndarray:
    z = draw.normal(*shape) * 2
    return z - np.log(np.exp(z).sum(-1, keepdims=True)) - 1e-6  # so that none is above 0 once rounded to float32


@of("nll")
def nll(draw):
    shape = *draw.shape(draw.size(1, 3)), draw.size(2, 6)
    labels = draw.rng.integers(0, shape[-1], shape[:-1])
    return classes_second(F.nll_loss), log_rows(draw, *shape), labels, {}


def torch_kl(y, t, reduction):
    """PyTorch's "none" keeps the classes apart."""
    if reduction == "none":
        return F.kl_div(y, t, reduction="none").sum(-1)
    return F.kl_div(y, t, reduction={"mean": "batchmean"}.get(reduction, reduction))


@of("kl")
def kl_divergence(draw):
    shape = draw.size(), draw.size(2, 6)
    return torch_kl, log_rows(draw, *shape), rows(draw, *shape), {}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DRAWN)
def test_values_and_gradients(name, dtype):
    for i in range(CONFIGURATIONS):
        draw = Draw("loss", name, i)
        theirs, prediction, target, settings = DRAWN[name](draw)
        reduction = ("mean", "sum", "none")[i % 3]
        prediction, target = cast(prediction, dtype), cast(target, dtype)
        y, z = cr.tensor(prediction, requires_grad=True), torch.tensor(prediction, requires_grad=True)
        value = losses.named(name)(y, target, reduction=reduction, **settings)
        wanted = theirs(z, torch.tensor(target), reduction=reduction, **settings)
        what = f"{name} {i}, {reduction}, {settings}"
        agree(value.data, wanted, TOLERANCE[dtype], f"{what}, value")
        bar = cast(draw.normal(*value.shape), dtype)
        (value * bar).sum().backward()
        (wanted * torch.tensor(bar)).sum().backward()
        agree(y.grad.data, z.grad, TOLERANCE[dtype], f"{what}, gradient")


def test_values_at_probabilities_zero_and_one():
    """Values only: where y = t = 0 PyTorch says that the derivative is 0; it is 1/(1 − y) = 1."""
    y, t = np.array([0.0, 1.0, 0.0, 1.0, 1e-300]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    ours = losses.binary_cross_entropy(y, t, reduction="none")
    theirs = F.binary_cross_entropy(torch.tensor(y), torch.tensor(t), reduction="none")
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_every_loss_is_compared():
    assert DRAWN.keys() == losses.LOSSES.keys()
