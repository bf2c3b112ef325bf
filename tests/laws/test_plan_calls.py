"""When a plan is made, made anew, or given up, and what it says about itself."""

import tracemalloc
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.backends.native.library import loaded
from tests.laws.zoo import ZOO

TENTH = 0.1
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 5)).astype(np.float32), RNG.integers(0, 3, 8)


def training(model, lr=0.1, scale=lambda: 1.0):
    optimizer = cr.optim.SGD(model, lr=lr)

    def step(x, y):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y) * scale()
        loss.backward()
        optimizer.step()
        return loss

    return step, optimizer


def made(seed=0, **settings):
    cr.seed(seed)
    return cr.models.MLP(5, 4, 3, **settings)


def twins(**settings):
    return made(**settings), made(**settings)


def same_weights(a, b):
    for key, value in a.state_dict().items():
        np.testing.assert_allclose(b.state_dict()[key], value, rtol=1e-5, atol=1e-6, err_msg=key)


# --- new plans -------------------------------------------------------------------------------------


def test_another_shape_is_another_plan_and_both_stay():
    plan = cr.compile(training(made())[0])
    for n in (8, 5, 8, 5, 8):
        plan(X[:n], Y[:n])
    assert len(plan.entries) == 2
    assert plan.why() == "plan 1: the first call\nplan 2: argument 0: axis 0: 8 → 5"


def test_another_dtype_is_another_plan():
    plan = cr.compile(lambda x: cr.sum(x * 2))
    assert plan(X).dtype == np.float32
    assert plan(X.astype(np.float64)).dtype == np.float64
    assert plan.why().endswith("plan 2: argument 0: dtype float32 → float64")


def test_a_changed_mode_is_noticed():
    model = made(batch_norm=True)
    plan = cr.compile(lambda x: model(x))
    first = plan(X)
    model.eval()
    second = plan(X)
    np.testing.assert_allclose(second, model(X), rtol=1e-5, atol=1e-6)
    assert not np.allclose(first, second)
    assert "training: True → False" in plan.why()


def test_a_step_may_come_from_code_without_a_module():
    names = {"cr": cr, "rate": 3.0}
    exec("def step(x):\n    return cr.sum(x * rate)", names)
    assert names["step"].__module__ is None
    plan = cr.compile(names["step"])
    assert float(plan(np.ones(4, np.float32))) == 12
    names["rate"] = 2.0
    assert float(plan(np.ones(4, np.float32))) == 8


def test_a_changed_setting_of_a_layer_is_noticed():
    model = nn.Sequential(nn.LeakyReLU(0.1))
    plan = cr.compile(lambda x: model(x))
    np.testing.assert_allclose(plan(-np.ones(2, np.float32)), -0.1, rtol=1e-6)
    model[0].negative_slope = 0.5
    np.testing.assert_allclose(plan(-np.ones(2, np.float32)), -0.5)
    assert plan.why().endswith("plan 2: 0.negative_slope: 0.1 → 0.5")


def test_a_changed_number_outside_of_the_step_is_noticed():
    weight = 1.0

    def step(x):
        return cr.sum(x) * weight

    plan = cr.compile(step)
    assert float(plan(np.ones(3))) == 3
    weight = 2.0
    assert float(plan(np.ones(3))) == 6
    assert plan.why().endswith("plan 2: the float 'weight' that the step uses: 1.0 → 2.0")


def test_a_new_optimiser_moves_the_parameters_and_that_is_noticed():
    model = made()
    plan = cr.compile(lambda x: model(x))
    before = plan(X).numpy()
    cr.optim.SGD([model.fc1.weight], lr=0.1)  # a flat buffer of its own
    model.fc1.weight.assign(np.zeros((4, 5)))
    np.testing.assert_allclose(plan(X), model(X), rtol=1e-6)
    assert not np.allclose(before, plan(X))
    assert "the array of fc1.weight was replaced" in plan.why()


def test_a_frozen_parameter_is_noticed():
    a, b = twins()
    (step, _), (other, _) = training(a), training(b)
    plan = cr.compile(step)
    for k in range(4):
        if k == 2:
            a.fc1.requires_grad_(False)
            b.fc1.requires_grad_(False)
        plan(X, Y)
        other(X, Y)
    same_weights(b, a)
    assert "it was frozen or freed" in plan.why()


