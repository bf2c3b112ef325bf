"""000, chapter 6: the 2-3-1 network, forward, backward, one update, and again, by model, loss and optimiser.

What `cr.explain` shows of the same network, step by step, is tested on its own.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, optim

X = np.array([[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]])
Y = np.array([[0.0], [1.0], [0.0], [1.0]])


@pytest.fixture
def network():
    """ReLU in the hidden layer; the sigmoid of the output is in the loss."""
    model = cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.ReLU(), cr.nn.Linear(3, 1)).astype(np.float64)
    start = [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [0.01, 0.02, 0.03], [[0.7, 0.8, 0.9]], [0.1]]
    for parameter, value in zip(model.parameters(), start, strict=True):
        parameter.assign(np.array(value))
    return model


def gradients(model, x, y):
    """∂L/∂W₁, ∂L/∂b₁, ∂L/∂W₂ (a row), ∂L/∂b₂ (a number) of the mean loss."""
    loss = losses.binary_cross_entropy_with_logits(model(x), y)
    W1, b1, W2, b2 = cr.gradients(loss, list(model.parameters()))
    return W1, b1, W2[0], b2[0]


@pytest.mark.worked(
    "000-6.15", "000-6.19", "000-6.21a", "000-6.21b", "000-6.22", "000-6.28", "000-6.30", "000-6.31",
    "000-6.x-yhat",
)  # fmt: skip
def test_forward_pass(worked, network):
    """§6.4 and §6.5: z₁ = a₁, z₂ and ŷ of samples 1 and 2; §6.6: ŷ of all four."""
    z1 = network[0](X)
    np.testing.assert_array_equal(network[1](z1), z1)
    z2 = network(X)[:, 0]
    y_hat = cr.sigmoid(z2)
    worked("000-6.15").check(z1[0])
    worked("000-6.19").check(z2[0])
    worked("000-6.21a").check(cr.exp(-z2[0]))
    worked("000-6.21b").check(y_hat[0])
    worked("000-6.22").check(1 - y_hat[0])
    worked("000-6.28").check(z1[1])
    worked("000-6.30").check(z2[1])
    worked("000-6.31").check(y_hat[1])
    worked("000-6.x-yhat").check(y_hat)


@pytest.mark.worked("000-6.x-delta", "000-6.44")
def test_output_deltas(worked, network):
    """§6.7 (6.37): ∂ℓ/∂z₂ = ŷ − y for each sample."""
    z2 = network(X).data
    deltas = cr.grad(lambda z: losses.binary_cross_entropy_with_logits(z, Y, reduction="sum"))(z2)
    worked("000-6.x-delta").check(deltas[:, 0])
    worked("000-6.44").check(deltas[0, 0])


@pytest.mark.worked("000-6.47", "000-6.48", "000-6.50", "000-6.53")
def test_backward_pass_of_sample_1(worked, network):
    """§6.8: the four gradients of one sample."""
    for row_id, gradient in zip(
        ("000-6.53", "000-6.50", "000-6.47", "000-6.48"), gradients(network, X[:1], Y[:1]), strict=True
    ):
        worked(row_id).check(gradient)


@pytest.mark.worked("000-6.56", "000-6.x-gb2", "000-6.x-gW1", "000-6.x-gb1")
def test_gradients_of_the_batch(worked, network):
    """§6.9: means over the four samples, wrong in the document in every entry."""
    for row_id, gradient in zip(
        ("000-6.x-gW1", "000-6.x-gb1", "000-6.56", "000-6.x-gb2"), gradients(network, X, Y), strict=True
    ):
        worked(row_id).check(gradient)


@pytest.fixture
def updated(network):
    """The network after one step of η = 0.1 on the batch."""
    losses.binary_cross_entropy_with_logits(network(X), Y).backward()
    optim.SGD(network, lr=0.1).step()
    return network


@pytest.mark.worked("000-6.60", "000-6.61", "000-6.63a", "000-6.63b")
def test_update(worked, updated):
    """§6.10: the new parameters."""
    worked("000-6.60").check(updated[2].weight[0])
    worked("000-6.61").check(updated[2].bias[0])
    worked("000-6.63a").check(updated[0].weight)
    worked("000-6.63b").check(updated[0].bias)


@pytest.mark.worked("000-6.64", "000-6.65a", "000-6.65b", "000-6.66", "000-6.66c")
def test_second_iteration(worked, updated):
    """§6.11: sample 1 again; its loss, and the batch's, have fallen."""
    worked("000-6.64").check(updated[1](updated[0](X))[0])
    z2 = updated(X)[0, 0]
    worked("000-6.65a").check(z2)
    worked("000-6.65b").check(cr.sigmoid(z2))
    each = losses.binary_cross_entropy_with_logits(updated(X), Y, reduction="none")[:, 0]
    worked("000-6.66").check(each[0])
    assert each[0] < worked("000-6.23").right and cr.mean(each) < worked("000-6.36").right
