"""The names that options take, from the tables of the library; and what to say of one that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from chainrule.base.errors import OptionError

MODELS = ("mlp", "logistic", "linear", "lda")

WORDS = {
    "optimizer": "optimiser",
    "schedule": "schedule",
    "activation": "activation",
    "init": "initialiser",
    "loss": "loss",
    "penalty": "penalty",
    "scale": "scaler",
    "model": "model",
    "task": "task",
    "recipe": "recipe",
}
"""Settings that are names, and what such a thing is called."""

LOSSES_OF = {
    "classification": ("cross-entropy",),
    "regression": ("mse", "half-squared", "sse", "mae", "huber"),
}
"""The losses that fit what a model of the command line gives: logits for all classes, or values."""


def names_of(setting: str) -> list[str]:
    """All names that a setting takes; the libraries they come from are loaded when asked for."""
    from chainrule.cli import recipes

    match setting:
        case "optimizer" | "schedule":
            from chainrule import optim

            return list(optim.OPTIMIZERS if setting == "optimizer" else optim.SCHEDULES)
        case "activation" | "init":
            from chainrule.nn.activations import ACTIVATIONS
            from chainrule.nn.init import INITIALIZERS

            return list(ACTIVATIONS if setting == "activation" else INITIALIZERS)
        case "penalty":
            from chainrule.losses import PENALTIES

            return list(PENALTIES)
        case "loss":
            return [name for names in LOSSES_OF.values() for name in names]
        case "scale":
            from chainrule.data import SCALERS

            return ["none", *SCALERS]
        case "task" | "recipe":
            return list(recipes.TASKS if setting == "task" else recipes.RECIPES)
    return list(MODELS)


def named(setting: str, name: str) -> str:
    """A name as the library spells it; - and _, and capitals, are the same to it.

    Raises:
        OptionError: there is no such thing; the closest name is proposed.
    """
    known = names_of(setting)
    spelled = {plain(entry): entry for entry in known}
    if plain(name) not in spelled:
        raise unknown(WORDS[setting], name, known)
    return spelled[plain(name)]


def unknown(what: str, name: str, known: Iterable[str], **places: str) -> OptionError:
    """The error for a name that no table holds, with the closest one that does."""
    known = list(known)
    close = get_close_matches(plain(name), known, n=1)
    places |= {"try": f"did you mean {close[0]!r}?"} if close else {}
    return OptionError(f"There is no {what} {name!r}.", known=", ".join(known), **places)


def plain(name: str) -> str:
    """A name without differences of spelling."""
    return name.lower().replace("_", "-")
