"""What every optimiser obeys: it descends, touches what it should, and goes on from its state bit for bit."""

import json
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load, save

import chainrule as cr
from chainrule.optim import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AveragedMomentum,
    Cosine,
    NormalizedGD,
    Optimizer,
    RMSprop,
    VelocityMomentum,
)
from chainrule.optim import optimizer as optimizer_module

VARIANTS = {
    "sgd": lambda p, **own: SGD(p, **{"lr": 0.02} | own),
    "sgd-decayed": lambda p, **own: SGD(p, **{"lr": 0.02, "weight_decay": 1e-3} | own),
    "heavy-ball": lambda p, **own: SGD(p, **{"lr": 0.005, "momentum": 0.8} | own),
    "dampened": lambda p, **own: SGD(p, **{"lr": 0.01, "momentum": 0.8, "dampening": 0.5} | own),
    "nesterov": lambda p, **own: SGD(p, **{"lr": 0.005, "momentum": 0.8, "nesterov": True} | own),
    "averaged": lambda p, **own: AveragedMomentum(p, **{"lr": 0.02, "momentum": 0.8} | own),
    "velocity": lambda p, **own: VelocityMomentum(p, **{"lr": 0.005, "momentum": 0.8} | own),
    "normalised": lambda p, **own: NormalizedGD(p, **{"lr": 0.01} | own),
    "adagrad": lambda p, **own: Adagrad(p, **{"lr": 0.1} | own),
    "rmsprop": lambda p, **own: RMSprop(p, **{"lr": 0.01} | own),
    "rmsprop-inside": lambda p, **own: RMSprop(p, **{"lr": 0.01, "eps_inside_sqrt": True} | own),
    "adam": lambda p, **own: Adam(p, **{"lr": 0.02} | own),
    "adam-inside": lambda p, **own: Adam(p, **{"lr": 0.02, "eps_inside_sqrt": True} | own),
    "adam-decayed": lambda p, **own: Adam(p, **{"lr": 0.02, "weight_decay": 1e-3} | own),
    "adamw": lambda p, **own: AdamW(p, **{"lr": 0.02, "weight_decay": 1e-3} | own),
}
ENTRYWISE = {name: make for name, make in VARIANTS.items() if name != "normalised"}  # that one takes the whole
CURVATURES = np.array([1.0, 10.0, 0.1, 3.0])

each = pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)


def weights(*shapes, dtype=np.float64, seed=0):
    generator = cr.Key(seed).generator()
    return [cr.nn.Parameter(generator.standard_normal(shape).astype(dtype)) for shape in shapes]


def give_gradients(parameters, seed):
    generator = cr.Key(seed).generator()
    for p in parameters:
        p.grad = generator.standard_normal(p.shape).astype(p.dtype)


def train(optimizer, parameters, steps, first=0):
    for step in range(first, first + steps):
        give_gradients(parameters, step)
        optimizer.step()


def subclasses(cls):
    return {cls}.union(*(subclasses(c) for c in cls.__subclasses__()))


def test_all_optimizers_are_tested_and_named():
    tested = {type(make(weights(2))) for make in VARIANTS.values()}
    ours = {cls for cls in subclasses(Optimizer) - {Optimizer} if cls.__module__.startswith("chainrule.")}
    assert tested == set(OPTIMIZERS.values()) == ours
    assert all(cls.formula and "lr" not in cls.limits for cls in tested)


# --- Descent ---------------------------------------------------------------------------------------------


@each
def test_descends_on_a_quadratic(make):
    w = cr.nn.Parameter(np.array([1.0, -1.0, 2.0, 0.5]))
    optimizer = make([w])

    def loss():
        return (CURVATURES * w * w).sum() / 2

    before = loss().item()
    for _ in range(400):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.1 * before
    assert optimizer.steps == 400


