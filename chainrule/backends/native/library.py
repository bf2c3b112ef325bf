"""The compiled kernels: found, loaded, told of the BLAS and of the number of threads. None where there is none."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.backends.native.build import levels, library
from chainrule.backends.native.memory import keep_freed

SWITCH = "CHAINRULE_NATIVE"
"""Environment variable: 0 switches the compiled kernels off."""

SYMBOLS = (
    ("scipy_cblas_sgemm64_", True, "scipy_openblas_set_num_threads64_", "scipy_openblas_get_num_threads64_"),
    ("cblas_sgemm64_", True, "openblas_set_num_threads64_", "openblas_get_num_threads64_"),
    ("cblas_sgemm", False, "openblas_set_num_threads", "openblas_get_num_threads"),
)
"""Names of the matrix product in the BLAS libraries that NumPy comes with, whether sizes have 64 bits, its threads."""


@cache
def loaded() -> ctypes.CDLL | None:
    """The library for this processor, ready to use; None where there is none, or it is switched off."""
    if os.environ.get(SWITCH, "1") == "0":
        return None
    path = next((library(level) for level in levels() if library(level).exists() and _runs(level)), None)
    symbols = _blas() if path is not None else None
    if path is None or symbols is None:
        return None
    lib = ctypes.CDLL(str(path))
    words = np.array(symbols, np.int64)
    lib.use_blas(ctypes.c_void_p(words.ctypes.data))
    lib.set_threads(ctypes.c_int64(threads()))
    keep_freed()
    lib.gathered_ahead.argtypes, lib.gathered_ahead.restype = (ctypes.c_void_p,), ctypes.c_int64
    lib.run.argtypes, lib.run_one.argtypes = (ctypes.c_void_p, ctypes.c_int64), (ctypes.c_void_p, ctypes.c_void_p)
    lib.run_series.argtypes = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
    return lib


def threads() -> int:
    """How many threads kernels use: OMP_NUM_THREADS, or the processors that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def address(name: str) -> int:
    """The address of a kernel in the library."""
    return address_of(getattr(loaded(), name))


def address_of(function: Any) -> int:
    """The address of a function of a shared library."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _runs(level: str) -> bool:
    """Whether this processor has the instructions of a level."""
    from numpy._core._multiarray_umath import __cpu_features__ as features  # NumPy asks the processor

    needed = {"v4": ("AVX512_SKX",), "v3": ("AVX2", "FMA3"), "v2": ("SSE42",)}.get(level, ())
    return all(features.get(name, False) for name in needed)


def _blas() -> tuple[int, ...] | None:
    """Addresses of the matrix product in NumPy's own BLAS, and of its threads' functions; None if not found."""
    for path in _candidates():
        try:
            blas = ctypes.CDLL(str(path))
        except OSError:
            continue
        for gemm, wide, *control in SYMBOLS:
            if hasattr(blas, gemm):
                return (
                    address_of(getattr(blas, gemm)),
                    int(wide),
                    *(address_of(getattr(blas, c)) if hasattr(blas, c) else 0 for c in control),
                )
    return None


def _candidates() -> list[Path]:
    """Libraries that may be NumPy's BLAS: those beside it, then those mapped into this process."""
    beside = Path(np.__file__).parent
    folders = [beside.parent / "numpy.libs", beside / ".dylibs"]
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()) if "blas" in path.name]
    maps = Path("/proc/self/maps")
    if not found and maps.exists():
        lines = {line.split()[-1] for line in maps.read_text().splitlines() if "/" in line}
        found = [Path(p) for p in sorted(lines) if any(n in Path(p).name for n in ("blas", "mkl_rt", "blis"))]
    return found
