"""PyTorch agrees on optimisers, schedules and clipping."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Cosine,
    Exponential,
    Joined,
    LinearWarmup,
    OneCycle,
    RMSprop,
    StepDecay,
    WarmRestarts,
    clip_grad_norm,
    clip_grad_value,
)

torch = pytest.importorskip("torch")

SAME_FORMULA = 1e-12  # float64, relative: the same sums in another order, over 20 steps
TORCH_NORM_EPS = 1e-6  # PyTorch divides by the norm + 1e-6, relative to norms near 1
STEPS = 20
SHAPES = [(5, 3), (5,), (2, 5), (2,)]

CASES = {
    "sgd": (SGD, "SGD", {"lr": 0.1}),
    "sgd-decay": (SGD, "SGD", {"lr": 0.1, "weight_decay": 0.3}),
    "momentum": (SGD, "SGD", {"lr": 0.1, "momentum": 0.9}),
    "momentum-decay": (SGD, "SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
    "dampening": (SGD, "SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.3}),
    "nesterov": (SGD, "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "nesterov-decay": (SGD, "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.3}),
    "adagrad": (Adagrad, "Adagrad", {}),
    "adagrad-decay": (Adagrad, "Adagrad", {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.3}),
    "rmsprop": (RMSprop, "RMSprop", {}),
    "rmsprop-decay": (RMSprop, "RMSprop", {"lr": 0.1, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.3}),
    "adam": (Adam, "Adam", {}),
    "adam-decay": (Adam, "Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    "adamw": (AdamW, "AdamW", {}),
    "adamw-decay": (AdamW, "AdamW", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
}


def pairs(dtype=np.float64):
    generator = np.random.default_rng(0)
    arrays = [generator.standard_normal(shape).astype(dtype) for shape in SHAPES]
    ours = [cr.nn.Parameter(a) for a in arrays]
    return ours, [torch.nn.Parameter(torch.tensor(a)) for a in arrays]


def give_gradients(ours, theirs, step, absent=()):
    generator = np.random.default_rng(step)
    for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        g = generator.standard_normal(p.shape).astype(p.dtype)
        p.grad, q.grad = (None, None) if i in absent else (g, torch.tensor(g))


def assert_equal(ours, theirs, rel=SAME_FORMULA):
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=rel, atol=rel)


@pytest.mark.parametrize(("cls", "name", "settings"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("absent", [(), (1, 2)], ids=["all", "late"])
def test_twenty_steps(cls, name, settings, absent):
    """All parameters, or two that get their first gradient after five steps and miss every third later."""
    ours, theirs = pairs()
    mine, other = cls(ours, **settings), getattr(torch.optim, name)(theirs, **settings)
    for step in range(STEPS):
        give_gradients(ours, theirs, step, absent if step < 5 or step % 3 == 0 else ())
        mine.step()
        other.step()
    assert_equal(ours, theirs)


def test_defaults_are_the_same():
    _, theirs = pairs()
    for cls, name, settings in CASES.values():
        if not settings:
            mine, other = cls(pairs()[0]), getattr(torch.optim, name)(theirs).defaults
            wanted = {k: tuple(v) if k == "betas" else v for k, v in other.items() if k in cls.limits}
            assert mine.lr == other["lr"]
            assert {k: v for k, v in mine.settings.items() if k in wanted} == wanted


def test_groups():
    ours, theirs = pairs()
    for step in range(3):
        give_gradients(ours, theirs, step)
    mine = SGD([{"params": ours[:2]}, {"params": ours[2:], "lr": 0.03, "momentum": 0.5}], lr=0.1)
    other = torch.optim.SGD([{"params": theirs[:2]}, {"params": theirs[2:], "lr": 0.03, "momentum": 0.5}], lr=0.1)
    for step in range(STEPS):
        give_gradients(ours, theirs, step)
        mine.step()
        other.step()
    assert_equal(ours, theirs)


def torch_rates(make, steps, lr):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = make(optimizer, torch.optim.lr_scheduler)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


SCHEDULES = {
    "step": (StepDecay(0.1, 7, 0.3), lambda o, s: s.StepLR(o, 7, 0.3), 50),
    "exponential": (Exponential(0.1, 0.05), lambda o, s: s.ExponentialLR(o, math.exp(-0.05)), 50),
    "cosine": (Cosine(0.1, 40, 0.01), lambda o, s: s.CosineAnnealingLR(o, 40, 0.01), 40),
    "restarts": (WarmRestarts(0.1, 9), lambda o, s: s.CosineAnnealingWarmRestarts(o, 9), 50),
    "restarts-longer": (
        WarmRestarts(0.1, 6, stretch=2, lr_min=0.01),
        lambda o, s: s.CosineAnnealingWarmRestarts(o, 6, 2, 0.01),
        90,
    ),
    "warmup": (
        LinearWarmup(8, 0.1, lr_start=0.02),
        lambda o, s: s.LinearLR(o, start_factor=0.2, total_iters=8),
        20,
    ),
    "one-cycle": (OneCycle(0.1, 50), lambda o, s: s.OneCycleLR(o, 0.1, total_steps=50), 49),
    "one-cycle-own": (
        OneCycle(0.1, 33, rise=0.45, start_factor=5, end_factor=10),
        lambda o, s: s.OneCycleLR(o, 0.1, total_steps=33, pct_start=0.45, div_factor=5, final_div_factor=10),
        32,
    ),
    "joined": (
        Joined(LinearWarmup(5, 0.1, lr_start=0.01), 5, Exponential(0.1, 0.1)),
        lambda o, s: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=5), s.ExponentialLR(o, math.exp(-0.1))], [5]),
        30,
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter")  # PyTorch's own, from SequentialLR
@pytest.mark.parametrize(("schedule", "theirs", "steps"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedules(schedule, theirs, steps):
    ours = [schedule(step) for step in range(steps)]
    np.testing.assert_allclose(ours, torch_rates(theirs, steps, 0.1), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clip_grad_norm(max_norm):
    ours, theirs = pairs()
    give_gradients(ours, theirs, 0)
    norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm).item()
    assert clip_grad_norm(ours, max_norm) == pytest.approx(norm, rel=SAME_FORMULA)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=TORCH_NORM_EPS)


def test_clip_grad_value():
    ours, theirs = pairs()
    give_gradients(ours, theirs, 0)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    clip_grad_value(ours, 0.4)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(p.grad.data, q.grad.numpy())
