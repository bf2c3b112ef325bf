"""Compile the native kernels: `python chainrule/backends/native/build.py`, or as part of `pip install`.

One library for each level of the processor's instructions; the best that the processor has is loaded. Without a
compiler there is none, and everything runs in NumPy.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ["-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-fPIC", "-pthread"]
LEVELS = {"x86_64": {"v4": ["-march=x86-64-v4"], "v3": ["-march=x86-64-v3"], "v2": ["-march=x86-64-v2"]}}
"""By machine: names of levels, the best first, with the compiler's flags for them."""


def levels() -> dict[str, list[str]]:
    """The levels of this machine's kind of processor."""
    machine = {"AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    return LEVELS.get(machine, {"base": []})


def library(level: str) -> Path:
    """Where the library of a level lies."""
    return HERE / "compiled" / f"native_{level}.so"


def build() -> list[Path]:
    """Compile all levels; the libraries made. None where there is no compiler, or it fails."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform == "win32":
        return []
    made = []
    for level, flags in levels().items():
        target = library(level)
        target.parent.mkdir(exist_ok=True)
        scratch = target.with_suffix(f".{os.getpid()}")
        command = [*compiler.split(), *FLAGS, *flags, "-shared", str(HERE / "native.c"), "-o", str(scratch), "-lm"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            os.replace(scratch, target)  # a process that has the old one loaded keeps it
            made.append(target)
    return made


if __name__ == "__main__":
    print(*build() or ["no compiler, no library: NumPy serves"], sep="\n")
