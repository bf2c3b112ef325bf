"""A training command carried out: data, model, fit, test, and the run folder that is left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import chainrule.base.files as files
from chainrule import losses, metrics, optim
from chainrule.base.errors import OptionError
from chainrule.cli import tasks
from chainrule.cli.saved import save_model
from chainrule.cli.settings import Settings
from chainrule.core import random_stream
from chainrule.base.keys import Key
from chainrule.data import Dataset, Splits
from chainrule.models import MLP
from chainrule.nn import Module
from chainrule.train import Checkpoint, CSVLog, EarlyStopping, History, evaluate, fit, predict
from chainrule.train.progress import Progress

CHECKPOINT, HISTORY, RESULT = "checkpoint.safetensors", "history.csv", "result.json"


def train(settings: Settings, folder: Path, show: bool = True) -> dict[str, Any]:
    """Train once for every seed, skip those that are finished, and write the result of all into the folder."""
    runs = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        place = folder / f"seed-{seed}" if settings.seeds > 1 else folder
        runs.append(_one(settings.replaced(seed=seed, seeds=1), place, show))
        if runs[-1]["stopped"] == "interrupted":
            return runs[-1]
    if settings.seeds == 1:
        return runs[0]
    result = _together(runs)
    files.write_json(folder / RESULT, result)
    return result


def _one(settings: Settings, folder: Path, show: bool) -> dict[str, Any]:
    """One seed: from its checkpoint if there is one, to its result."""
    if (folder / RESULT).exists():
        return files.read_json(folder / RESULT)
    parts, scaler = tasks.load(settings)
    if settings.model == "lda":
        return _lda(settings, parts, folder)
    model = build(settings, parts.train)
    began = time.perf_counter()
    history = _fit(model, settings, parts, folder, show)
    if history.stopped == "interrupted":
        return {"stopped": "interrupted", "folder": str(folder)}
    result = _measured(model, parts) | {"seed": settings.seed, "parameters": model.n_parameters}
    result |= {"epochs": len(history), "stopped": history.stopped, "seconds": time.perf_counter() - began}
    save_model(folder / "model.safetensors", model, settings, parts.train, scaler)
    _pictures(model, history, parts.test, folder, settings)
    files.write_json(folder / RESULT, result)
    return result


def build(settings: Settings, data: Dataset) -> Module:
    """The model of the settings for this data; weights drawn by the seed.

    Raises:
        OptionError: there is no such model.
    """
    outputs = data.n_classes or (1 if data.y.ndim == 1 else data.y.shape[1])
    return build_model(asdict(settings), data.n_features, outputs)


def build_model(settings: dict[str, Any], n_inputs: int, n_outputs: int) -> Module:
    """The model of these settings with so many inputs and outputs."""
    if settings["model"] not in ("mlp", "logistic", "linear"):
        raise OptionError(f"There is no model {settings['model']!r}.", known="mlp, logistic, linear, lda")
    hidden = tuple(settings["hidden"]) if settings["model"] == "mlp" else ()
    rates = list(settings["dropout"])
    with random_stream(Key(settings["seed"]) / "weights"):
        return MLP(
            n_inputs,
            *hidden,
            n_outputs,
            activation=settings["activation"],
            dropout=rates * len(hidden) if len(rates) == 1 else rates,
            batch_norm=settings["batch_norm"],
            init=settings["init"],
        )


def _fit(model: Module, settings: Settings, parts: Splits, folder: Path, show: bool) -> History:
    checkpoint = folder / CHECKPOINT
    callbacks: list[Any] = [CSVLog(folder / HISTORY), Checkpoint(checkpoint, settings.checkpoint_every)]
    if settings.patience:
        callbacks.append(EarlyStopping(patience=settings.patience))
    if show:
        callbacks.append(Progress(f"{Path(settings.task).stem} seed {settings.seed}"))
    return fit(
        model,
        parts.train,
        settings.loss,
        _optimizer(settings, model),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        validation=parts.validation,
        callbacks=callbacks,
        schedule=_schedule(settings, len(parts.train)),
        penalty=_penalty(settings),
        clip_norm=settings.clip_norm,
        accumulate=settings.accumulate,
        seed=settings.seed,
        progress=False,
        resume=checkpoint if checkpoint.exists() else None,
    )


def _penalty(settings: Settings) -> Callable[[Module], Any] | None:
    if settings.penalty is None:
        return None
    name = settings.penalty.replace("_", "-")
    known = {key.replace("_", "-"): value for key, value in losses.PENALTIES.items()}
    if name not in known:
        raise OptionError(f"There is no penalty {settings.penalty!r}.", known=", ".join(known))
    return known[name](settings.lam)


def _optimizer(settings: Settings, model: Module) -> Any:
    if settings.optimizer not in optim.OPTIMIZERS:
        raise OptionError(f"There is no optimiser {settings.optimizer!r}.", known=", ".join(optim.OPTIMIZERS))
    extra: dict[str, Any] = {"momentum": settings.momentum} if settings.momentum is not None else {}
    if settings.weight_decay:
        extra["weight_decay"] = settings.weight_decay
    try:
        return optim.OPTIMIZERS[settings.optimizer](model, lr=settings.lr, **extra)
    except TypeError:
        raise OptionError(f"The optimiser {settings.optimizer} does not take {' or '.join(extra)}.") from None


def _schedule(settings: Settings, examples: int) -> Callable[[int], float] | None:
    """The learning rate over the steps of this run, after a linear warm-up for a share of them."""
    if settings.schedule not in optim.SCHEDULES:
        raise OptionError(f"There is no schedule {settings.schedule!r}.", known=", ".join(optim.SCHEDULES))
    batches = math.ceil(examples / settings.batch_size)
    steps = settings.epochs * math.ceil(batches / settings.accumulate)
    warm = round(settings.warmup * steps)
    schedule = optim.SCHEDULES[settings.schedule].over(settings.lr, steps - warm)
    return optim.LinearWarmup(warm, schedule) if warm else schedule


def _measured(model: Module, parts: Splits) -> dict[str, Any]:
    """Loss and scores on the validation and the test part, with the interval of the test accuracy."""
    validation, test = evaluate(model, parts.validation), evaluate(model, parts.test)
    figures: dict[str, Any] = {
        "task": parts.test.task,
        "examples": [len(part) for part in parts],
        "validation": validation,
        "test": test,
    }
    if "accuracy" in test:
        figures["interval"] = list(_interval(test["accuracy"], len(parts.test)))
    return figures


def _interval(accuracy: float, n: int) -> metrics.Interval:
    return metrics.wilson_interval(round(accuracy * n), n)


def _together(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds with Student's interval."""
    measured = {name: [run["test"][name] for run in runs] for name in runs[0]["test"]}
    return {
        "task": runs[0]["task"],
        "examples": runs[0]["examples"],
        "seeds": [run["seed"] for run in runs],
        "parameters": runs[0]["parameters"],
        "stopped": "finished",
        "test": {name: float(np.mean(values)) for name, values in measured.items()},
        "intervals": {name: list(metrics.mean_interval(values)) for name, values in measured.items()},
        "seconds": sum(run["seconds"] for run in runs),
        "runs": runs,
    }


