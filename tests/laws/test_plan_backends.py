"""A plan on PyTorch's tensors and JAX's arrays computes what define-by-run computes there."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends.native.library import loaded
from tests.laws.zoo import ZOO

RELATIVE, ABSOLUTE = 2e-4, 2e-5  # float32 over some steps
STEPS = 3
JAX = ("mlp-tanh", "batch-norm", "conv", "lstm", "transformer", "adamw", "rmsprop", "dropout")
PAIRS = [("torch", name) for name in ZOO] + [("jax", name) for name in JAX]


def trained(name, library, compiled, **settings):
    pytest.importorskip(library)
    model, _, batch = ZOO[name].draw()
    model.to(library)
    step = ZOO[name].step(model, ZOO[name].optimizer(model))
    if compiled:
        step = cr.compile(step, **settings)
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


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.filterwarnings("error::chainrule.plan.PlanWarning")
def test_kernels_of_pytorch_itself_do_the_same(name):
    losses, state, _ = trained(name, "torch", compiled=True)
    got, got_state, plan = trained(name, "torch", compiled=True, without=["shared memory"])
    assert plan.latest.plan.place.backend.name == "torch"
    np.testing.assert_allclose(got, losses, rtol=RELATIVE, atol=ABSOLUTE)
    for key, value in state.items():
        np.testing.assert_allclose(got_state[key], value, rtol=RELATIVE, atol=ABSOLUTE, err_msg=key)


# --- PyTorch's tensors in the hands of compiled kernels ----------------------------------------------


def stepped(kind="batch-norm", dtype="float32"):
    """A model on PyTorch with its step as a plan, and a batch of tensors."""
    torch = pytest.importorskip("torch")
    model, _, batch = ZOO[kind].draw()
    model.to("torch").astype(dtype)
    step = ZOO[kind].step(model, ZOO[kind].optimizer(model))
    x, y = map(torch.from_numpy, batch())
    return model, cr.compile(step), x.to(getattr(torch, dtype)), y


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_tensors_stay_where_they_are_and_what_they_are():
    model, plan, x, y = stepped()
    torch = pytest.importorskip("torch")
    plan(x, y)
    held = {name: p.value for name, p in model.named_parameters()}
    before = {name: p.value.clone() for name, p in model.named_parameters()}
    first = plan(x, y)
    kept = first.data.clone()
    plan(x, y)
    assert len(plan.entries) == 1 and plan.latest.plan.place.backend.name == "numpy"
    assert all(p.value is held[name] for name, p in model.named_parameters())
    assert not any(torch.equal(p.value, before[name]) for name, p in model.named_parameters() if "weight" in name)
    assert all(type(b.value) is torch.Tensor for _, b in model.named_buffers())
    assert type(first.data) is torch.Tensor and torch.equal(first.data, kept)


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_buffers_that_are_replaced_are_seen():
    model, plan, x, y = stepped()
    plan(x, y)
    name, buffer = next((n, b) for n, b in model.named_buffers() if "mean" in n)
    buffer.value = buffer.value * 0 + 100
    plan(x, y)
    assert float(buffer.value.min()) > 50, name
    plan(x, y)
    assert 50 < float(buffer.value.min()) < 90


def test_other_dtypes_are_left_to_pytorch():
    model, plan, x, y = stepped(dtype="float64")
    losses = [float(plan(x, y)) for _ in range(STEPS)]
    assert plan.latest.plan.place.backend.name == "torch"
    assert losses[-1] < losses[0] and all(p.dtype == np.float64 for p in model.parameters())


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


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD", "RMSprop"])
def test_an_optimiser_may_step_twice_in_a_plan(library, kind):
    """Corrections of early steps count each of them, and moments go on from one to the next."""
    pytest.importorskip(library)

    def run(compiled):
        cr.seed(0)
        with cr.use(library):
            model = cr.models.MLP(4, 5, 3)
            optimizer = getattr(cr.optim, kind)(model, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {}))

        def step(x, y):
            for _ in range(2):
                optimizer.zero_grad()
                loss = cr.losses.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
            return loss

        x, y = np.random.default_rng(0).standard_normal((6, 4), np.float32), np.arange(6) % 3
        call = cr.compile(step) if compiled else step
        return [float(call(x, y)) for _ in range(STEPS)], optimizer

    (losses, slow), (got, fast) = run(False), run(True)
    np.testing.assert_allclose(got, losses, rtol=1e-5)
    assert fast.steps == slow.steps == 2 * STEPS
    for name, array in slow.state_dict()["arrays"].items():
        np.testing.assert_allclose(fast.state_dict()["arrays"][name], array, rtol=1e-3, atol=1e-6, err_msg=name)
