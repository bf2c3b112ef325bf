"""How parameters step along their gradients: optimisers, clipping, and learning rates over time."""

from typing import Any

from chainrule.base.hints import missing
from chainrule.optim.adaptive import Adagrad, Adam, AdamW, RMSprop
from chainrule.optim.clip import clip_grad_norm, clip_grad_value, grad_norm
from chainrule.optim.cycles import Joined, LinearWarmup, OneCycle, PerEpoch, WarmRestarts
from chainrule.optim.loss_scale import LossScale
from chainrule.optim.optimizer import Optimizer
from chainrule.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    ExponentialSweep,
    InverseTime,
    Polynomial,
    Schedule,
    StepDecay,
)
from chainrule.optim.sgd import SGD, AveragedMomentum, NormalizedGD, VelocityMomentum

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "averaged-momentum": AveragedMomentum,
    "velocity-momentum": VelocityMomentum,
    "normalized-gd": NormalizedGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Optimisers by the name that the command line calls them; each is made as `cls(parameters, lr=..., ...)`."""

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "inverse-time": InverseTime,
    "polynomial": Polynomial,
    "cosine": Cosine,
    "warm-restarts": WarmRestarts,
    "warmup": LinearWarmup,
    "one-cycle": OneCycle,
    "sweep": ExponentialSweep,
}
"""Schedules by the name that the command line calls them; `cls.over(lr, steps)` makes one for a run."""

__all__ = [
    "OPTIMIZERS", "SCHEDULES", "SGD", "Adagrad", "Adam", "AdamW", "AveragedMomentum", "Constant", "Cosine",
    "Exponential", "ExponentialSweep", "InverseTime", "Joined", "LinearWarmup", "LossScale", "NormalizedGD", "OneCycle",
    "Optimizer", "PerEpoch", "Polynomial", "RMSprop", "Schedule", "StepDecay", "VelocityMomentum",
    "WarmRestarts", "clip_grad_norm", "clip_grad_value", "grad_norm",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is not here: where it is, if it is known from PyTorch."""
    raise missing("cr.optim", name)
