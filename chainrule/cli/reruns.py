"""Runs that `chainrule train` has left, run again: `cr.at` and `cr.compare` take their folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from chainrule import glass
from chainrule.base.errors import OptionError
from chainrule.cli import tasks
from chainrule.cli.building import build_model, n_outputs
from chainrule.cli.folder import CHECKPOINT
from chainrule.cli.settings import Settings
from chainrule.cli.training import given
from chainrule.glass import Moment, Parting, Rerun


def at(run: str | os.PathLike[str] | Rerun, step: int) -> Moment:
    """The state of a finished run after `step` updates, before the next: as it was, bit for bit.

    `run` is a folder of `chainrule train`, or a `cr.glass.Rerun`: what `fit` was given, and its checkpoints. The state
    is rebuilt from the nearest checkpoint before it, by running the steps between again, or from the beginning where
    there is none; `Checkpoint(path, every_steps=100, keep=10)` makes that short. Step 0 is the start, the last one
    the end. The moment has the model, the optimiser, the history, the rows that the next step sees and its random
    stream; and its loss, gradients and explanation.

    Raises:
        OptionError: the run has no such step, or it is no run that can be run again.
        CheckpointError: the folder holds no run, or a checkpoint is damaged, or of another run.
        DataError: the data of the run is not there any more.
        NumericalError: the run broke off before this step, for its loss was not finite.

    >>> import chainrule as cr
    >>> def start():
    ...     cr.seed(0)
    ...     return {"model": cr.models.MLP(4, 8, 3), "data": cr.data.iris(), "epochs": 2}
    >>> moment = cr.at(cr.glass.Rerun(start), step=8)
    >>> moment, sorted(moment.gradients())[:2]
    (<Moment at step 8: epoch 2, batch 4 of 5>, ['fc1.bias', 'fc1.weight'])
    """
    return glass.at(opened(run), step)


def compare(first: str | os.PathLike[str] | Rerun, second: str | os.PathLike[str] | Rerun) -> Parting:
    """The first step, layer and quantity in which two runs part, and by how much.

    Runs are given as to `cr.at`. The step is found by bisection over the checkpoints that both have, and by repeating
    both from the last at which they were the same. In that step quantities are told apart in the order in which they
    come to be: data, parameters, buffers and the optimiser's arrays before the step, the output of each module, the
    loss, gradients, the learning rate, updates. The result prints as a report, and is a mapping from names such as
    "fc1.z" to what is apart there. Two numbers are the same if they are equal, or both NaN: rounding is a difference.

    Outputs and gradients are computed by define-by-run, and updates as the run did. Runs that part, part for good: a
    difference that is gone again at a common checkpoint is not found.

    Raises:
        OptionError: one is no run that can be run again.
        CheckpointError: a folder holds no run, or a checkpoint is damaged, or of another run.
        DataError: the data of a run is not there any more.

    >>> import chainrule as cr
    >>> def start(lr):
    ...     cr.seed(0)
    ...     model = cr.models.MLP(4, 8, 3)
    ...     return {"model": model, "data": cr.data.iris(), "optimizer": cr.optim.SGD(model, lr=lr), "epochs": 2}
    >>> parting = cr.compare(cr.glass.Rerun(lambda: start(0.1)), cr.glass.Rerun(lambda: start(0.2)))
    >>> parting.step, parting.first.name, parting.first.largest
    (0, 'lr', 0.1)
    """
    return glass.compare(opened(first), opened(second))


def opened(run: Any) -> Any:
    """A run that can be run again, from its folder; what is no folder stays as it is.

    Raises:
        CheckpointError: the folder holds no run.
        OptionError: it holds several, or one that was solved in one step.
    """
    if not isinstance(run, str | os.PathLike):
        return run
    folder = Path(run)
    settings = Settings.load(folder)
    if settings.seeds > 1:
        headline = f"{folder} holds the runs of {settings.seeds} seeds."
        raise OptionError(headline, fix=f"one of them: {folder / f'seed-{settings.seed}'}")
    if settings.model == "lda":
        raise OptionError(f"{folder} has no steps: linear discriminant analysis is solved at once.")
    data = tasks.load(settings)
    train = data.parts.train

    def start() -> dict[str, Any]:
        return given(build_model(settings, train.n_features, n_outputs(train)), settings, data)

    return Rerun(start, folder / CHECKPOINT)
