"""The run folder: what stands in it, how it begins, and what a kill leaves behind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chainrule.base.errors import ChainruleError, OptionError
from chainrule.base.files import read_json, write_json
from chainrule.cli.settings import FILE as SETTINGS
from chainrule.cli.settings import Settings

CHECKPOINT, HISTORY, RESULT = "checkpoint.safetensors", "history.csv", "result.json"
MODEL, LAST_GOOD = "model.safetensors", "last-good.safetensors"
LEARNING_CURVE, CONFUSION_MATRIX = "learning_curve.png", "confusion_matrix.png"
PREDICTIONS = "predictions.png"


def new_folder(settings: Settings) -> Path:
    """The first runs/TASK-N that does not exist."""
    n = 1
    while (folder := Path("runs") / f"{settings.name}-{n}").exists():
        n += 1
    return folder


@contextmanager
def begun(settings: Settings, folder: Path) -> Iterator[None]:
    """A new run folder with its settings: from here on the run can be resumed.

    If the run fails before it has left anything else, as for data that is not there, the folder goes again.

    Raises:
        OptionError: the folder holds a run.
    """
    if (folder / SETTINGS).exists():
        fix = f"chainrule train --resume {folder}, or another --out"
        raise OptionError(f"{folder} holds a run already.", fix=fix)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        settings.save(folder)
        yield
    except ChainruleError:
        take_back(folder, made)
        raise


def take_back(folder: Path, made: list[Path]) -> None:
    """Remove a run of which there are only settings, and the folders made for it."""
    left = [path for path in folder.rglob("*") if path.is_file()]
    if any(path.name != SETTINGS for path in left):
        return
    for path in left:
        path.unlink()
    below = [path for path in folder.glob("seed-*") if path.is_dir()]
    for place in (*below, *made):
        with suppress(OSError):  # something else is in it
            place.rmdir()


def tidy(folder: Path) -> None:
    """Remove the temporary files of writes that a kill cut off."""
    for leftover in folder.rglob(".*.tmp"):
        leftover.unlink(missing_ok=True)


def places(settings: Settings, folder: Path) -> dict[int, Path]:
    """The folder of each seed: the run's own, if there is only one."""
    seeds = range(settings.seed, settings.seed + settings.seeds)
    return {seed: folder / f"seed-{seed}" if settings.seeds > 1 else folder for seed in seeds}


def result_in(folder: Path) -> dict[str, Any] | None:
    """The result of a run, if it is finished."""
    return read_json(folder / RESULT) if (folder / RESULT).exists() else None


def write_result(folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    """Write a result, and give it as it will be read again."""
    result = strict(result)
    write_json(folder / RESULT, result)
    return result


def strict(value: Any) -> Any:
    """A value as JSON knows it: NaN and infinity, which it does not, become null."""
    if isinstance(value, dict):
        return {key: strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [strict(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