@each
def test_descends_on_rosenbrock(make):
    """(1 − x)² + 100 (y − x²)², from (−1.2, 1): a bent valley, curved 1000 times as much across as along."""
    w = cr.nn.Parameter(np.array([-1.2, 1.0]))
    optimizer = make([w])
    if isinstance(optimizer, (SGD, AveragedMomentum, VelocityMomentum)):  # the others adapt to the curvature
        optimizer.lr *= 0.02

    def loss():
        return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2

    before = loss().item()
    for _ in range(500):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.5 * before


# --- What changes and what does not ----------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_place_and_gradients_stay(make, dtype):
    """No change of dtype, also with a rate in np.float64; parameters stay views of the one buffer."""
    parameters = weights((3, 2), (2,), dtype=dtype)
    optimizer = make(parameters)
    (group,) = optimizer.groups
    buffer, moments = group.flat.values, dict(group.moments)
    for step in range(3):
        give_gradients(parameters, step)
        before = group.flat.grads.copy()
        optimizer.lr = np.float64(Cosine(0.01, 10)(step))
        optimizer.step()
        np.testing.assert_array_equal(group.flat.grads, before)
    assert group.flat.values is buffer
    assert all(np.shares_memory(buffer, p.data) and p.dtype == dtype for p in parameters)
    assert all(group.moments[name] is m and m.dtype == dtype for name, m in moments.items())
    assert type(optimizer.lr) is float


@pytest.mark.parametrize("make", ENTRYWISE.values(), ids=ENTRYWISE)
def test_parameters_without_gradient_are_left_alone(make):
    """As if they were not there: also when they join in later, with the corrections of a first step."""
    parameters, twins = weights(3, 2, 4), weights(3, 2, 4)
    optimizer = make(parameters)
    alone = [make([p]) for p in twins]
    for step in range(6):
        optimizer.zero_grad()
        taking_part = [0, 2] if step < 3 else [0, 1, 2]
        for i in taking_part:
            give_gradients([parameters[i]], 10 * step + i)
            give_gradients([twins[i]], 10 * step + i)
            alone[i].step()
        before = parameters[1].data.copy()
        optimizer.step()
        if step < 3:
            np.testing.assert_array_equal(parameters[1].data, before)
    for p, twin in zip(parameters, twins, strict=True):
        np.testing.assert_array_equal(p.data, twin.data)
    assert optimizer.groups[0].counts.tolist() == [6, 3, 6]


@each
def test_blocks_change_nothing(make, monkeypatch):
    whole, cut = weights((7, 3), 5), weights((7, 3), 5)
    train(make(whole), whole, 4)
    monkeypatch.setattr(optimizer_module, "BLOCK", 4)
    train(make(cut), cut, 4)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


@each
def test_two_optimizers_on_disjoint_sets(make):
    """Each as if the other did not exist."""
    parameters, twins = weights(3, 2), weights(3, 2)
    first, second = make(parameters[:1]), make(parameters[1:])
    for optimizer, part in ((first, parameters[:1]), (second, parameters[1:])):
        train(optimizer, part, 5)
    for twin in twins:
        train(make([twin]), [twin], 5)
    for p, twin in zip(parameters, twins, strict=True):
        np.testing.assert_array_equal(p.data, twin.data)


@each
def test_no_memory_is_taken_by_a_step(make):
    """After the first one; small Python objects aside."""
    parameters = weights((500, 200), 500)
    optimizer = make(parameters)
    give_gradients(parameters, 0)
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.05 * optimizer.groups[0].flat.values.nbytes


# --- State -----------------------------------------------------------------------------------------------


