"""A contender's own process: it stays alive and answers what its parent asks, a line of JSON for a line of JSON.

What libraries print goes to standard error. Requests are {"ask": a name from ANSWERS, ...}; answers are a dict, with
"refused" where the contender is not installed or has no such model, and "error" where something failed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import statistics
import sys
import time
import traceback
from importlib import import_module
from typing import Any


class Worker:
    """What one process holds: a contender in training."""

    trainer: Any = None
    done = 0
    latest = 0.0
    """Seconds of a step, as last timed."""

    def start(self, module: str, workload: str, settings: dict[str, Any], began: float) -> dict[str, Any]:
        """Import, build, one step. Seconds from the start of the process, and from the call that builds the model.

        `began` is the parent's `time.monotonic()` at the moment it started the process.
        """
        chosen = _workload(workload)
        library = import_module(f"benchmarks.contenders.{module}")
        called = time.monotonic()
        self.trainer = library.start(chosen, **settings)
        loss = self.trainer.value(self.trainer.step(0))
        now = time.monotonic()
        self.done = 1
        return {"loss": loss, "from_start": now - began, "from_call": now - called}

    def losses(self, steps: int, patience: float) -> dict[str, Any]:
        """The losses of the next steps; it gives up where they would take longer than `patience` seconds."""
        found, began = [], time.monotonic()
        for k in range(self.done, self.done + steps):
            found.append(self.trainer.value(self.trainer.step(k)))
            if time.monotonic() - began > patience:
                return {"refused": f"{len(found)} steps took {time.monotonic() - began:.0f} s"}
        self.done += steps
        return {"losses": found}

    def round(self, seconds: float, blocks: int) -> dict[str, Any]:
        """Seconds per step, the median of some blocks of steps that take about `seconds` together."""
        if self.latest < seconds:  # wakes threads and caches that slept while others ran
            self._timed(1)
        first = self._timed(1)
        n = int(seconds / blocks / max(first, 1e-7))
        if n > 1:
            times = [self._timed(n) for _ in range(blocks)]
        else:
            times = [first, *(self._timed(1) for _ in range(min(blocks, int(seconds / first)) - 1))]
        return {"seconds": statistics.median(times)}

    def _timed(self, n: int) -> float:
        trainer, first, clock = self.trainer, self.done, time.perf_counter
        began = clock()
        for k in range(first, first + n):
            loss = trainer.step(k)
        trainer.value(loss)
        self.latest = (clock() - began) / n
        self.done += n
        return self.latest

    def memory(self, module: str, workload: str, settings: dict[str, Any], warm: bool) -> dict[str, Any]:
        """Bytes that a model in training takes at its peak, beyond the library itself: see README.md.

        Baseline: the resident memory after importing, and, where `warm`, some steps of another, tiny model, so that
        what the library loads late belongs to it; with the weights and batches as NumPy drew them. `first`: the peak
        from there through building and two steps; `later`: the peak of three more.
        """
        library = import_module(f"benchmarks.contenders.{module}")
        if warm:
            other = library.start(_workload("mlp-small" if module.startswith("sklearn") else "tiny"), **settings)
            for k in range(3):
                other.value(other.step(k))
            del other
        chosen = _workload(workload)
        drawn = chosen.weights, chosen.batches  # NumPy's, kept while it trains
        _give_back()
        _forget_peak()
        before = _status("VmRSS")
        trainer = library.start(chosen, **settings)
        for k in range(2):
            trainer.value(trainer.step(k))
        first = _status("VmHWM")
        _forget_peak()
        for k in range(2, 5):
            trainer.value(trainer.step(k))
        del drawn
        return {"first": first - before, "later": _status("VmHWM") - before}

    def flops(self, workload: str) -> dict[str, Any]:
        """What Chainrule's plan says that a step computes."""
        return {"flops": import_module("benchmarks.contenders.products").flops(_workload(workload))}

    def call(self, module: str, function: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Any other measurement: a function of a module of this package."""
        return getattr(import_module(f"benchmarks.{module}"), function)(**settings)


def _workload(name: str) -> Any:
    from benchmarks.workloads import WORKLOADS

    return WORKLOADS[name]


def _status(name: str) -> int:
    """A figure of this process in bytes, from /proc (Linux)."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _give_back() -> None:
    """Let the allocator return what it holds in store, which would hide what is allocated next."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    """Set the peak of the resident memory back to what it is now."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request; every failure is an answer too."""
    from benchmarks.contenders import UnsuitedError

    try:
        return getattr(worker, request.pop("ask"))(**request)
    except ModuleNotFoundError as error:
        return {"refused": f"{error.name} is not installed"}
    except UnsuitedError as error:
        return {"refused": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]}


def main() -> None:
    """Answer until the parent closes the pipe."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        channel.write(json.dumps(answer(worker, json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
