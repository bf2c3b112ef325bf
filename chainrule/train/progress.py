"""One live line: epoch, losses, scores, speed, time left."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from chainrule.train.callbacks import Callback, overrides_on_step

if TYPE_CHECKING:
    from chainrule.train.run import Run

REFRESH = 0.1
"""Seconds between two drawings: a person reads no faster, and drawing costs time."""


class Progress(Callback):
    """Draws one line in place on a terminal; elsewhere it prints about ten lines a run."""

    def __init__(self, title: str = "", stream: TextIO | None = None) -> None:
        self.title, self.stream = title, stream or sys.stderr
        self.drawn = 0.0

    def on_start(self, run: Run) -> None:
        import shutil  # noqa: F401 - loaded before the clock starts

        self.live = self.stream.isatty()
        self.began, self.first = time.perf_counter(), _batches(run)
        self.total = run.epochs * len(run.loader)

    @property
    def sees_each_step(self) -> bool:
        return overrides_on_step(self, Progress)

    def on_step(self, run: Run) -> None:
        now = time.perf_counter()
        if self.live and now - self.drawn > REFRESH:
            self.drawn = now
            self._draw(self._line(run))

    def on_epoch(self, run: Run) -> None:
        if not self.live and run.epoch % max(1, run.epochs // 10) == 0:
            print(self._line(run), file=self.stream)

    def on_end(self, run: Run) -> None:
        if self.live:
            self._draw(self._line(run))
            print(file=self.stream)

    def _draw(self, line: str) -> None:
        import shutil

        self.stream.write("\r\x1b[2K" + line[: shutil.get_terminal_size().columns - 1])
        self.stream.flush()

    def _line(self, run: Run) -> str:
        seconds = time.perf_counter() - self.began
        now = _batches(run)
        done = now - self.first
        parts = [self.title, f"epoch {run.epoch}/{run.epochs}", _bar(now / self.total)]
        if run.history.rows:
            parts.append("  ".join(_figures(run.history.rows[-1])))
        if done and seconds > 0:
            parts.append(f"{done / seconds:,.0f} batches/s")
            left = (self.total - now) * seconds / done
            parts.append(f"{left:.0f} s left" if not run.stopped and left >= 0.5 else f"{seconds:.1f} s")
        return "  ".join(p for p in parts if p)


def _batches(run: Run) -> int:
    """Batches done since the first epoch; fewer updates, where gradients are accumulated."""
    return run.epoch * len(run.loader) + run.batch


def _bar(share: float, width: int = 20) -> str:
    full = round(min(share, 1.0) * width)
    return "━" * full + "─" * (width - full)


def _figures(row: dict[str, float]) -> list[str]:
    shown = []
    for name, value in row.items():
        if name.endswith("loss"):
            shown.append(f"{name.replace('validation', 'val').replace('_', ' ')} {value:.4f}")
        elif name.endswith("accuracy") and name.startswith("validation"):
            shown.append(f"val accuracy {100 * value:.1f} %")
    return shown
