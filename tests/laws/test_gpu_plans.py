"""On a GPU a plan is a graph, computes what define-by-run computes there, and loses nothing to wrong arguments."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim
from chainrule.base.errors import DataError
from tests.laws.zoo import ZOO

STEPS = 5
"""The first step is run kernel by kernel, the second is recorded, the others are started as graphs."""
RELATIVE, ABSOLUTE = 2e-4, 2e-5


@pytest.fixture(autouse=True)
def gpu():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU that PyTorch can use")
    torch.backends.cudnn.allow_tf32 = False
    return torch


def stepped(name, compiled, **settings):
    """A model of the zoo on the GPU, its step, and its batches on the host."""
    model, _, batch = ZOO[name].draw()
    model.to("torch", device="cuda")
    step = ZOO[name].step(model, ZOO[name].optimizer(model))
    return model, cr.compile(step, **settings) if compiled else step, batch


def trained(name, compiled, **settings):
    model, step, batch = stepped(name, compiled, **settings)
    with cr.random_stream(cr.Key(5)):
        losses = [float(step(*batch())) for _ in range(STEPS)]
    return losses, model.state_dict(), step


def is_graph(line):
    return getattr(getattr(line, "start", None), "__name__", "") == "replay"


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.filterwarnings("error")
def test_a_plan_is_what_it_was_recorded_from(name):
    losses, state, _ = trained(name, compiled=False)
    got, got_state, plan = trained(name, compiled=True)
    np.testing.assert_allclose(got, losses, rtol=RELATIVE, atol=ABSOLUTE)
    for key, value in state.items():
        np.testing.assert_allclose(got_state[key], value, rtol=RELATIVE, atol=ABSOLUTE, err_msg=key)
    assert any(map(is_graph, plan.latest.plan.lines))


def test_it_is_one_graph_with_the_step_of_the_optimiser():
    _, _, plan = trained("batch-norm", compiled=True)
    assert [is_graph(line) for line in plan.latest.plan.lines] == [True]


def test_a_wrong_label_changes_nothing(gpu):
    model, plan, batch = stepped("batch-norm", compiled=True)
    x, y = batch()
    for _ in range(3):
        plan(x, y)
    before = model.state_dict()
    wrong = y.copy()
    wrong[0] = 99
    for labels in (wrong, gpu.from_numpy(wrong).cuda()):
        with pytest.raises(DataError, match="99"):
            plan(x, labels)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    there = gpu.from_numpy(y).cuda()
    plan(x, there)
    there[0] = 99  # a tensor that was seen, and has changed
    with pytest.raises(DataError, match="99"):
        plan(x, there)
    plan(x, y)


def test_watching_changes_nothing():
    losses, state, _ = trained("mlp-tanh", compiled=True)
    model, plan, batch = stepped("mlp-tanh", compiled=True)
    watch, figures = plan.watch("*.z", "*.delta"), plan.watch("*.dweight", statistics=True)
    with cr.random_stream(cr.Key(5)):
        got = [float(plan(*batch())) for _ in range(STEPS)]
    assert got == losses
    assert watch["fc1.z"].shape == (STEPS, 8, 7) and figures["fc2.dweight"].shape == (STEPS, 4)
    for key, value in state.items():
        np.testing.assert_array_equal(model.state_dict()[key], value)


KINDS = {
    "adam": lambda m: optim.Adam(m, lr=0.01),
    "adamw": lambda m: optim.AdamW(m, lr=0.01, weight_decay=0.1),
    "sgd": lambda m: optim.SGD(m, lr=0.1),
    "nesterov": lambda m: optim.SGD(m, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "dampening": lambda m: optim.SGD(m, lr=0.1, momentum=0.9, dampening=0.1),
    "rmsprop": lambda m: optim.RMSprop(m, lr=0.01),
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_sizes_of_batch_share_an_optimiser_whose_rate_changes(kind):
    draw = np.random.default_rng(0)
    sizes = [8, 8, 8, 5, 5, 8, 5, 5, 8]
    batches = [(draw.standard_normal((n, 6), np.float32), draw.integers(0, 3, n)) for n in sizes]

    def run(compiled, **place):
        cr.seed(0)
        model = cr.models.MLP(6, 7, 3)
        if place:
            model.to(**place)
        optimizer = KINDS[kind](model)

        def step(x, y):
            optimizer.zero_grad()
            loss = cr.losses.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        losses, call = [], cr.compile(step) if compiled else step
        for k, batch in enumerate(batches):
            optimizer.lr = 0.01 / (1 + k // 3)
            losses.append(float(call(*batch)))
        return losses, optimizer.state_dict()

    wanted, state = run(compiled=False)
    for compiled in (False, True):
        got, there = run(compiled, backend="torch", device="cuda")
        np.testing.assert_allclose(got, wanted, rtol=RELATIVE, atol=ABSOLUTE)
        assert there["numbers"] == state["numbers"]
        for name, array in state["arrays"].items():
            np.testing.assert_allclose(there["arrays"][name], array, rtol=1e-3, atol=1e-5, err_msg=name)


def test_fit_trains_there():
    draw = np.random.default_rng(0)
    x = draw.standard_normal((200, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)

    def run(*place):
        cr.seed(0)
        with cr.use(*place):
            return cr.fit(cr.models.MLP(6, 7, 2), (x, y), epochs=3, batch_size=32, seed=1, progress=False)

    np.testing.assert_allclose(run("torch", "cuda")["train_loss"], run("numpy")["train_loss"], rtol=RELATIVE)
