"""The parent's side: a process for a contender, with its threads counted out, asked line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUM_CPU_THREADS",
)
"""Environment variables by which libraries are told how many threads to use; the last is tinygrad's."""


class RefusedError(Exception):
    """A contender cannot take part, and says why."""


class Process:
    """A worker that is asked; it runs on as many processors as it may have threads, for JAX counts those."""

    def __init__(self, threads: int, log: Any, environment: Mapping[str, str] | None = None) -> None:
        settings = {**os.environ, **dict.fromkeys(COUNTS, str(threads)), **(environment or {})}
        settings["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        settings.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            [*_on_processors(threads), sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=settings,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """The worker's answer.

        Raises:
            RefusedError: the contender cannot take part, failed, or its process died.
        """
        assert self.child.stdin and self.child.stdout
        try:
            self.child.stdin.write(json.dumps({"ask": what, **arguments}) + "\n")
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RefusedError(f"its process ended with code {self.child.wait()}")
        answer = json.loads(line)
        if "refused" in answer or "failed" in answer:
            raise RefusedError(answer.get("refused") or answer["failed"])
        return answer

    def close(self) -> None:
        """End the process."""
        assert self.child.stdin
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _on_processors(threads: int) -> list[str]:
    """A prefix that keeps a command to so many processors; empty where it has no more anyway."""
    here = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if threads >= len(here):
        return []
    return ["taskset", "--cpu-list", ",".join(map(str, here[:threads]))]
