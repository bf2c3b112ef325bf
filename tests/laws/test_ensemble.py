"""An ensemble trained at once is its members trained one by one."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule.core import vmap

ROUNDING = 1e-12  # the same sums in another order, over 20 steps in float64


def networks(count, seed=0):
    cr.seed(seed)
    return [cr.models.MLP(4, 6, 3, activation="tanh").astype("float64") for _ in range(count)]


def data():
    draw = np.random.default_rng(0)
    return draw.standard_normal((12, 4)), draw.integers(0, 3, 12)


@pytest.mark.parametrize("optimizer", [cr.optim.SGD, cr.optim.Adam])
def test_three_seeds_at_once_equal_three_trainings(optimizer):
    x, y = data()
    alone = networks(3)
    ensemble = cr.nn.Ensemble(networks(3))
    step = optimizer(ensemble, lr=0.05)
    loss = vmap(cr.losses.cross_entropy, in_axes=(0, None))
    for _ in range(20):
        step.zero_grad()
        loss(ensemble(x), y).sum().backward()
        step.step()
    for k, model in enumerate(alone):
        own = optimizer(model, lr=0.05)
        for _ in range(20):
            own.zero_grad()
            cr.losses.cross_entropy(model(x), y).backward()
            own.step()
        np.testing.assert_allclose(ensemble(x).numpy()[k], model(x).numpy(), rtol=ROUNDING, atol=ROUNDING)
        np.testing.assert_allclose(ensemble.member(k)(x).numpy(), model(x).numpy(), rtol=ROUNDING, atol=ROUNDING)


# --- dropout, batch norm and a seed for each ------------------------------------------------------------

SEEDS = [3, 0, 11]
STEPS = 8


def with_chance_and_statistics():
    """No bias before batch norm, which takes it out again: its gradient is 0 and Adam would make steps of rounding."""
    n = cr.nn
    return n.Sequential(
        n.Linear(4, 8, bias=False), n.BatchNorm1d(8), n.Tanh(), n.Dropout(0.3),
        n.Sequential(n.Linear(8, 6, bias=False), n.Dropout(0.5)), n.BatchNorm1d(6, momentum=None), n.Linear(6, 3),
    ).astype("float64")  # fmt: skip


def made(seed):
    cr.seed(seed)
    return with_chance_and_statistics()


def by_step(seed, n):
    """As `fit` does it: step n draws from a stream of its own."""
    return cr.random_stream(cr.Key(seed) / "step" / n)


def on_and_on(seed, n):
    """One stream for the whole program, as `cr.seed` starts it."""
    return nullcontext()


def trained(model, seed, stream, optimizer, loss, batches):
    step = optimizer(model, lr=0.05)
    for n in range(STEPS):
        with stream(seed, n):
            step.zero_grad()
            loss(model, *batches(n)).backward()
            step.step()
    return model


def own_loss(model, x, y):
    return cr.losses.cross_entropy(model(x), y)


def shared_loss(ensemble, x, y):
    return vmap(cr.losses.cross_entropy, in_axes=(0, None))(ensemble(x), y).sum()


def halves(n):
    x, y = data()
    return x[n % 2 :: 2], y[n % 2 :: 2]


def same_member(ensemble, k, model):
    """Weights, running statistics, and what comes out in evaluation."""
    for name, part in model.state_dict().items():
        group = ensemble.members if name in ensemble.members else ensemble.statistics
        np.testing.assert_allclose(group[name].data[k], part, rtol=ROUNDING, atol=ROUNDING, err_msg=name)
    x, _ = data()
    np.testing.assert_allclose(ensemble.eval()(x).numpy()[k], model.eval()(x).numpy(), rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(ensemble.member(k)(x).numpy(), model(x).numpy(), rtol=ROUNDING, atol=ROUNDING)
    ensemble.train()


@pytest.mark.parametrize("stream", [by_step, on_and_on])
@pytest.mark.parametrize("optimizer", [partial(cr.optim.SGD, momentum=0.9), cr.optim.Adam])
def test_one_training_with_seeds_is_the_trainings_of_these_seeds(optimizer, stream):
    ensemble = cr.nn.Ensemble([made(seed) for seed in SEEDS], seeds=SEEDS)
    trained(ensemble, 99, stream, optimizer, shared_loss, halves)
    alone = [trained(made(seed), seed, stream, optimizer, own_loss, halves) for seed in SEEDS]
    for k, model in enumerate(alone):
        same_member(ensemble, k, model)
    assert ensemble.statistics["1.num_batches_tracked"].tolist() == [STEPS] * 3
    assert np.ptp(ensemble(data()[0]).numpy(), axis=0).min() > 0  # three networks, not one


def test_each_may_have_its_own_data():
    """Members whose seeds deal the examples in orders of their own."""

    def dealt(seed, n):
        x, y = data()
        order = (cr.Key(seed) / "order" / n).generator().permutation(len(x))[:6]
        return x[order], y[order]

    def loss(ensemble, x, y):
        return vmap(cr.losses.cross_entropy)(ensemble(x, in_axes=0), y).sum()

    def together(n):
        return (np.stack(part) for part in zip(*(dealt(seed, n) for seed in SEEDS), strict=True))

    ensemble = cr.nn.Ensemble([made(seed) for seed in SEEDS], seeds=SEEDS)
    trained(ensemble, 99, by_step, cr.optim.Adam, loss, together)
    for k, seed in enumerate(SEEDS):
        same_member(ensemble, k, trained(made(seed), seed, by_step, cr.optim.Adam, own_loss, partial(dealt, seed)))


def test_without_seeds_members_draw_as_examples_do():
    x, _ = data()
    models = [made(seed) for seed in SEEDS]
    with cr.random_stream(cr.Key(5)):
        got = cr.nn.Ensemble(models)(x)
    for k, model in enumerate(models):
        with cr.random_stream(cr.Key(5) / "example" / k):
            np.testing.assert_allclose(got.numpy()[k], model(x).numpy(), rtol=ROUNDING, atol=ROUNDING)


def test_recurrent_layers_drop_between_layers_as_alone():
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    models = [cr.nn.ResidualRNN(3, 4, 2, dropout=0.5).astype("float64") for _ in SEEDS]
    with cr.random_stream(cr.Key(0) / "step" / 1):
        got, _ = cr.nn.Ensemble(models, seeds=SEEDS)(x)
    for k, (model, seed) in enumerate(zip(models, SEEDS, strict=True)):
        with cr.random_stream(cr.Key(seed) / "step" / 1):
            np.testing.assert_allclose(got.numpy()[k], model(x)[0].numpy(), rtol=ROUNDING, atol=ROUNDING)


def test_a_saved_ensemble_is_the_same_again(tmp_path):
    ensemble = cr.nn.Ensemble([made(seed) for seed in SEEDS], seeds=SEEDS)
    trained(ensemble, 1, by_step, cr.optim.Adam, shared_loss, halves)
    cr.save(ensemble, tmp_path / "ensemble.safetensors")
    other = cr.nn.Ensemble([made(7) for _ in SEEDS], seeds=SEEDS)
    cr.load(other, tmp_path / "ensemble.safetensors")
    np.testing.assert_array_equal(other.eval()(data()[0]), ensemble.eval()(data()[0]))


def test_statistics_are_left_alone_in_evaluation_and_by_a_repeated_run():
    x, _ = data()
    ensemble = cr.nn.Ensemble([made(seed) for seed in SEEDS], seeds=SEEDS)
    ensemble.eval()(x)
    assert ensemble.statistics["1.num_batches_tracked"].tolist() == [0, 0, 0]
    cr.checkpoint(ensemble.train())(x).sum().backward()
    assert ensemble.statistics["1.num_batches_tracked"].tolist() == [1, 1, 1]


def test_a_shared_statistic_is_not_split():
    model = cr.nn.BatchNorm1d(2)
    with pytest.raises(cr.OptionError) as caught:
        cr.vmap(model)(np.random.default_rng(0).standard_normal((3, 4, 2)).astype(np.float32))
    assert str(caught.value) == (
        "A buffer that all examples of vmap share was given one value for each of them.\n"
        "  layer   BatchNorm1d(2)\n"
        "  cause   running statistics in training, as batch norm's\n"
        "  try     model.eval(), or cr.nn.Ensemble for several models"
    )


def test_seeds_are_as_many_as_models():
    with pytest.raises(cr.OptionError) as caught:
        cr.nn.Ensemble(networks(3), seeds=[1, 2])
    assert str(caught.value) == "An ensemble takes a seed for each of its 3 models, got 2."


def test_the_template_is_no_part_of_it():
    ensemble = cr.nn.Ensemble(networks(5))
    assert ensemble.n_parameters == 5 * networks(1)[0].n_parameters
    assert repr(ensemble) == "Ensemble(5 × MLP)"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: [], "An ensemble has one model or more."),
        (
            lambda: [cr.nn.Linear(2, 3), cr.nn.Linear(2, 4)],
            "The models of an ensemble have one architecture, model 1 differs from model 0.\n  model   Linear(2 → 4)",
        ),
    ],
)
def test_mistakes_are_named(make, text):
    with pytest.raises(cr.OptionError) as caught:
        cr.nn.Ensemble(make())
    assert str(caught.value) == text
