"""What the C library does with memory that NumPy gives back.

By default it hands the end of the heap to the system as soon as a few megabytes are free there, and arrays from some
size on each time; the next step faults every page in again. A step of a transformer (4 layers, width 128, 768 tokens)
by define-by-run took 58 ms so, and 44 ms with a heap that is kept.
"""

from __future__ import annotations

import ctypes
import os

KEPT, ONE = 64 << 20, 32 << 20
"""Bytes at the end of the heap that stay with the process; bytes of an array from which on it has its own mapping."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of the settings in glibc's malloc.h."""

WORTH = 16 << 20
"""Bytes of a new array from which on what the heap has in store is handed to the system first."""

CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Environment variables by which people choose themselves."""


def keep_freed() -> None:
    """Let the heap keep what was given back, where the C library is glibc and nothing was chosen."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and not any(name in os.environ for name in CHOSEN):
        mallopt(MMAP_THRESHOLD, ONE)
        mallopt(TRIM_THRESHOLD, KEPT)


def make_room(size: int) -> None:
    """Before a large array that stays: let the system have what the heap keeps in store.

    A plan's memory is the last large piece that a training asks for. Of 388 MB that a transformer (6 layers, width 384)
    took, 51 were left over from making its weights.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if size >= WORTH else None
    if trim is not None:
        trim(0)
