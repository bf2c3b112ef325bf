"""Watching a run: anything that can be measured of its model, every so many steps or epochs, as a list of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.glass.still import evaluation
from chainrule.nn import Module
from chainrule.optim.limits import COUNT
from chainrule.train import Callback, Run
from chainrule.train.callbacks import overrides_on_step


class Watch(Callback):
    """Measures the model before the first step, every so many updates, and every so many epochs.

    `measure(model)` gives figures by name, numbers or arrays. They become a row of `records`, with the step and the
    epoch, as Python's own numbers and lists: {"step": 100, "epoch": 2, "trace": 31.4}. The model is measured in
    evaluation mode, with random draws of its own; the run goes on as if it had not been watched, bit for bit. While
    weights are NaN or infinite nothing is measured.

    Records are not part of a checkpoint, so that a run can be resumed with other watches or with none. The same object
    in a resumed run goes on with its list; in a new one it starts afresh.

    Raises:
        OptionError: every_steps or every_epochs is less than 1.
    """

    def __init__(
        self,
        measure: Callable[[Module], Mapping[str, Any]],
        every_steps: int | None = None,
        every_epochs: int | None = 1,
    ) -> None:
        self.measure = measure
        name = type(self).__name__
        self.every_steps = every_steps if every_steps is None else COUNT(name, "every_steps", every_steps)
        self.every_epochs = every_epochs if every_epochs is None else COUNT(name, "every_epochs", every_epochs)
        self.records: list[dict[str, Any]] = []

    def on_start(self, run: Run) -> None:
        self.records[:] = [row for row in self.records if row["step"] <= run.step and run.step]
        if run.step == 0:
            self._record(run)

    @property
    def sees_each_step(self) -> bool:
        return overrides_on_step(self, Watch) or bool(self.every_steps)

    def on_step(self, run: Run) -> None:
        if self.every_steps and run.step % self.every_steps == 0:
            self._record(run)

    def on_epoch(self, run: Run) -> None:
        if self.every_epochs and run.epoch % self.every_epochs == 0:
            self._record(run)

    def _record(self, run: Run) -> None:
        if self.records and self.records[-1]["step"] == run.step:  # measured already: now the epoch is over too
            self.records[-1]["epoch"] = run.epoch
        elif all(np.isfinite(p.numpy()).all() for p in run.model.parameters()):
            with evaluation(run.model):
                figures = self.measure(run.model)
            row = {name: np.asarray(value).tolist() for name, value in figures.items()}
            self.records.append({"step": run.step, "epoch": run.epoch, **row})
