"""Where in the user's code something was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1] / "_")[:-1]  # with the separator: not its neighbours


def depth() -> int:
    """How many frames up the user's code is, counted for `warnings.warn(..., stacklevel=depth())`."""
    frame, n = sys._getframe(1), 1
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, n = frame.f_back, n + 1
    return n


def caller() -> str:
    """The line of the user's code that is at work, as `file:line`; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""
