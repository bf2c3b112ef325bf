"""The price of watching on mlp-small: Chainrule's plan and PyTorch's hooks, watched and not, timed in turn.

And that of a ledger beside the step that it looks into.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.contenders import CONTENDERS, NUMPY, PYTORCH, Contender
from benchmarks.processes import RefusedError
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
    """The result as of any workload, with these contenders; under `ledger` what `ledgers` measured."""
    found = measured(WORKLOAD, CONTENDERS_HERE, lane)
    with lane.process(CONTENDERS[NUMPY]) as process:
        try:
            settings = {"rounds": 10 if lane.pace.quick else 50}
            found["ledger"] = process.ask("call", module="watching", function="ledgers", settings=settings)
        except RefusedError as reason:
            found["ledger"] = {"refused": str(reason)}
    return found


def ledgers(rounds: int, blocks: int = 10) -> dict[str, list[float]]:
    """Seconds of a step by define-by-run, and of a full ledger of it with every example's gradients, in turn."""
    import chainrule as cr
    from benchmarks.contenders import chainrule_steps
    from benchmarks.workloads import WORKLOADS

    plain = chainrule_steps.start(WORKLOADS[WORKLOAD], compiled=False)
    x, y = plain.batches[0]
    plain.step(0)  # every parameter has a gradient, and the optimiser its moments

    def book() -> None:
        made = cr.ledger(plain.model, x, y, plain.loss, optimizer=plain.optimizer)
        for path in made:
            for name in made[path].examples:  # made when they are asked for
                made[path].examples[name]

    rows: dict[str, list[float]] = {"step": [], "ledger": []}
    for _ in range(rounds):
        for name, call in (("step", lambda: plain.step(0)), ("ledger", book)):
            began = time.perf_counter()
            for _ in range(blocks):
                call()
            rows[name].append((time.perf_counter() - began) / blocks)
    return rows


def times_a_step(rows: dict[str, list[float]]) -> float:
    """How many steps a ledger takes: the median of the rounds."""
    return statistics.median(b / a for a, b in zip(rows["step"], rows["ledger"], strict=True))
