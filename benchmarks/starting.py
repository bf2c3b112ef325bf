"""How long one waits: `import chainrule`, and the first trained step of mlp, from fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from benchmarks.contenders import CONTENDERS, JIT, NUMPY, PYTORCH, TORCH
from benchmarks.processes import ROOT, RefusedError
from benchmarks.steps import Lane

TIMES = 7
CLOCKED = "import time; began = time.perf_counter(); import chainrule; print(time.perf_counter() - began)"


def run(lane: Lane) -> dict[str, Any]:
    """Seconds: the import, NumPy's with it; then from process start to the first trained step, by contender."""
    times = TIMES if not lane.pace.quick else 3
    found: dict[str, Any] = {"import": statistics.median(_imported() for _ in range(times))}
    for name in (NUMPY, PYTORCH) if lane.pace.quick else (NUMPY, TORCH, PYTORCH, JIT):
        try:
            found[name] = statistics.median(_first_step(name, lane) for _ in range(times))
        except RefusedError as reason:
            found[name] = str(reason)
    return found


def _imported() -> float:
    done = subprocess.run([sys.executable, "-c", CLOCKED], capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout)


def _first_step(name: str, lane: Lane) -> float:
    contender = CONTENDERS[name]
    with lane.process(contender) as process:
        settings = dict(contender.settings)
        asked = process.ask("start", module=contender.module, workload="mlp", settings=settings, began=process.began)
    return asked["from_start"]
