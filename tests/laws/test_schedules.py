"""What every schedule obeys: bounds, joints without jumps, a clock of its own, plain numbers."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule.optim import (
    SCHEDULES,
    SGD,
    Constant,
    Cosine,
    Exponential,
    ExponentialSweep,
    InverseTime,
    Joined,
    LinearWarmup,
    OneCycle,
    PerEpoch,
    Polynomial,
    Schedule,
    StepDecay,
    WarmRestarts,
)

LR, STEPS = 0.1, 100
COMPOSED = {
    "warmup-cosine": LinearWarmup(10, Cosine(LR, 90)),
    "warmup-from": LinearWarmup(10, StepDecay(LR, every=5), lr_start=0.02),
    "joined": Joined(Cosine(LR, 50), 50, WarmRestarts(0.05, 10)),
    "per-epoch": PerEpoch(Exponential(LR, 0.1), 20),
    "restarts": WarmRestarts(LR, 10, gamma=0.5, lr_min=0.01),
    "restarts-longer": WarmRestarts(LR, 10, stretch=1.5, lr_min=0.01),
    "cosine-floor": Cosine(LR, STEPS, lr_min=0.01),
    "number": Joined(LR, 3, 0.01),
}
ALL = {name: cls.over(LR, STEPS) for name, cls in SCHEDULES.items()} | COMPOSED
FALLING = [
    "constant",
    "step",
    "exponential",
    "inverse-time",
    "polynomial",
    "cosine",
    "cosine-floor",
    "per-epoch",
]
SMOOTH = ["cosine", "cosine-floor", "exponential", "inverse-time", "one-cycle", "sweep", "warmup-cosine"]
ROUNDING = 1e-12  # float64, a few operations

each = pytest.mark.parametrize("schedule", ALL.values(), ids=ALL)


def test_all_schedules_are_tested_and_named():
    def subclasses(cls):
        return {cls}.union(*(subclasses(c) for c in cls.__subclasses__()))

    tested = {type(schedule) for schedule in ALL.values()}
    assert tested == subclasses(Schedule) - {Schedule}
    assert set(SCHEDULES.values()) == tested - {Joined, PerEpoch}
    assert all(cls.formula for cls in tested)
    assert all(set(cls.limits) == {f.name for f in dataclasses.fields(cls)} for cls in tested)


@each
def test_rates_are_python_floats_within_bounds(schedule):
    rates = [schedule(step) for step in range(3 * STEPS)]
    assert all(type(rate) is float and 0 <= rate <= LR * (1 + ROUNDING) for rate in rates)


@each
def test_pure(schedule):
    """Equal settings, equal schedules; the order of the questions does not matter."""
    forwards = [schedule(step) for step in range(STEPS)]
    assert forwards == [schedule(step) for step in reversed(range(STEPS))][::-1]
    assert dataclasses.replace(schedule) == schedule
    assert hash(schedule) == hash(dataclasses.replace(schedule))
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.formula = ""


@pytest.mark.parametrize("name", FALLING)
def test_falling(name):
    rates = [ALL[name](step) for step in range(2 * STEPS)]
    assert rates[0] == LR
    assert all(a >= b for a, b in pairwise(rates))


@pytest.mark.parametrize("name", SMOOTH)
def test_no_jumps(name):
    """Between the steps too: a hundredth of a step changes the rate by at most a hundredth of its range."""
    rates = [ALL[name](t / 100) for t in range(100 * STEPS)]
    assert max(abs(a - b) for a, b in pairwise(rates)) < LR / 500


@pytest.mark.parametrize("cls", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_over_a_run_of_any_length(cls, steps):
    rates = [cls.over(LR, steps)(step) for step in range(steps + 2)]
    assert all(0 <= rate <= LR * (1 + ROUNDING) for rate in rates)
    assert max(rates) > 0


def test_cosine_holds_its_end():
    cosine = Cosine(LR, 10, lr_min=0.01)
    assert [cosine(t) for t in (10, 11, 15, 20, 1000)] == [0.01] * 5
    assert cosine(5) == pytest.approx((LR + 0.01) / 2, rel=ROUNDING)


@pytest.mark.parametrize("then", [Cosine(LR, 50), OneCycle(LR, 50), WarmRestarts(LR, 10), 0.05])
@pytest.mark.parametrize("start", [0.0, 0.001])
def test_warmup_meets_the_schedule(then, start):
    warm = LinearWarmup(8, then, lr_start=start)
    after = Constant(then) if isinstance(then, float) else then
    assert warm(0) == start
    assert warm(8) == after(0)
    assert warm(8 - 1e-9) == pytest.approx(warm(8), rel=1e-8)
    assert warm(4) == pytest.approx((start + after(0)) / 2, rel=ROUNDING)
    assert [warm(8 + t) for t in range(60)] == [after(t) for t in range(60)]


def test_warm_restarts():
    """Cycle i starts at η₀ γⁱ, tᵢ = T₀ (1 + s + … + sⁱ⁻¹), and ends at η_min."""
    schedule = WarmRestarts(LR, 10, stretch=2, gamma=0.5, lr_min=0.01)
    for i, start in enumerate([0, 10, 30, 70, 150]):
        assert schedule.cycle(start) == (i, 0, 10 * 2**i)
        assert schedule(start) == pytest.approx(max(LR * 0.5**i, 0.01), rel=ROUNDING)
        assert schedule(start + 10 * 2**i - 1e-6) == pytest.approx(0.01, rel=1e-6)
    assert [WarmRestarts(LR, 10)(t) for t in (0, 10, 40)] == [LR] * 3


def test_one_cycle_peaks_once():
    schedule = OneCycle(LR, STEPS)
    rates = [schedule(t) for t in range(STEPS)]
    assert rates[0] == pytest.approx(LR / 25, rel=ROUNDING)
    assert rates.index(max(rates)) == 29
    assert rates[-1] == schedule(10 * STEPS) == pytest.approx(LR / 25 / 1e4, rel=ROUNDING)


def test_inverse_time_has_a_divergent_sum_and_a_bounded_sum_of_squares():
    """Robbins & Monro: over 10, 100, ... times as many steps the sum grows by η₀/λ · log 10 each time."""
    t = np.arange(10**6)
    rates = InverseTime(LR, 1.0)
    sums = [sum(rates(int(i)) for i in t[: 10**k]) for k in (3, 4, 5)]
    np.testing.assert_allclose(np.diff(sums), LR * math.log(10), rtol=1e-3)
    assert sum(rates(int(i)) ** 2 for i in t[: 10**5]) < LR**2 * math.pi**2 / 6


def test_formulas_point_by_point():
    for t in (0, 1, 9, 10, 25):
        assert StepDecay(LR, 10, 0.3)(t) == LR * 0.3 ** (t // 10)
        assert Polynomial(LR, 0.7)(t) == pytest.approx(LR / (1 + t) ** 0.7, rel=ROUNDING)
        assert ExponentialSweep(1e-4, LR, 20)(t) == pytest.approx(min(1e-4 * 1000 ** (t / 20), LR), rel=ROUNDING)
        assert PerEpoch(Exponential(LR, 0.5), 10)(t) == Exponential(LR, 0.5)(t // 10)


def test_applied_in_one_line():
    w = cr.nn.Parameter([0.0])
    optimizer = SGD([w], lr=1.0)
    schedule = LinearWarmup(2, Cosine(LR, 4))
    moves = []
    for _ in range(7):
        optimizer.lr = schedule(optimizer.steps)
        w.grad = np.ones(1, np.float32)
        before = w.data.item()
        optimizer.step()
        moves.append(before - w.data.item())
    np.testing.assert_allclose(moves, [schedule(t) for t in range(7)], atol=1e-7)  # float32
