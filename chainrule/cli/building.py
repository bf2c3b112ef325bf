"""Model, optimiser, schedule and penalty, made from settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from chainrule import losses, optim
from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.cli.settings import Settings
from chainrule.core import random_stream
from chainrule.data import Dataset
from chainrule.models import MLP
from chainrule.nn import Module


def n_outputs(data: Dataset) -> int:
    """Numbers that a model gives for one example: a logit for each class, or the values."""
    return data.n_classes or math.prod(data.y.shape[1:])


def build_model(settings: Settings, n_inputs: int, n_outputs: int) -> MLP:
    """The model of the settings with so many inputs and outputs, its weights drawn by the seed.

    All models but the multilayer perceptron are one without hidden layers; what tells them apart is the loss,
    or the way to their weights.
    """
    rates = settings.dropout
    with random_stream(Key(settings.seed) / "weights"):
        return MLP(
            n_inputs,
            *settings.hidden,
            n_outputs,
            activation=settings.activation,
            dropout=rates * len(settings.hidden) if len(rates) == 1 else rates,
            batch_norm=settings.batch_norm,
            init=settings.init,
        )


def build_optimizer(settings: Settings, model: Module) -> optim.Optimizer:
    """The optimiser of the settings for this model.

    Raises:
        OptionError: it does not have a setting that was given.
    """
    asked = {name: getattr(settings, name) for name in ("momentum", "nesterov", "weight_decay")}
    given = {name: value for name, value in asked.items() if value not in (None, False)}
    try:
        return optim.OPTIMIZERS[settings.optimizer](model, lr=settings.lr, **given)
    except TypeError:
        wanted = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise OptionError(f"The optimiser {settings.optimizer} does not take {wanted}.") from None


def build_schedule(settings: Settings, examples: int) -> Callable[[float], float]:
    """The learning rate over the steps of the run, after a linear warm-up for a share of them."""
    batches = math.ceil(examples / settings.batch_size)
    steps = settings.epochs * math.ceil(batches / settings.accumulate)
    warm = round(settings.warmup * steps)
    schedule = optim.SCHEDULES[settings.schedule].over(settings.lr, steps - warm)
    return optim.LinearWarmup(warm, schedule) if warm else schedule


def build_penalty(settings: Settings) -> Callable[[Module], Any] | None:
    """The penalty of the settings, or none.

    Raises:
        OptionError: there is not one strength for each of its terms.
    """
    if settings.penalty is None:
        return None
    kind = losses.PENALTIES[settings.penalty]
    terms = [f.name for f in fields(kind) if f.name.startswith("lam")]
    if len(settings.lam) != len(terms):
        numbers = "1e-5,1e-4" if len(terms) == 2 else "1e-4"
        raise OptionError(
            f"The penalty {settings.penalty} takes {len(terms)} of --lam, got {len(settings.lam)}.",
            fix=f"--lam {numbers}",
        )
    strengths: dict[str, Any] = dict(zip(terms, settings.lam, strict=True))
    return kind(**strengths)
