"""Schedules that rise, return, or are put together from others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from chainrule.base.errors import OptionError
from chainrule.optim.limits import AT_LEAST_ONE, COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, SHARE, Limits
from chainrule.optim.schedules import Constant, Schedule, check_order, half_cosine


def another_schedule(owner: str, name: str, value: Any) -> Schedule:
    """A schedule, or a number as the constant one.

    Raises:
        OptionError: it is neither.
    """
    if isinstance(value, Schedule):
        return value
    if POSITIVE.fits(value):
        return Constant(value)
    raise OptionError(f"{owner} expects {name} to be a schedule or a positive number, got {value!r}.")


@dataclass(frozen=True)
class WarmRestarts(Schedule):
    """Cosines one after the other, each from its maximum down to η_min (SGDR).

        η_min + ½ (η₀ γⁱ − η_min) (1 + cos(π (t − tᵢ)/Tᵢ)),   Tᵢ₊₁ = Tᵢ · stretch

    `period` is T₀; `stretch` (PyTorch's T_mult) lengthens the cycles; γ lowers their maxima, to
    η_min at most. Loshchilov & Hutter (2017); 000 (13.5).

    >>> sgdr = WarmRestarts(0.1, period=10, stretch=2, gamma=0.5)
    >>> [round(sgdr(t), 4) for t in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]
    """

    lr: float
    period: int
    stretch: float = 1.0
    gamma: float = 1.0
    lr_min: float = 0.0

    formula = r"\eta_t = \eta_{\min} + \tfrac12 (\eta_0 \gamma^i - \eta_{\min}) (1 + \cos(\pi (t - t_i) / T_i))"
    limits: ClassVar[Limits] = {
        "lr": POSITIVE,
        "period": COUNT,
        "stretch": AT_LEAST_ONE,
        "gamma": SHARE,
        "lr_min": NOT_NEGATIVE,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self, "lr_min", "lr")

    def cycle(self, step: float) -> tuple[int, float, float]:
        """The cycle i that a step is in, the steps since it began, and its length Tᵢ."""
        if self.stretch == 1:
            i, since = divmod(step, self.period)
            return int(i), since, self.period
        i, length = 0, float(self.period)
        while step >= length:
            i, step, length = i + 1, step - length, length * self.stretch
        return i, step, length

    def __call__(self, step: float) -> float:
        i, since, length = self.cycle(step)
        return half_cosine(max(self.lr * self.gamma**i, self.lr_min), self.lr_min, since / length)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """Three cycles, each twice as long as the one before."""
        return cls(lr, period=max(1, math.ceil(steps / 7)), stretch=2)


@dataclass(frozen=True)
class LinearWarmup(Schedule):
    """A straight rise to the first rate of another schedule, which then begins.

        η_start + (η₀ − η_start) t/T   for t < T,   then(t − T) after it

    with η₀ = then(0): no jump at the joint. `then` may be a number, for a constant rate. At η_start = 0 the
    very first step moves nothing. 000 (13.6).

    >>> warm = LinearWarmup(4, then=0.1)
    >>> [round(warm(t), 3) for t in range(6)]
    [0.0, 0.025, 0.05, 0.075, 0.1, 0.1]
    """

    steps: int
    then: Schedule | float
    lr_start: float = 0.0

    formula = r"\eta_t = \eta_{\text{start}} + (\eta_0 - \eta_{\text{start}})\, t / T, \quad t < T"
    limits: ClassVar[Limits] = {"steps": COUNT, "then": another_schedule, "lr_start": NOT_NEGATIVE}

    def __call__(self, step: float) -> float:
        then: Any = self.then
        if step >= self.steps:
            return then(step - self.steps)
        return self.lr_start + (then(0) - self.lr_start) * (step / self.steps)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """The first tenth of the run, then constant."""
        return cls(max(1, steps // 10), Constant(lr))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One rise to a large rate and one long fall, to far below the start, all along half cosines.

        η_max/start_factor → η_max   in the first `rise` of the steps
        η_max → η_max/(start_factor · end_factor)   in the rest

    PyTorch's `OneCycleLR`, whose last step is T − 1, without its cycle of the momentum; the last rate holds.
    Smith & Topin (2018).
    """

    lr_max: float
    steps: int
    rise: float = 0.3
    start_factor: float = 25.0
    end_factor: float = 1e4

    formula = r"\eta_{\max} / s \nearrow \eta_{\max} \searrow \eta_{\max} / (s\, e)"
    limits: ClassVar[Limits] = {
        "lr_max": POSITIVE,
        "steps": COUNT,
        "rise": FRACTION,
        "start_factor": AT_LEAST_ONE,
        "end_factor": AT_LEAST_ONE,
    }

    def __call__(self, step: float) -> float:
        start = self.lr_max / self.start_factor
        peak, last = self.rise * self.steps - 1, self.steps - 1
        if step < peak:
            return half_cosine(start, self.lr_max, step / peak)
        peak = max(peak, 0.0)
        share = (step - peak) / (last - peak) if last > peak else 1.0
        return half_cosine(self.lr_max, start / self.end_factor, share)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        return cls(lr, max(1, steps))


@dataclass(frozen=True)
class Joined(Schedule):
    """One schedule up to a step, then another from its own beginning: first(t) for t < at, then(t − at).

    >>> joined = Joined(0.1, at=2, then=0.01)
    >>> [joined(t) for t in range(4)]
    [0.1, 0.1, 0.01, 0.01]
    """

    first: Schedule | float
    at: int
    then: Schedule | float

    formula = r"\eta_t = \eta^{(1)}_t \ (t < s), \quad \eta^{(2)}_{t - s} \ (t \ge s)"
    limits: ClassVar[Limits] = {"first": another_schedule, "at": COUNT, "then": another_schedule}

    def __call__(self, step: float) -> float:
        first: Any = self.first
        then: Any = self.then
        return first(step) if step < self.at else then(step - self.at)


@dataclass(frozen=True)
class PerEpoch(Schedule):
    """A schedule whose clock is the epoch, the documents' t: schedule(⌊t/steps per epoch⌋)."""

    schedule: Schedule
    steps_per_epoch: int

    formula = r"\eta_t = \eta^{(1)}_{\lfloor t / n \rfloor}"
    limits: ClassVar[Limits] = {"schedule": another_schedule, "steps_per_epoch": COUNT}

    def __call__(self, step: float) -> float:
        return self.schedule(step // self.steps_per_epoch)
