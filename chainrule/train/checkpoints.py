"""Checkpoint: the run on disk as it goes, the newest moment for a resume, and some older ones to go back to."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.base.errors import OptionError
from chainrule.optim.limits import COUNT
from chainrule.train.callbacks import Callback, overrides_on_step

if TYPE_CHECKING:
    from chainrule.train.run import Run


class Checkpoint(Callback):
    """Saves the whole run to one file: every so many updates, every so many epochs, and at the end.

    The file is written atomically: a kill or a full disk leaves the one before. When it cannot be written,
    training stops with a CheckpointError: hours of work that cannot be saved should not go on unnoticed.
    Weights that are NaN or infinite are never saved.

    With `keep`, so many moments stay beside it, as `run-812.safetensors` beside `run.safetensors`, from which
    `cr.at` gets to any step faster. The first is the start of the run, the last the newest; those between are spread
    over the run: one too many, and the one that leaves the smallest gap goes. Kept moments are the same file under
    a second name where the disk knows such, so that they cost no second writing. A new run at the same path removes
    those of the run before.

    Raises:
        OptionError: a number is not a whole one in range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every_steps: int | None = None,
        every_epochs: int | None = 1,
        keep: int | None = None,
    ) -> None:
        import importlib.metadata  # noqa: F401 - loaded before the clock starts

        import safetensors.numpy  # noqa: F401 - so too

        self.path, self.saved = Path(path), (0, 0)
        self.every_steps = every_steps and COUNT("Checkpoint", "every_steps", every_steps)
        self.every_epochs = every_epochs and COUNT("Checkpoint", "every_epochs", every_epochs)
        self.keep = None if keep is None else COUNT("Checkpoint", "keep", keep)
        if self.keep == 1:
            raise OptionError("Checkpoint keeps the first and the newest moment, so keep=1 is too few.", fix="keep=2")

    def on_start(self, run: Run) -> None:
        self.saved = run.step, run.epoch
        if self.keep and run.step == 0:
            for path in kept(self.path).values():
                path.unlink()
            run.save(numbered(self.path, 0))

    @property
    def sees_each_step(self) -> bool:
        return overrides_on_step(self, Checkpoint) or bool(self.every_steps)

    def on_step(self, run: Run) -> None:
        if self.every_steps and run.step % self.every_steps == 0:
            self._save(run)

    def on_epoch(self, run: Run) -> None:
        if self.every_epochs and run.epoch % self.every_epochs == 0:
            self._save(run)

    def on_end(self, run: Run) -> None:
        if run.stopped != "failed" and self.saved != (run.step, run.epoch):
            self._save(run)

    def _save(self, run: Run) -> None:
        run.save(self.path)
        self.saved = run.step, run.epoch
        if self.keep:
            self._keep(run, numbered(self.path, run.step))

    def _keep(self, run: Run, path: Path) -> None:
        """Give the newest moment a name of its own, and let one go that is too many."""
        path.unlink(missing_ok=True)
        try:
            os.link(self.path.resolve(), path)  # the next save puts another file in the place of this one
        except OSError:
            run.save(path)
        moments = kept(self.path)
        while len(moments) > (self.keep or 0):
            moments.pop(too_many(list(moments))).unlink()


def numbered(path: Path, step: int) -> Path:
    """The name of a kept moment: run-812.safetensors beside run.safetensors."""
    return path.with_name(f"{path.stem}-{step}{path.suffix}")


def kept(path: Path) -> dict[int, Path]:
    """The moments kept beside a checkpoint, by step, in order."""
    name = re.compile(rf"{re.escape(path.stem)}-(\d+){re.escape(path.suffix)}")
    found = {int(match[1]): other for other in path.parent.glob("*") if (match := name.fullmatch(other.name))}
    return dict(sorted(found.items()))


def too_many(steps: list[int]) -> int:
    """The step whose loss leaves the smallest gap, the earliest of equals; never the first or the last.

    >>> too_many([0, 10, 20, 30, 45])
    10
    """
    gaps = {middle: after - before for (before, middle), (_, after) in pairwise(pairwise(steps))}
    return min(gaps, key=lambda step: gaps[step])
