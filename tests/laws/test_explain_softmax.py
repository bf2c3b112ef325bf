"""The Jacobian of softmax and of log-softmax as `explain` shows it."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from tests.laws import explained_numbers

SAME = 1e-12  # float64 rounding of the same operations
HEADS = {"softmax": nn.Softmax, "log-softmax": nn.LogSoftmax}


def explained(head, n, layout="rows", classes=3, loss=losses.mse):
    cr.seed(0)
    rng = np.random.default_rng(0)
    model = nn.Sequential(fc=nn.Linear(2, classes), head=HEADS[head]()).astype(np.float64)
    return cr.explain(model, rng.standard_normal((n, 2)), rng.standard_normal((n, classes)), loss, layout=layout)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("head", HEADS)
def test_the_derivative_sent_back_is_the_jacobian_times_what_came(head, n, layout):
    e = explained(head, n, layout)
    assert e.checked
    for name in ("head.jacobian", "fc.delta"):
        explained_numbers.check(e.step(name))
    turn = np.transpose if layout == "columns" else np.asarray
    y, bar, delta = (turn(e[name])[0] for name in ("head.a", "head.da", "fc.delta"))
    p = np.exp(y) if head == "log-softmax" else y
    expected = np.diag(p) - np.outer(p, p) if head == "softmax" else np.eye(3) - p
    np.testing.assert_allclose(e["head.jacobian"], expected, rtol=1e-9, atol=SAME)
    np.testing.assert_allclose(delta, expected.T @ bar, rtol=1e-9, atol=SAME)


def test_one_row_is_a_product_with_the_jacobian():
    assert str(explained("softmax", 1).step("head.jacobian")) == "J = diag(ŷ) − ŷ ŷᵀ"
    assert str(explained("softmax", 1).step("fc.delta")) == "δ⁽¹⁾ = (∂L/∂ŷ) J"
    assert str(explained("softmax", 1, "columns").step("fc.delta")) == "δ⁽¹⁾ = J ∂L/∂ŷ"
    assert str(explained("softmax", 4).step("fc.delta")) == "Δ⁽¹⁾ = Ŷ ⊙ (∂L/∂Ŷ − rowsum(∂L/∂Ŷ ⊙ Ŷ))"
    assert "row 1 of 4" in str(explained("softmax", 4))


def test_a_large_one_and_a_cancelled_one_are_left_out():
    assert "head.jacobian" not in explained("softmax", 2, classes=12)
    model = nn.Sequential(fc=nn.Linear(2, 3), head=nn.LogSoftmax())
    e = cr.explain(model, np.ones((2, 2)), np.array([0, 2]), "nll")
    assert e.checked and "head.jacobian" in e
    model = nn.Sequential(fc=nn.Linear(2, 3), head=nn.Softmax())

    def entropy(p, t):
        return -cr.mean(cr.sum(t * cr.log(p), -1))

    e = cr.explain(model, np.ones((2, 2)), np.eye(3)[[0, 2]], entropy)
    assert str(e.step("fc.delta")) == "Δ⁽¹⁾ = (Ŷ − Y)/m" and "head.jacobian" not in e


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_of_a_function_and_of_sequences(name):
    class Rows(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 3)

        def forward(self, x):
            return getattr(cr, name)(self.fc(x))

    rng = np.random.default_rng(1)
    e = cr.explain(Rows(), rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 3, 3)), losses.mse)
    assert e.checked and f"{name}.jacobian" in e
    explained_numbers.check(e.step("fc.delta"))
