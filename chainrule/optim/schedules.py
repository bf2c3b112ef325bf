"""Schedules: the learning rate as a pure function of the step t = 0, 1, 2, ...

A schedule knows nothing of an optimiser; it is applied in one line, `optimizer.lr =
schedule(optimizer.steps)`. A step is an update: over k accumulated mini-batches it counts once (000 (13.7)
counts the mini-batches).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar, Self

from chainrule.base.errors import OptionError
from chainrule.optim.limits import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Limits


@dataclass(frozen=True)
class Schedule:
    """A learning rate for each step: `schedule(step)`.

    Raises:
        OptionError: a setting is out of range.
    """

    formula: ClassVar[str]
    limits: ClassVar[Limits] = {}

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for name in (f.name for f in fields(self) if f.name in self.limits):
            object.__setattr__(self, name, self.limits[name](owner, name, getattr(self, name)))

    def __call__(self, step: float) -> float:
        """The learning rate at this step."""
        raise NotImplementedError(f"{type(self).__name__} does not say its rate: it needs __call__")

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """The schedule for a run of so many steps with this (greatest) rate, other settings as usual."""
        raise NotImplementedError(f"{cls.__name__} has no usual settings")


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step: η."""

    lr: float

    formula = r"\eta_t = \eta"
    limits: ClassVar[Limits] = {"lr": POSITIVE}

    def __call__(self, step: float) -> float:
        return self.lr

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        return cls(lr)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """The rate times a factor after every S steps: η₀ γ^⌊t/S⌋. 000 (13.2), 004 (80)."""

    lr: float
    every: int
    factor: float = 0.5

    formula = r"\eta_t = \eta_0\, \gamma^{\lfloor t / S \rfloor}"
    limits: ClassVar[Limits] = {"lr": POSITIVE, "every": COUNT, "factor": SHARE}

    def __call__(self, step: float) -> float:
        return self.lr * self.factor ** (step // self.every)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """A tenth of the rate after each third of the run."""
        return cls(lr, every=max(1, math.ceil(steps / 3)), factor=0.1)


@dataclass(frozen=True)
class Exponential(Schedule):
    """A rate that falls by the same share each step: η₀ e^(−λt). 000 (13.3), 004 (81)."""

    lr: float
    decay: float

    formula = r"\eta_t = \eta_0\, e^{-\lambda t}"
    limits: ClassVar[Limits] = {"lr": POSITIVE, "decay": NOT_NEGATIVE}

    def __call__(self, step: float) -> float:
        return self.lr * math.exp(-self.decay * step)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """A hundredth of the rate at the end."""
        return cls(lr, decay=math.log(100) / max(1, steps))


@dataclass(frozen=True)
class InverseTime(Schedule):
    """A rate that falls as 1/t: η₀ / (1 + λt).

    Σ η = ∞ and Σ η² < ∞, the conditions of Robbins & Monro (1951) under which stochastic descent settles.
    004 (82).
    """

    lr: float
    decay: float

    formula = r"\eta_t = \eta_0 / (1 + \lambda t)"
    limits: ClassVar[Limits] = {"lr": POSITIVE, "decay": NOT_NEGATIVE}

    def __call__(self, step: float) -> float:
        return self.lr / (1 + self.decay * step)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """A tenth of the rate at the end."""
        return cls(lr, decay=9 / max(1, steps))


@dataclass(frozen=True)
class Polynomial(Schedule):
    """A rate that falls as a power of time: η₀ (1 + t)^(−α), 0 < α ≤ 1. 000 §8.1."""

    lr: float
    power: float = 0.5

    formula = r"\eta_t = \eta_0 (1 + t)^{-\alpha}"
    limits: ClassVar[Limits] = {"lr": POSITIVE, "power": SHARE}

    def __call__(self, step: float) -> float:
        return self.lr * (1 + step) ** -self.power

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        return cls(lr)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from η₀ down to η_min in T steps, and η_min from there on.

        η_min + ½ (η₀ − η_min) (1 + cos(π t/T))   for t ≤ T

    The bare formula would climb again after T; it is no restart (for those see `WarmRestarts`), so it is not
    followed there. Loshchilov & Hutter (2017); 000 (13.4), 004 (83).

    >>> cosine = Cosine(0.1, steps=100)
    >>> [round(cosine(t), 7) for t in (0, 25, 50, 75, 100, 150)]
    [0.1, 0.0853553, 0.05, 0.0146447, 0.0, 0.0]
    """

    lr: float
    steps: int
    lr_min: float = 0.0

    formula = r"\eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min}) (1 + \cos(\pi \min(t, T) / T))"
    limits: ClassVar[Limits] = {"lr": POSITIVE, "steps": COUNT, "lr_min": NOT_NEGATIVE}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self, "lr_min", "lr")

    def __call__(self, step: float) -> float:
        return half_cosine(self.lr, self.lr_min, step / self.steps)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        return cls(lr, max(1, steps))


@dataclass(frozen=True)
class ExponentialSweep(Schedule):
    """A rate that grows by the same factor each step: η_min (η_max/η_min)^(t/T), to η_max at t = T.

    For finding a rate: train along it once and look where the loss falls fastest. It stays at η_max after T.
    Smith (2017); 000 (13.1).
    """

    lr_min: float
    lr_max: float
    steps: int

    formula = r"\eta_t = \eta_{\min} (\eta_{\max} / \eta_{\min})^{t / T}"
    limits: ClassVar[Limits] = {"lr_min": POSITIVE, "lr_max": POSITIVE, "steps": COUNT}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self, "lr_min", "lr_max")

    def __call__(self, step: float) -> float:
        return self.lr_min * (self.lr_max / self.lr_min) ** min(step / self.steps, 1.0)

    @classmethod
    def over(cls, lr: float, steps: int) -> Self:
        """From a hundred-thousandth of the rate up to it."""
        return cls(1e-5 * lr, lr, max(1, steps))


def half_cosine(start: float, end: float, share: float) -> float:
    """From start to end along half a cosine, `share` of the way; it holds its end."""
    if share >= 1:
        return end
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def check_order(schedule: Schedule, low: str, high: str) -> None:
    """Refuse a lower bound above the upper one."""
    a, b = getattr(schedule, low), getattr(schedule, high)
    if a > b:
        raise OptionError(f"{type(schedule).__name__} expects {low} of at most {high}, got {a:g} and {b:g}.")
