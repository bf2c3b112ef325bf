"""A run folder is trained in by one process at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chainrule.base.errors import OptionError
from chainrule.base.files import unwritten

FILE = ".chainrule.lock"
"""Holds the process id, for people. What counts is the system's lock on it, which ends with its process."""

FAR = 1 << 30
"""The byte that Windows locks: behind the process id, since what is locked there cannot be read."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Nobody else trains in the folder during the block. What a killed process left is taken over.

    Raises:
        OptionError: another process trains there.
        CheckpointError: the folder cannot be written to.
    """
    path = folder / FILE
    try:
        file = acquired(path)
    except OSError as error:
        raise unwritten(path, path, error) from None
    if file is None:
        process = path.read_text().strip() if path.exists() else ""
        by = f"process {process}" if process else "another process"
        raise OptionError(f"{folder} is being trained by {by}.", fix="wait until it is done, or stop it")
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file: it stays, and holds nobody up
            path.unlink()
        os.close(file)


def acquired(path: Path) -> int | None:
    """The open lock file with this process's id in it, or None while another process has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not locked(file):
            os.close(file)
            return None
        if still_there(path, file):
            os.truncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            return file
        os.close(file)  # it was removed by its owner between opening and locking


def still_there(path: Path, file: int) -> bool:
    """Whether the path leads to the open file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def locked(file: int) -> bool:
        """Whether this process now has the lock."""
        import msvcrt

        os.lseek(file, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(file, 0, os.SEEK_SET)
        return True

else:

    def locked(file: int) -> bool:
        """Whether this process now has the lock. A disk that knows no locks lets everybody in."""
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True
