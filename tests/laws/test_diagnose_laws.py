"""diagnose over models of every kind: silent where all is finite, and right about where it is not."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.core.stack import stack
from chainrule.glass.faults.search import finite
from tests.laws.zoo import ZOO

HUGE = 1e30  # times itself it is beyond float32


def state(model, optimizer):
    return {**model.state_dict(), **optimizer.state_dict()["arrays"]}


@pytest.mark.parametrize("name", ZOO)
def test_no_false_alarm_and_nothing_changed(name):
    animal = ZOO[name]
    model, optimizer, batch = animal.draw()
    before = state(model, optimizer)
    for _ in range(3):
        x, y = batch()
        draws = stack.key, stack.draws
        diagnosis = cr.diagnose(model, x, y, animal.loss, optimizer)
        assert diagnosis, str(diagnosis)
        assert (stack.key, stack.draws) == draws
    for key, array in state(model, optimizer).items():
        np.testing.assert_array_equal(array, before[key], err_msg=key)
    assert optimizer.steps == 0


@pytest.mark.parametrize("name", ZOO)
def test_a_poisoned_output(name):
    """A logarithm of a number below 0 behind the model is found as such, whatever the model."""
    animal = ZOO[name]
    model, optimizer, batch = animal.draw()
    x, y = batch()

    def loss(z, y):
        return animal.loss(z, y) + cr.log((z * z).mean() * -1).mean()

    diagnosis = cr.diagnose(model, x, y, loss, optimizer)
    assert (diagnosis.phase, diagnosis.operation, diagnosis.rule) == ("forward", "log", "log of a negative number")
    assert diagnosis.source.startswith("test_diagnose_laws.py:")


@pytest.mark.parametrize("name", [name for name in ZOO if name not in ("running-mean",)])
def test_huge_weights(name):
    """Where weights make the step overflow, the operation named has finite operands and a result that is not."""
    animal = ZOO[name]
    model, optimizer, batch = animal.draw()
    for p in model.parameters():
        p.data[...] *= HUGE
    with np.errstate(all="ignore"):
        x, y = batch()
        loss = animal.loss(model(x), y)
        diagnosis = cr.diagnose(model, x, y, animal.loss, optimizer)
    assert finite(loss.numpy()) or diagnosis.phase == "forward"
    assert all(np.isfinite(operand.value) for operand in diagnosis.operands) or diagnosis.phase == "update"
    if diagnosis.phase in ("forward", "backward"):
        assert not np.isfinite(diagnosis.value)
        assert diagnosis.rule.startswith(("overflow", "0 · ∞", "division", "0/0"))


def test_the_first_of_two():
    """Later faults are not told: the first in the order of the pass is."""

    class Two(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            h = cr.log(cr.relu(self.first(x)) * 0)
            return cr.exp(self.second(h) * -1e30)

    diagnosis = cr.diagnose(Two(), np.ones((1, 2)), np.ones((1, 2)), "mse")
    assert (diagnosis.operation, diagnosis.rule) == ("log", "log of 0")
    assert stack.path == []

    class Apart(Two):
        def forward(self, x):
            return self.second(cr.exp(self.first(x) ** 2 * 1e30)) + cr.log(self.first(x) * 0)

    assert cr.diagnose(Apart(), np.ones((1, 2)), np.ones((1, 2)), "mse").rule == "overflow of exp"


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends(backend):
    pytest.importorskip(backend)
    with cr.use(backend):
        model = nn.Sequential(fc=nn.Linear(2, 2), log=nn.Lambda(cr.log))
        optimizer = cr.optim.SGD(model, lr=0.1)
        model.fc.weight.assign([[-1.0, 0.0], [0.0, 1.0]])
        model.fc.bias.assign([0.0, 0.0])
        diagnosis = cr.diagnose(model, np.array([[1.0, 2.0]]), np.ones((1, 2)), "mse", optimizer)
        assert (diagnosis.layer, diagnosis.rule) == ("log", "log of a negative number")
        assert diagnosis.operands[0].value == -1
        assert cr.diagnose(model, np.array([[-1.0, 2.0]]), np.ones((1, 2)), "mse", optimizer)
