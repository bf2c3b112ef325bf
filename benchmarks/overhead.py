"""What `fit` costs beside the plan that it runs: an epoch of `fit`, an epoch of bare replay, and so on in turn."""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from typing import Any

import numpy as np

from benchmarks.contenders import NUMPY, Contender
from benchmarks.processes import RefusedError
from benchmarks.steps import Lane

WORKLOADS_HERE = {"mlp": (200, 20), "mlp-small": (2000, 20)}
"""Batches of an epoch, and epochs; the first, in which plans are made, is not counted."""

STILL = 1e-12
"""The learning rate: one batch learned by heart has more and more zeros in it, which products leave out."""


class Terminal(io.StringIO):
    """Takes the progress line as a terminal does, so that it is drawn live."""

    def isatty(self) -> bool:
        return True


def run(lane: Lane) -> dict[str, Any]:
    """The figures by workload."""
    found = {}
    for workload, (batches, epochs) in WORKLOADS_HERE.items():
        epochs = epochs if not lane.pace.quick else 6
        settings = {"workload": workload, "batches": batches, "epochs": epochs}
        with lane.process(Contender(NUMPY, "chainrule_steps")) as process:
            try:
                found[workload] = process.ask("call", module="overhead", function="compared", settings=settings)
            except RefusedError as reason:
                found[workload] = {"refused": str(reason)}
    return found


def compared(workload: str, batches: int, epochs: int) -> dict[str, Any]:
    """Seconds per step by epoch: of `fit`, of calls of the plan, and of the plan's replay alone.

    `fit` shuffles, gathers the rows of each batch, keeps its history, draws its line; the call copies a ready batch in
    and the loss out; the replay is the compiled step and nothing else.
    """
    import chainrule as cr
    from benchmarks.contenders import chainrule_steps
    from benchmarks.workloads import WORKLOADS

    chosen = WORKLOADS[workload]
    bare = chainrule_steps.start(chosen, lr=STILL)
    x, y = bare.batches[0]
    bare.step(0)
    replay = bare.plan.latest.plan
    rows: dict[str, list[float]] = {"call": [], "replay": []}

    class InTurn(cr.train.Callback):
        """After each epoch, as many steps without `fit`."""

        def on_epoch(self, run: Any) -> None:
            for name, step in (("call", lambda: bare.plan(x, y)), ("replay", replay.run)):
                began = time.perf_counter()
                for _ in range(batches):
                    step()
                rows[name].append((time.perf_counter() - began) / batches)

    draw = np.random.default_rng(0)
    n, widths = batches * chosen.batch, chosen.sizes["widths"]
    data = draw.standard_normal((n, widths[0]), np.float32), draw.integers(0, widths[-1], n)
    trained = chainrule_steps.start(chosen, lr=STILL)
    with contextlib.redirect_stderr(Terminal()):
        history = cr.fit(
            trained.model,
            data,
            optimizer=trained.optimizer,
            epochs=epochs,
            batch_size=chosen.batch,
            callbacks=[InTurn()],
        )
    rows["fit"] = [row["seconds"] / batches for row in history.rows]
    return {name: times[1:] for name, times in rows.items()}


def extra(result: dict[str, list[float]], beside: str) -> tuple[float, float]:
    """What `fit` adds: as a share, and in seconds per step; medians of differences in turn."""
    pairs = list(zip(result["fit"], result[beside], strict=True))
    return statistics.median(a / b - 1 for a, b in pairs), statistics.median(a - b for a, b in pairs)
