"""A plan computes what define-by-run computes, whichever passes it is given, watched or not."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.plan.passes import NAMES
from tests.laws.zoo import ZOO

RELATIVE, ABSOLUTE = 2e-4, 2e-5  # float32 over five steps of an optimiser, whose first divide by small numbers
STEPS = 5


def trained(name, compiled, steps=STEPS, watched=(), **settings):
    """Losses and state after some steps, each on a batch of its own."""
    model, optimizer, batch = ZOO[name].draw()
    step = ZOO[name].step(model, optimizer)
    if compiled:
        step = cr.compile(step, **settings)
    if watched:
        step.watch(*watched)
    with cr.random_stream(cr.Key(5)):
        losses = [float(step(*batch())) for _ in range(steps)]
    return losses, model.state_dict(), step


@pytest.fixture(autouse=True)
def no_falling_back():
    with warnings.catch_warnings():
        warnings.simplefilter("error", cr.plan.PlanWarning)
        yield


@pytest.mark.parametrize("name", ZOO)
def test_a_plan_is_what_it_was_recorded_from(name):
    losses, state, _ = trained(name, compiled=False)
    got, got_state, plan = trained(name, compiled=True)
    assert len(plan.entries) == 1
    np.testing.assert_allclose(got, losses, rtol=RELATIVE, atol=ABSOLUTE)
    for key, value in state.items():
        np.testing.assert_allclose(got_state[key], value, rtol=RELATIVE, atol=ABSOLUTE, err_msg=key)


@pytest.mark.parametrize("left_out", NAMES)
@pytest.mark.parametrize("name", ["mlp-gelu", "batch-norm", "conv", "lstm", "attention", "shared", "functional"])
def test_each_pass_can_be_left_out(name, left_out):
    losses, state, _ = trained(name, compiled=True)
    got, got_state, _ = trained(name, compiled=True, without=[left_out])
    np.testing.assert_allclose(got, losses, rtol=RELATIVE, atol=ABSOLUTE)
    for key, value in state.items():
        np.testing.assert_allclose(got_state[key], value, rtol=RELATIVE, atol=ABSOLUTE, err_msg=key)


@pytest.mark.parametrize("name", ZOO)
def test_a_watched_run_is_bit_identical(name):
    losses, state, _ = trained(name, compiled=True)
    got, got_state, _ = trained(name, compiled=True, watched=["*"])
    assert losses == got
    for key, value in state.items():
        np.testing.assert_array_equal(got_state[key], value, err_msg=key)
