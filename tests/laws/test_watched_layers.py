"""A plan that is watched computes what one that is not does, bit for bit, for every kind of layer."""

import numpy as np
import pytest

import chainrule as cr
from tests.laws.ledger_models import MODELS

STEPS = 3


class Scaled(cr.nn.Module):
    """Something to learn before a layer that has nothing to learn."""

    def __init__(self, layer):
        self.gain, self.layer = cr.nn.Parameter([1.5]), layer

    def forward(self, x):
        return self.layer(x * self.gain)


def trained(name, watched):
    model, x, y, loss = MODELS[name]()
    model = model if any(True for _ in model.parameters()) else Scaled(model)
    optimizer = cr.optim.SGD(model, lr=0.01, momentum=0.9)

    def step(x):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    plan = cr.compile(step)
    watch = plan.watch("*") if watched else None
    with cr.random_stream(cr.Key(3)):
        losses = [float(plan(x)) for _ in range(STEPS)]
    return losses, model.state_dict(), watch


@pytest.mark.parametrize("name", MODELS)
def test_watching_changes_nothing(name):
    losses, state, _ = trained(name, watched=False)
    seen, state_seen, watch = trained(name, watched=True)
    assert seen == losses
    assert all(np.array_equal(a, state_seen[k], equal_nan=True) for k, a in state.items())
    assert len(watch.steps) == STEPS and watch.names
