"""A plan on PyTorch's tensors and JAX's arrays computes what define-by-run computes there."""

import numpy as np
import pytest

import chainrule as cr
from tests.laws.zoo import ZOO

RELATIVE, ABSOLUTE = 2e-4, 2e-5  # float32 over some steps
STEPS = 3
JAX = ("mlp-tanh", "batch-norm", "conv", "lstm", "transformer", "adamw", "rmsprop", "dropout")
PAIRS = [("torch", name) for name in ZOO] + [("jax", name) for name in JAX]


def trained(name, library, compiled):
    pytest.importorskip(library)
    model, _, batch = ZOO[name].draw()
    model.to(library)
    step = ZOO[name].step(model, ZOO[name].optimizer(model))
    if compiled:
        step = cr.compile(step)
    with cr.random_stream(cr.Key(5)):
        losses = [float(step(*batch())) for _ in range(STEPS)]
    return losses, model.state_dict(), step


@pytest.mark.parametrize(("library", "name"), PAIRS)
@pytest.mark.filterwarnings("error::chainrule.plan.PlanWarning")
def test_a_plan_is_what_it_was_recorded_from(library, name):
    losses, state, _ = trained(name, library, compiled=False)
    got, got_state, plan = trained(name, library, compiled=True)
    assert len(plan.entries) == 1
    np.testing.assert_allclose(got, losses, rtol=RELATIVE, atol=ABSOLUTE)
    for key, value in state.items():
        np.testing.assert_allclose(got_state[key], value, rtol=RELATIVE, atol=ABSOLUTE, err_msg=key)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_watching_on_another_library(library):
    losses, state, _ = trained("mlp-tanh", library, compiled=True)
    model, _, batch = ZOO["mlp-tanh"].draw()
    model.to(library)
    plan = cr.compile(ZOO["mlp-tanh"].step(model, ZOO["mlp-tanh"].optimizer(model)))
    watch, figures = plan.watch("*.z", "*.delta"), plan.watch("*.dweight", statistics=True)
    with cr.random_stream(cr.Key(5)):
        got = [float(plan(*batch())) for _ in range(STEPS)]
    assert got == losses
    assert watch["fc1.z"].shape == (STEPS, 8, 7) and figures["fc2.dweight"].shape == (STEPS, 4)
    for key, value in state.items():
        np.testing.assert_array_equal(model.state_dict()[key], value)