def test_another_layer_is_noticed():
    model = nn.Sequential(one=nn.Linear(5, 3))
    plan = cr.compile(lambda x: model(x))
    plan(X)
    model.one = nn.Linear(5, 2)
    assert plan(X).shape == (8, 2)


def test_loaded_weights_are_used_without_a_new_plan():
    a, b = twins()
    plan = cr.compile(lambda x: a(x))
    plan(X)
    a.load_state_dict(made(seed=3).state_dict())
    np.testing.assert_allclose(plan(X), made(seed=3)(X), rtol=1e-5, atol=1e-6)
    assert len(plan.reasons) == 1
    del b


def test_the_learning_rate_may_change_at_any_time():
    a, b = twins()
    (step, optimizer), (other, second) = training(a), training(b)
    plan = cr.compile(step)
    for k in range(4):
        optimizer.lr = second.lr = 0.1 / (k + 1)
        plan(X, Y)
        other(X, Y)
    same_weights(b, a)
    assert len(plan.reasons) == 1


def test_gradients_add_up_where_they_are_not_cleared():
    a, b = twins()

    def adding(model):
        def step(x, y):
            cr.losses.cross_entropy(model(x), y).backward()

        return step

    plan, other = cr.compile(adding(a)), adding(b)
    for n in (3, 4, 5):
        plan(X[:n], Y[:n])
        other(X[:n], Y[:n])
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-5, atol=1e-6)


def test_clipping_is_part_of_a_plan():
    a, b = twins()

    def clipped(model):
        optimizer = cr.optim.SGD(model, lr=0.5)

        def step(x, y):
            optimizer.zero_grad()
            loss = cr.losses.cross_entropy(model(x), y) * 10
            loss.backward()
            cr.optim.clip_grad_norm(optimizer, 0.1)
            optimizer.step()
            return loss

        return step

    plan, other = cr.compile(clipped(a)), clipped(b)
    for _ in range(3):
        np.testing.assert_allclose(float(plan(X, Y)), float(other(X, Y)), rtol=1e-5)
    same_weights(b, a)


def test_eager_steps_and_replays_may_alternate():
    a, b = twins(batch_norm=True)
    (step, _), (other, _) = training(a), training(b)
    plan = cr.compile(step)
    for k in range(6):
        (plan if k % 2 else step)(X, Y)
        other(X, Y)
    same_weights(b, a)


def test_functional_derivatives_are_planned():
    f = lambda w, x: cr.sum(cr.tanh(x @ w) ** 2)  # noqa: E731
    w = RNG.standard_normal((5, 4)).astype(np.float32)
    for of in (cr.grad(f), lambda w, x: cr.hvp(lambda v: f(v, x), w, w), cr.jacobian(lambda w, x: x @ w)):
        plan = cr.compile(of)
        np.testing.assert_allclose(plan(w, X), of(w, X), rtol=2e-5, atol=1e-5)
        np.testing.assert_allclose(plan(2 * w, X), of(2 * w, X), rtol=2e-5, atol=1e-5)
    each = cr.vmap(cr.grad(f), in_axes=(None, 0))
    np.testing.assert_allclose(cr.compile(each)(w, X), each(w, X), rtol=2e-5, atol=1e-5)