def _lda(settings: Settings, parts: Splits, folder: Path) -> dict[str, Any]:
    """Linear discriminant analysis, scikit-learn's: no gradient, one solution."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    began = time.perf_counter()
    x = np.concatenate([parts.train.x, parts.validation.x])
    y = np.concatenate([parts.train.y, parts.validation.y])
    solution = LinearDiscriminantAnalysis().fit(x, y)
    accuracy = metrics.accuracy(parts.test.y, solution.predict(parts.test.x))
    result = {
        "task": parts.test.task,
        "examples": [len(x), 0, len(parts.test)],
        "test": {"accuracy": accuracy},
        "interval": list(_interval(accuracy, len(parts.test))),
        "seed": settings.seed,
        "parameters": int(solution.coef_.size + solution.intercept_.size),
        "stopped": "finished",
        "seconds": time.perf_counter() - began,
    }
    files.write_json(folder / RESULT, result)
    return result


def _pictures(model: Module, history: History, test: Dataset, folder: Path, settings: Settings) -> None:
    from chainrule.glass import pictures

    title = f"{Path(settings.task).stem}, seed {settings.seed}"
    pictures.learning_curve(history.rows, folder / "learning_curve.png", title)
    if test.task == "classification":
        matrix = metrics.confusion_matrix(test.y, predict(model, test.x), classes=range(test.n_classes))
        pictures.confusion_matrix(matrix, test.class_names, folder / "confusion_matrix.png", f"{title}: test part")


