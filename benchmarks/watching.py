"""The price of watching on mlp-small: Chainrule's plan and PyTorch's hooks, watched and not, timed in turn."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import CONTENDERS, NUMPY, PYTORCH, Contender
from benchmarks.steps import Lane, measured

WORKLOAD = "mlp-small"
VALUES, TENTH, EACH = "cr, all values", "cr, statistics every 10th", "cr, statistics"
HOOKS, HOOK_FIGURES = "PyTorch hooks, all values", "PyTorch hooks, statistics"


def _watched(name: str, **watch: Any) -> Contender:
    return Contender(name, "chainrule_steps", {"library": "numpy", "watch": watch})


CONTENDERS_HERE = (
    CONTENDERS[NUMPY],
    _watched(VALUES, every=1),
    _watched(TENTH, every=10, statistics=True),
    _watched(EACH, every=1, statistics=True),
    CONTENDERS[PYTORCH],
    Contender(HOOKS, "torch_hooks"),
    Contender(HOOK_FIGURES, "torch_hooks", {"figures": True}),
)


def run(lane: Lane) -> dict[str, Any]:
    """The result as of any workload, with these contenders."""
    return measured(WORKLOAD, CONTENDERS_HERE, lane)
