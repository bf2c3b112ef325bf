"""A training command carried out: data, model, fit, test, and the run folder that is left."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import metrics
from chainrule.base.errors import CheckpointError, NumericalError, OptionError
from chainrule.base.files import read_arrays
from chainrule.cli import lda, tasks
from chainrule.cli.building import build_model, build_optimizer, build_penalty, build_schedule, n_outputs
from chainrule.cli.folder import (
    CHECKPOINT,
    CONFUSION_MATRIX,
    HISTORY,
    LAST_GOOD,
    LEARNING_CURVE,
    MODEL,
    PREDICTIONS,
    SETTINGS,
    places,
    result_in,
    tidy,
    write_result,
)
from chainrule.cli.names import LOSSES_OF
from chainrule.cli.results import measured, together
from chainrule.cli.saved import save_model
from chainrule.cli.settings import Settings
from chainrule.cli.tasks import Prepared
from chainrule.models import MLP
from chainrule.train import Callback, Checkpoint, CSVLog, EarlyStopping, History, fit, predict
from chainrule.train.progress import Progress

INTERRUPTED = "interrupted"


def train(settings: Settings, folder: Path, show: bool = True) -> dict[str, Any]:
    """Train once for every seed, skip those that are finished, and write the result of all.

    The folder is held by this process (`lock.held`).
    """
    tidy(settings, folder)
    runs = []
    for seed, place in places(settings, folder).items():
        one = settings.replaced(seed=seed, seeds=1)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is said in the result
            runs.append(result_in(place) or train_one(one, place, show))
        if runs[-1]["stopped"] == INTERRUPTED:
            return runs[-1]
    return runs[0] if settings.seeds == 1 else write_result(folder, together(runs))


def train_one(settings: Settings, folder: Path, show: bool) -> dict[str, Any]:
    """One seed: from its checkpoint if there is one, to its result, which is written last."""
    if not (folder / SETTINGS).exists():
        settings.save(folder)
    data = tasks.load(settings)
    began = time.perf_counter()
    if settings.model == "lda":
        model, history = lda.solved(settings, data.parts), History(stopped="finished")
    else:
        model = build_model(settings, data.parts.train.n_features, n_outputs(data.parts.train))
        history = fitted(model, settings, data, folder, show)
    if history.stopped == INTERRUPTED:
        return {"stopped": INTERRUPTED}
    seconds = sum(history["seconds"]) if history.rows else time.perf_counter() - began
    result = facts(model, settings, data) | {"epochs": len(history), "stopped": history.stopped}
    save_model(folder / MODEL, model, settings, data)  # first of all: what took so long is kept
    result |= {"seconds": seconds} | measured(model, settings, data)
    draw(model, history, data, folder, settings)
    return write_result(folder, result)


def facts(model: MLP, settings: Settings, data: Prepared) -> dict[str, Any]:
    """What a result is a result of."""
    return {
        "data": settings.name,
        "task": data.task,
        "model": settings.model,
        "layers": list(model.sizes),
        "seed": settings.seed,
        "examples": examples(settings, data),
        "parameters": model.n_parameters,
        "loss": settings.loss or LOSSES_OF[data.task][0],
        "target": "as it is" if data.target_scaler is None else "standardised",
        "column": settings.target,
        "kind": settings.kind,
    }


def examples(settings: Settings, data: Prepared) -> list[int]:
    """Examples that were trained on, chosen by, and tested on."""
    train, validation, test = map(len, data.parts)
    return [train + validation, 0, test] if settings.model == "lda" else [train, validation, test]


def fitted(model: MLP, settings: Settings, data: Prepared, folder: Path, show: bool) -> History:
    """Train the model, saving as it goes.

    Raises:
        NumericalError: the loss became NaN or infinite; the last good weights are in the folder.
        OptionError: the batches do not suit the model.
    """
    train = data.parts.train
    try:
        return fit(
            **given(model, settings, data)
            | {"callbacks": watchers(settings, folder, show), "progress": False, "resume": sound(folder / CHECKPOINT)}
        )
    except OptionError as error:
        if "batch_size" in error.places:
            error.places = {"try": f"--batch-size {without_rest_of_one(settings.batch_size, len(train))}"}
        raise
    except NumericalError as error:
        save_model(folder / LAST_GOOD, model, settings, data)
        error.places["try"] = f"a smaller --lr than {settings.lr:g}, or --clip-norm 1"
        error.places["saved"] = str(folder / LAST_GOOD)
        raise


def given(model: MLP, settings: Settings, data: Prepared) -> dict[str, Any]:
    """What decides the numbers of a run: arguments of `fit` by name."""
    train = data.parts.train
    return {
        "model": model,
        "data": train,
        "loss": settings.loss,
        "optimizer": build_optimizer(settings, model),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "validation": data.parts.validation,
        "callbacks": stopping(settings),
        "schedule": build_schedule(settings, len(train)),
        "penalty": build_penalty(settings),
        "clip_norm": settings.clip_norm,
        "accumulate": settings.accumulate,
        "seed": settings.seed,
    }


def without_rest_of_one(size: int, examples: int) -> int:
    """The next larger batch size with which the last batch has more than one example."""
    return next(n for n in count(size + 1) if examples % n != 1)


def watchers(settings: Settings, folder: Path, show: bool) -> list[Callback]:
    """What happens beside training: history, checkpoints, early stopping, the progress line."""
    log = CSVLog(folder / HISTORY)
    saving = Checkpoint(folder / CHECKPOINT, settings.checkpoint_every, keep=settings.keep_checkpoints)
    line = [Progress(f"{settings.name} seed {settings.seed}")] if show else []
    return [log, saving, *stopping(settings), *line]


def stopping(settings: Settings) -> list[Callback]:
    """Early stopping, if it is asked for."""
    return [EarlyStopping(patience=settings.patience)] if settings.patience else []


def sound(checkpoint: Path) -> Path | None:
    """The checkpoint to resume, if there is one.

    Raises:
        CheckpointError: it is damaged.
    """
    if not checkpoint.exists():
        return None
    try:
        read_arrays(checkpoint)
    except CheckpointError as error:
        error.places["try"] = "delete it: the run then starts from its beginning, and ends the same"
        raise
    return checkpoint


def draw(model: MLP, history: History, data: Prepared, folder: Path, settings: Settings) -> None:
    """The pictures of a finished run."""
    from chainrule.glass import pictures

    title = f"{settings.name}, {settings.model}, seed {settings.seed}"
    if history.rows:
        pictures.learning_curve(history.rows, folder / LEARNING_CURVE, title)
    test = data.parts.test
    predicted = predict(model, test.x, test.task)
    if test.task == "classification":
        matrix = metrics.confusion_matrix(test.y, predicted, classes=range(test.n_classes))
        pictures.confusion_matrix(matrix, test.class_names, folder / CONFUSION_MATRIX, f"{title}: test part")
    else:
        true, found = (data.in_units(column) for column in (test.y, predicted[:, None]))
        pictures.predictions(true, found, folder / PREDICTIONS, f"{title}: test part")