@each
def test_resumed_is_uninterrupted(make):
    """Bit for bit, through JSON and safetensors."""
    through, stopped = weights((3, 2), 4), weights((3, 2), 4)
    uninterrupted = make(through)
    train(uninterrupted, through, 10)
    before = make(stopped)
    train(before, stopped, 5)
    state = before.state_dict()
    arrays = load(save(state.pop("arrays")))
    again = [cr.nn.Parameter(p.data) for p in stopped]
    resumed = make(again, lr=0.5)
    resumed.load_state_dict(json.loads(json.dumps(state)) | {"arrays": arrays})
    train(resumed, again, 5, first=5)
    assert (resumed.steps, resumed.lr) == (uninterrupted.steps, uninterrupted.lr)
    for p, q in zip(through, again, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@each
def test_the_state_is_a_copy(make):
    parameters = weights(3)
    optimizer = make(parameters)
    train(optimizer, parameters, 1)
    state = optimizer.state_dict()
    kept = {name: array.copy() for name, array in state["arrays"].items()}
    train(optimizer, parameters, 3)
    for name, array in kept.items():
        np.testing.assert_array_equal(state["arrays"][name], array)


def test_moments_by_parameter():
    first, second = weights((3, 2), 4)
    optimizer = Adam([first, second])
    train(optimizer, [first, second], 1)
    moments = optimizer.moments_of(second)
    np.testing.assert_array_equal(moments["m"], (1 - 0.9) * second.grad.data)
    assert optimizer.moments_of(first)["v"].shape == (3, 2)
    assert SGD([first]).moments_of(first) == {}


# --- Groups and ways to name parameters ------------------------------------------------------------------


def test_a_module_its_parameters_and_one_parameter():
    model = cr.nn.Sequential(cr.nn.Linear(3, 2), cr.nn.Linear(2, 1))
    ways = [SGD(model), SGD(model.parameters()), SGD([{"params": model}]), SGD(list(model.parameters()) * 2)]
    assert all(len(way.groups[0].flat.parameters) == 4 for way in ways)
    assert all(way.groups[0].flat is ways[0].groups[0].flat for way in ways)
    assert list(SGD(model[0].weight).parameters()) == [model[0].weight]


def test_groups_have_settings_of_their_own():
    """Like two optimisers; `lr` moves both and keeps their ratio."""
    first, second = weights(3, 2)
    a, b = weights(3, 2)
    both = SGD([{"params": [first]}, {"params": second, "lr": 0.4, "momentum": 0.5}], lr=0.1, momentum=0.9)
    alone = [SGD([a], lr=0.1, momentum=0.9), SGD([b], lr=0.4, momentum=0.5)]
    for step in range(4):
        for p in (first, second, a, b):
            give_gradients([p], step)
        both.lr, alone[0].lr, alone[1].lr = 0.1 / (1 + step), 0.1 / (1 + step), 0.4 / (1 + step)
        both.step()
        for optimizer in alone:
            optimizer.step()
    np.testing.assert_array_equal(first.data, a.data)
    np.testing.assert_allclose(second.data, b.data, rtol=1e-15)  # 4 · 0.1/k and 0.4/k, rounded
    assert list(both.parameters()) == [first, second]


def test_a_group_without_momentum_keeps_nothing():
    first, second = weights(3, 2)
    optimizer = SGD([{"params": first, "momentum": 0.0}, {"params": second}], lr=0.1, momentum=0.9)
    assert [list(group.moments) for group in optimizer.groups] == [[], ["velocity"]]


def test_repr():
    assert repr(NormalizedGD(weights(2))) == "NormalizedGD(lr=0.01)"
    assert repr(Adam(weights(2))) == (
        "Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, eps_inside_sqrt=False)"
    )


# --- What the forms of momentum have to do with each other -----------------------------------------------


ROUNDING = 1e-12  # float64, a few dozen operations


def path(optimizer, w, steps=12, rates=None):
    points = []
    for step in range(steps):
        optimizer.lr = rates[step] if rates else optimizer.lr
        w.grad = CURVATURES * w.data
        optimizer.step()
        points.append(w.data.copy())
    return np.array(points)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_three_forms_of_momentum(weight_decay):
    """At constant η: heavy ball = velocity form = average with η/(1 − μ). 003 §9.4."""
    (a,), (b,), (c,) = weights(4), weights(4), weights(4)
    heavy_ball = path(SGD([a], lr=0.05, momentum=0.9, weight_decay=weight_decay), a)
    velocity = path(VelocityMomentum([b], lr=0.05, weight_decay=weight_decay), b)
    average = path(AveragedMomentum([c], lr=0.5, weight_decay=weight_decay), c)
    np.testing.assert_allclose(velocity, heavy_ball, rtol=ROUNDING)
    np.testing.assert_allclose(average, heavy_ball, rtol=ROUNDING)


def test_velocity_keeps_the_rate_that_a_step_was_taken_with():
    """Where η falls to zero, heavy ball stands still at once; the velocity form rolls on."""
    (a,), (b,) = weights(4), weights(4)
    rates = [0.05] * 6 + [0.0] * 6
    heavy_ball = path(SGD([a], lr=0.05, momentum=0.9), a, rates=rates)
    velocity = path(VelocityMomentum([b], lr=0.05), b, rates=rates)
    np.testing.assert_allclose(velocity[:6], heavy_ball[:6], rtol=ROUNDING)
    np.testing.assert_array_equal(heavy_ball[5], heavy_ball[-1])
    np.testing.assert_allclose(velocity[7] - velocity[6], 0.9 * (velocity[6] - velocity[5]), rtol=1e-9)


def test_nesterov_is_the_look_ahead_in_other_variables():
    """000 (8.12)-(8.13) by hand: θ and v with the gradient at φ = θ − ημv; our parameters are φ."""
    (w,) = weights(4)
    lr, momentum = 0.05, 0.9
    theta, v, ahead = w.data.copy(), np.zeros(4), []
    for _ in range(12):
        v = momentum * v + CURVATURES * (theta - lr * momentum * v)
        theta = theta - lr * v
        ahead.append(theta - lr * momentum * v)
    np.testing.assert_allclose(path(SGD([w], lr, momentum, nesterov=True), w), ahead, rtol=ROUNDING, atol=ROUNDING)


def test_penalty_and_decay_agree_for_sgd_and_differ_for_adam():
    """000 §8.3.3: θ ← (1 − ηλ) θ is the penalty's step without moments, not with them."""
    (a,), (b,), (c,), (d,) = (weights(4) for _ in range(4))
    shrunk = (1 - 0.1 * 0.2) * a.data - 0.1 * CURVATURES * a.data
    path(SGD([a], lr=0.1, weight_decay=0.2), a, steps=1)
    np.testing.assert_allclose(a.data, shrunk, rtol=ROUNDING)
    np.testing.assert_array_equal(path(AdamW([b], weight_decay=0), b), path(Adam([c]), c))
    (c,) = weights(4)
    assert not np.allclose(path(AdamW([c], weight_decay=0.1), c), path(Adam([d], weight_decay=0.1), d))


def test_every_normalised_step_has_length_lr():
    parameters = weights((3, 2), 4)
    optimizer = NormalizedGD(parameters, lr=0.1)
    for step in range(3):
        before = optimizer.groups[0].flat.values.copy()
        give_gradients(parameters, step)
        optimizer.step()
        assert np.linalg.norm(optimizer.groups[0].flat.values - before) == pytest.approx(0.1, rel=ROUNDING)
    before = optimizer.groups[0].flat.values.copy()
    for p in parameters:
        p.grad = np.zeros(p.shape)
    optimizer.step()
    np.testing.assert_array_equal(optimizer.groups[0].flat.values, before)


# --- Accumulation ----------------------------------------------------------------------------------------


def test_gradients_accumulate_over_backward_calls():
    """k quarters of a batch, each loss over k, make the whole batch's step (000 §13.2.2)."""
    x, y = cr.Key(1).generator().standard_normal((2, 8, 3))
    (a,), (b,) = weights((3, 3)), weights((3, 3))
    whole, parts = SGD([a], lr=0.1), SGD([b], lr=0.1)
    ((x @ a - y) ** 2).mean().backward()
    whole.step()
    for rows in range(0, 8, 2):
        (((x[rows : rows + 2] @ b - y[rows : rows + 2]) ** 2).mean() / 4).backward()
    parts.step()
    np.testing.assert_allclose(b.data, a.data, rtol=ROUNDING)
