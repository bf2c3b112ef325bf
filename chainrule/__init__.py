"""Chainrule: neural networks you can see through, at full speed.

    import chainrule as cr

The floors, from the ground up: `base`, `backends`, `core`, `ops`, `nn`, then `data`, `losses`, `metrics`, `optim`,
then `models`, `train`, then `glass`. Operations, differentiation and the usual verbs are here by themselves:
`cr.tanh`, `cr.grad`, `cr.fit`, `cr.explain`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule import base, core, nn, ops
from chainrule.backends import use
from chainrule.base.errors import (
    ChainruleError,
    CheckpointError,
    DataError,
    DtypeError,
    GradientError,
    NumericalError,
    OptionError,
    ShapeError,
)
from chainrule.base.hints import missing
from chainrule.base.keys import Key
from chainrule.core import (
    PRIMITIVES,
    Spec,
    Tensor,
    axes,
    check_gradients,
    checkpoint,
    checkpoint_sequential,
    grad,
    gradients,
    graph,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    path_sum,
    paths,
    random_stream,
    scan,
    seed,
    value_and_grad,
    vjp,
    vmap,
)
from chainrule.nn import load, save
from chainrule.ops import *  # noqa: F403

if TYPE_CHECKING:
    from chainrule import data, glass, losses, metrics, models, optim, plan, train
    from chainrule.glass import explain
    from chainrule.plan import compile
    from chainrule.train import evaluate, fit, predict, predict_proba

__version__ = "0.1.0"

_ROOMS = ("data", "glass", "load", "losses", "metrics", "models", "optim", "plan", "train")
_VERBS = {
    "compile": "plan",
    "fit": "train",
    "evaluate": "train",
    "predict": "train",
    "predict_proba": "train",
    "explain": "glass",
}


def __getattr__(name: str) -> Any:
    """Rooms above `nn`, and the verbs that live there, are imported when they are first used."""
    if name in _ROOMS:
        return import_module(f"chainrule.{name}")
    if name in _VERBS:
        return getattr(import_module(f"chainrule.{_VERBS[name]}"), name)
    raise missing("cr", name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS, *_VERBS])


__all__ = [
    "PRIMITIVES",
    "ChainruleError",
    "CheckpointError",
    "DataError",
    "DtypeError",
    "GradientError",
    "Key",
    "NumericalError",
    "OptionError",
    "ShapeError",
    "Spec",
    "Tensor",
    "axes",
    "base",
    "check_gradients",
    "checkpoint",
    "checkpoint_sequential",
    "compile",
    "core",
    "data",
    "evaluate",
    "explain",
    "fit",
    "glass",
    "grad",
    "gradients",
    "graph",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "load",
    "losses",
    "metrics",
    "models",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "path_sum",
    "paths",
    "plan",
    "predict",
    "predict_proba",
    "random_stream",
    "save",
    "scan",
    "seed",
    "train",
    "use",
    "value_and_grad",
    "vjp",
    "vmap",
]  # fmt: skip
__all__ += ops.__all__