def test_a_checkpointed_step_is_planned():
    a, b = twins(activation="tanh")
    steps = []
    for model in (a, b):
        optimizer = cr.optim.SGD(model, lr=0.1)

        def step(x, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = cr.losses.cross_entropy(cr.checkpoint(model)(x), y)
            loss.backward()
            optimizer.step()
            return loss

        steps.append(step)
    plan = cr.compile(steps[0])
    for _ in range(3):
        np.testing.assert_allclose(float(plan(X, Y)), float(steps[1](X, Y)), rtol=1e-5)
    same_weights(b, a)


def test_trees_go_in_and_come_out():
    plan = cr.compile(lambda batch, factor: {"sum": cr.sum(batch["a"]) * factor, "both": (batch["b"] + 1, "text")})
    got = plan({"a": X, "b": Y}, factor=2)
    np.testing.assert_allclose(float(got["sum"]), 2 * X.sum(), rtol=1e-5)
    np.testing.assert_array_equal(got["both"][0], Y + 1)
    assert got["both"][1] == "text"


def test_results_are_not_overwritten_by_the_next_call():
    plan = cr.compile(lambda x: x * 2)
    first = plan(np.ones(3))
    plan(np.zeros(3))
    np.testing.assert_array_equal(first, 2)


# --- what a plan cannot hold -----------------------------------------------------------------------


def falling_back(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [str(w.message) for w in caught if w.category is cr.plan.PlanWarning]


def test_a_condition_on_a_number_falls_back_with_the_line():
    def step(x):
        y = cr.sum(x)
        if y > 3:
            return y * 2
        return y

    plan = cr.compile(step)
    results = [falling_back(lambda n=n: float(plan(np.full(2, n)))) for n in (1.0, 5.0)]
    assert [r for r, _ in results] == [2.0, 20.0]
    (message,), none = results[0][1], results[1][1]
    assert none == []
    assert message.splitlines()[0] == (
        "step runs as define-by-run, without a plan: A number was asked of a tensor of which only the shape is known."
    )
    assert "line    test_plan_calls.py:" in message
    assert "cr.where(condition, a, b) in place of if" in message


def test_an_array_kept_by_a_layer_falls_back():
    class Keeps(nn.Module):
        def forward(self, x):
            self.seen = x * 2
            return self.seen

    model = Keeps()
    plan = cr.compile(lambda x: model(x))
    _, messages = falling_back(lambda: plan(X))
    assert len(messages) == 1 and "seen" in messages[0]
    np.testing.assert_array_equal(model.seen, X * 2)


def test_a_mistake_is_named_as_in_define_by_run():
    plan = cr.compile(training(made())[0])
    with pytest.raises(cr.ShapeError, match="Linear expects 5 input features, got 4"):
        plan(X[:, :4], Y)
    plan(X, Y)


def test_labels_are_checked_in_every_step_and_nothing_is_lost():
    model = made()
    plan = cr.compile(training(model)[0])
    plan(X, Y)
    before = model.state_dict()
    wrong = Y.copy()
    wrong[4] = 7
    with pytest.raises(cr.DataError, match="cross_entropy expects labels 0 to 2, got 7"):
        plan(X, wrong)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(before[key], value)
    plan(X, Y)


def test_an_unknown_pass_is_refused():
    with pytest.raises(cr.OptionError, match="There is no pass 'inlining' to leave out"):
        cr.compile(lambda x: x, without=["inlining"])


# --- watching --------------------------------------------------------------------------------------


def test_watched_values_are_those_of_define_by_run():
    a, b = twins(activation="tanh")
    plan = cr.compile(training(a)[0])
    watch = plan.watch("fc1.z", "fc1.a", "fc1.delta", "fc1.da", "fc1.weight", "fc1.dweight", "fc2.dbias")
    plan(X, Y)
    z = b.fc1(X)
    act = cr.tanh(z)
    loss = cr.losses.cross_entropy(b.fc2(act), Y)
    z_bar, a_bar, w_bar, b_bar = cr.gradients(loss, [z, act, b.fc1.weight, b.fc2.bias])
    wanted = {"z": z, "a": act, "delta": z_bar, "da": a_bar, "dweight": w_bar}
    for short, value in wanted.items():
        np.testing.assert_allclose(watch[f"fc1.{short}"][0], value.numpy(), rtol=1e-5, atol=1e-6, err_msg=short)
    np.testing.assert_allclose(watch["fc2.dbias"][0], b_bar.numpy(), rtol=1e-5, atol=1e-6)


def test_every_and_keep_choose_the_steps():
    plan = cr.compile(training(made())[0])
    watch = plan.watch("*.z", every=3, keep=2)
    for _ in range(11):
        plan(X, Y)
    assert watch.steps.tolist() == [6, 9]
    assert watch.names == ["fc1.z", "fc2.z"]
    assert watch["fc1.z"].shape == (2, 8, 4)


def test_statistics_are_mean_deviation_least_and_largest():
    plan = cr.compile(training(made())[0])
    full, figures = plan.watch("fc1.*"), plan.watch("fc1.*", statistics=True)
    for _ in range(3):
        plan(X, Y)
    assert figures.columns == ("mean", "std", "min", "max")
    for name in figures.names:
        v = full[name].reshape(3, -1).astype(np.float64)
        wanted = np.stack([v.mean(1), v.std(1), v.min(1), v.max(1)], axis=1)
        np.testing.assert_allclose(figures[name], wanted, rtol=1e-5, atol=1e-6)


def test_batches_of_other_sizes_are_watched_too():
    plan = cr.compile(training(made())[0])
    watch = plan.watch("fc1.z")
    for n in (8, 5, 8):
        plan(X[:n], Y[:n])
    assert watch.steps.tolist() == [0, 1, 2]
    assert [len(v) for v in watch["fc1.z"]] == [8, 5, 8]


def test_a_quantity_that_is_not_there_is_refused():
    plan = cr.compile(training(made())[0])
    plan(X, Y)
    with pytest.raises(cr.OptionError) as caught:
        plan.watch("fc3.z")
    assert str(caught.value).startswith("The plan has no quantity 'fc3.z'.\n  known   fc1.z, ")


def test_unwatched_again():
    plan = cr.compile(training(made())[0])
    watch = plan.watch("fc1.z")
    plan(X, Y)
    plan.unwatch(watch)
    plan(X, Y)
    assert watch.steps.tolist() == [0]


# --- memory and cost -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mlp-relu", "conv", "lstm", "transformer", "batch-norm"])
def test_memory_is_what_is_then_taken(name):
    model, optimizer, batch = ZOO[name].draw()
    x, y = (np.repeat(a, 3000, axis=0) for a in batch())
    step = ZOO[name].step(model, optimizer)
    step(*batch())  # some modules are imported at their first use
    expected = cr.compile(step).memory(x, y)
    state = expected.total - expected.arena - expected.scratch - expected.inputs
    plan = cr.compile(step)
    entry = plan.entry(x, y)
    tracemalloc.start()
    entry.run([x, y], 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(peak - (expected.total - state)) <= TENTH * peak + 300_000  # Python's own objects


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_an_input_can_be_read_elsewhere_unless_others_read_it_too():
    model = made()
    plan = cr.compile(lambda x: (cr.sum(model(x)), x * 2)).entry(X).plan
    here, other = plan.inputs[0], np.array(X) + 1
    for words, place, offset in plan.addresses(plan.program.inputs[0]):
        words[place] = other.ctypes.data + offset
    plan.run()
    assert not np.shares_memory(here, other)
    np.testing.assert_array_equal(plan.results[1], 2 * other)
    np.testing.assert_allclose(plan.results[0], float(cr.sum(model(other))), rtol=1e-5)
    for step in (lambda x: (cr.sum(model(x)), x), lambda x: cr.sum(cr.sort(x))):
        returned = cr.compile(step).entry(X).plan
        assert returned.addresses(returned.program.inputs[0]) is None


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_kernels_work_in_the_same_memory_one_after_the_other():
    def scratch(layers):
        model = nn.Sequential(*(nn.Conv2d(16, 16, 3, padding=1) for _ in range(layers)))
        return cr.compile(lambda x: cr.sum(model(x))).memory(np.zeros((8, 16, 20, 20), np.float32)).scratch

    assert 0 < scratch(1) == scratch(4)


def test_nothing_is_run_for_a_report():
    model = made()
    before = model.state_dict()
    plan = cr.compile(training(model)[0])
    assert "fc1" in str(plan.memory(X, Y))
    assert plan.cost(X, Y).flops > 0
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(before[key], value)


def test_the_cost_is_that_of_the_products():
    plan = cr.compile(training(made())[0])
    cost = plan.cost(X, Y)
    forward = 2 * 8 * (5 * 4 + 4 * 3)
    backward = 2 * 8 * (5 * 4 + 2 * 4 * 3)  # no gradient for x
    assert forward + backward <= cost.flops <= 2 * (forward + backward)
    assert cost.rows["fc1"].flops > 0


def test_a_report_before_any_call_needs_arguments():
    with pytest.raises(cr.OptionError, match="The plan was not called yet"):
        cr.compile(lambda x: x).memory()
