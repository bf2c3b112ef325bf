"""Chainrule: neural networks you can see through, at full speed.

    import chainrule as cr

The floors, from the ground up: `base`, `backends`, `core`, `ops`, `nn`, then `data`, `losses`, `metrics`, `optim`,
then `models`, `train`, then `glass`. Operations, differentiation and the usual verbs are here by themselves:
`cr.tanh`, `cr.grad`, `cr.fit`, `cr.explain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule import base, core, ops
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
from chainrule.base.keys import Key
from chainrule.base.later import later
from chainrule.core import (
    Spec,
    Tensor,
    axes,
    grad,
    gradients,
    graph,
    jvp,
    no_grad,
    random_stream,
    seed,
    value_and_grad,
    vjp,
    vmap,
)

if TYPE_CHECKING:
    from chainrule import data, glass, losses, metrics, models, nn, optim, plan, train
    from chainrule.cli.reruns import at, compare
    from chainrule.core import (
        PRIMITIVES,
        check_gradients,
        checkpoint,
        checkpoint_sequential,
        hessian,
        hvp,
        jacobian,
        path_sum,
        paths,
        scan,
    )
    from chainrule.glass import diagnose, diagnosing, draw, explain, ledger
    from chainrule.nn import load, save
    from chainrule.ops import *  # noqa: F403
    from chainrule.plan import compile
    from chainrule.train import evaluate, fit, predict, predict_proba

__version__ = "0.1.0"

_ROOMS = ("data", "glass", "losses", "metrics", "models", "nn", "optim", "plan", "train")
_LATER = {
    "ops": " ".join(ops.__all__),
    "ops.inventory": "PRIMITIVES",
    "core": "check_gradients checkpoint checkpoint_sequential hessian hvp jacobian path_sum paths scan",
    "nn": "load save",
    "plan": "compile",
    "train": "evaluate fit predict predict_proba",
    "cli.reruns": "at compare",
    "glass": "diagnose diagnosing draw explain ledger",
}
"""Names by where they are defined, which is imported when one of them is first used."""

later(__name__, _LATER, rooms=_ROOMS)

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
    "at",
    "axes",
    "base",
    "check_gradients",
    "checkpoint",
    "checkpoint_sequential",
    "compare",
    "compile",
    "core",
    "data",
    "diagnose",
    "diagnosing",
    "draw",
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
    "ledger",
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
