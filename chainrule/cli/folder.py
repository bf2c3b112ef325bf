"""The run folder: what stands in it, how it begins, and what a kill leaves behind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from chainrule.base.errors import ChainruleError, OptionError
from chainrule.base.files import read_json, unwritten, write_json
from chainrule.cli.lock import held
from chainrule.cli.settings import FILE as SETTINGS
from chainrule.cli.settings import Settings

CHECKPOINT, HISTORY, RESULT = "checkpoint.safetensors", "history.csv", "result.json"
MODEL, LAST_GOOD = "model.safetensors", "last-good.safetensors"
LEARNING_CURVE, CONFUSION_MATRIX = "learning_curve.png", "confusion_matrix.png"
PREDICTIONS = "predictions.png"

FILES = (
    SETTINGS, CHECKPOINT, HISTORY, RESULT, MODEL, LAST_GOOD, LEARNING_CURVE, CONFUSION_MATRIX, PREDICTIONS,
)  # fmt: skip
"""All files of a run."""

KEPT = r"checkpoint-\d+\.safetensors"
"""Moments of a run that `--keep-checkpoints` keeps beside the newest one."""

LEFTOVER = re.compile(rf"\.({'|'.join([*map(re.escape, FILES), KEPT])})\.[0-9a-f]{{8}}\.tmp")
"""What `write_atomically` calls a file of ours until it is whole."""

RUNS = Path("runs")
"""Where new runs go, unless told otherwise."""


@contextmanager
def begun(settings: Settings, out: Path | None) -> Iterator[Path]:
    """A new run folder with its settings, held by this process: from here on the run can be resumed.

    Without `out` it is the first runs/TASK-N that does not exist. If the run fails before it has left anything
    else, as for data that is not there, what was made for it goes again, and nothing else.

    Raises:
        OptionError: the folder holds a run, or files that a run would write over.
    """
    folder, made = numbered(settings) if out is None else (out, with_parents(out))
    try:
        with held(folder):
            check_free(settings, folder)
            try:
                settings.save(folder)
                yield folder
            except ChainruleError:
                take_back(settings, folder)
                raise
    finally:
        for place in made:
            with suppress(OSError):  # the run, or something else, is in it
                place.rmdir()


def numbered(settings: Settings) -> tuple[Path, list[Path]]:
    """A new folder runs/TASK-N, and all that were made for it; two calls at once make two."""
    made = with_parents(RUNS)
    names = (RUNS / f"{settings.name}-{n}" for n in count(1))
    folder = next(place for place in names if not place.exists() and with_parents(place))
    return folder, [folder, *made]


def with_parents(folder: Path) -> list[Path]:
    """Make a folder and those above it; the ones that were not there before, innermost first.

    Raises:
        CheckpointError: one cannot be made.
    """
    made: list[Path] = []
    try:
        for place in (*reversed(folder.parents), folder):
            if not place.is_dir():
                with suppress(FileExistsError):  # another process was faster
                    place.mkdir()
                    made.insert(0, place)
    except OSError as error:
        raise unwritten(folder / SETTINGS, folder / SETTINGS, error) from None
    return made


def check_free(settings: Settings, folder: Path) -> None:
    """A new run writes over nothing.

    Raises:
        OptionError: the folder holds a run, or a file with the name of one that a run writes.
    """
    if (folder / SETTINGS).exists():
        fix = f"chainrule train --resume {folder}, or another --out"
        raise OptionError(f"{folder} holds a run already.", fix=fix)
    taken = [path for path in written(settings, folder) if path.exists()]
    if taken:
        headline = f"{folder} holds files with the names of those that a run writes."
        raise OptionError(headline, first=taken[0].relative_to(folder), fix="another --out")


def take_back(settings: Settings, folder: Path) -> None:
    """Remove a new run of which there are only settings. As it was begun there was none of these files."""
    left = [path for path in written(settings, folder) if path.exists()]
    if any(path.name != SETTINGS for path in left):
        return
    for path in left:
        path.unlink()
        if path.parent != folder:
            with suppress(OSError):  # something else is in it
                path.parent.rmdir()


def written(settings: Settings, folder: Path) -> list[Path]:
    """All files that a run may write; of moments that are kept, those that are there."""
    seeds = (place for place in places(settings, folder).values() if place != folder)
    own = [folder, *seeds]
    return [place / name for place in own for name in FILES] + [p for place in own for p in moments(place)]


def moments(folder: Path) -> list[Path]:
    """The kept moments in a folder."""
    return sorted(path for path in folder.glob("checkpoint-*") if re.fullmatch(KEPT, path.name))


def tidy(settings: Settings, folder: Path) -> None:
    """Remove the temporary files of our own writes that a kill cut off; only this process writes here now."""
    for place in {folder, *places(settings, folder).values()}:
        for path in place.glob(".*.tmp"):
            if LEFTOVER.fullmatch(path.name):
                path.unlink(missing_ok=True)


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
