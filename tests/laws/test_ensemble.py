"""An ensemble trained at once is its members trained one by one."""

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
        (
            lambda: [cr.nn.BatchNorm1d(2)],
            "An ensemble takes no models with running statistics, model 0 has some.\n"
            "  try     LayerNorm in place of BatchNorm",
        ),
    ],
)
def test_mistakes_are_named(make, text):
    with pytest.raises(cr.OptionError) as caught:
        cr.nn.Ensemble(make())
    assert str(caught.value) == text
