"""What the numbers of options may be, told by the names of the options and before anything is begun."""

from __future__ import annotations

from chainrule.base.errors import OptionError
from chainrule.cli.options import option, shown
from chainrule.cli.settings import Settings
from chainrule.optim.limits import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Limit

PROBABILITY = Limit("between 0 and 1", lambda p: 0 <= p <= 1)

RANGES = {
    "hidden": COUNT,
    "dropout": PROBABILITY,
    "lam": NOT_NEGATIVE,
    "lr": POSITIVE,
    "momentum": FRACTION,
    "weight_decay": NOT_NEGATIVE,
    "clip_norm": POSITIVE,
}
"""Settings that are numbers, one or several."""


def check_ranges(settings: Settings) -> None:
    """Every number is one that its option takes.

    Raises:
        OptionError: one is not, or there are not as many as are needed.
    """
    for setting, limit in RANGES.items():
        given = getattr(settings, setting)
        for value in given if isinstance(given, tuple) else (given,):
            if value is not None and not limit.fits(value):
                fix = {"fix": f"--dropout {value / 100:g}"} if setting == "dropout" and 1 < value <= 100 else {}
                raise OptionError(f"{option(setting)} is {limit.words}, got {value}.", **fix)
    check_dropout(settings)
    if settings.nesterov and settings.optimizer == "sgd" and not settings.momentum:
        raise OptionError("--nesterov is a form of momentum, and there is none.", fix="--momentum 0.9")


def check_dropout(settings: Settings) -> None:
    """One probability for all hidden layers, or one for each."""
    rates, layers = settings.dropout, len(settings.hidden)
    if len(rates) not in (1, layers):
        wanted = f"one for all hidden layers or one for each ({layers})"
        raise OptionError(f"--dropout takes {wanted}, got {len(rates)}.", fix=f"--dropout {shown(rates[:1])}")
