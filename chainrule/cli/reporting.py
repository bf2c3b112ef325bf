"""A report on a run folder: everything that the folder tells, and what running it again shows."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from chainrule.base.errors import DataError
from chainrule.base.files import read_arrays
from chainrule.cli import tasks
from chainrule.cli.choices import settings_for
from chainrule.cli.folder import CHECKPOINT, HISTORY, LAST_GOOD, MODEL, result_in
from chainrule.cli.names import LOSSES_OF
from chainrule.cli.options import option, shown
from chainrule.cli.reruns import opened
from chainrule.cli.saved import SavedModel, load_model
from chainrule.cli.settings import Settings
from chainrule.data import Splits
from chainrule.data.mnist import SIDE
from chainrule.glass.reporting.gathering import Repeated, of_rerun, pixels_of, repeated, seconds_of
from chainrule.glass.reporting.page import Page, check_ending
from chainrule.glass.reporting.subject import Source, Subject
from chainrule.glass.reruns.rerun import Rerun


def report(
    run: str | os.PathLike[str] | Rerun, path: str | os.PathLike[str] | None = None, *, look: bool = True
) -> Page:
    """A page about a finished run: what is wrong with it, how it went, what it gets wrong, and how to do it again.

    `run` is a folder of `chainrule train` or a `cr.glass.Rerun`. It is run once more, watched: that gives the verdicts,
    the health of its layers, and whether it ends in the same bits; with `look=False` the page of a folder goes without
    them. The page is one file of HTML, without scripts, fonts or network; with `path` it is written there, atomically.

    Raises:
        CheckpointError: the folder holds no run, an unfinished one, or one of other data; the page cannot be written.
        OptionError: the folder holds runs of several seeds, or the path does not end in .html.
        DataError: the data of the run is not there any more.

    >>> import chainrule as cr
    >>> def start():
    ...     cr.seed(0)
    ...     return {"model": cr.models.MLP(4, 8, 3), "data": cr.data.iris(), "epochs": 2}
    >>> page = cr.report(cr.glass.Rerun(start))
    >>> page, "<script" in page.html
    (<Page on iris, MLP, seed 0>, False)
    """
    if path is not None:
        check_ending(path)
    page = Page(of_folder(Path(run), look) if isinstance(run, str | os.PathLike) else of_rerun(run))
    if path is not None:
        page.save(path)
    return page


def of_folder(folder: Path, look: bool) -> Subject:
    """The subject of a report: what the folder tells, and, if wanted, what running it again does.

    Raises:
        CheckpointError: the folder holds no run, an unfinished one, or one of other data.
        OptionError: it holds several runs.
        DataError: the data is not there any more.
    """
    settings, result = Settings.load(folder), result_in(folder)
    broke = result is None and (folder / LAST_GOOD).exists()
    with data_needed(folder):
        solved = settings.model == "lda" and settings.seeds == 1  # at once: there are no steps
        rerun = None if solved else opened(folder)
        saved = load_model(folder, LAST_GOOD if broke else MODEL)
        parts = tasks.parts_of(settings)
    kept = kept_by(rerun, folder)
    again = repeated(rerun) if rerun and look else None
    subject = found_in(folder, settings, saved, parts, result or {})
    if again is not None:
        subject.evidence, subject.verdicts = again.evidence, again.verdicts
        subject.replayed = said(again, subject.rows, saved)
    if broke:
        subject.stopped, subject.replayed = "broke off", ""
        subject.broken = (again.error if again else "") or "Its loss or its weights became NaN or infinite."
    subject.versions, subject.moments = kept
    return subject


@contextmanager
def data_needed(folder: Path) -> Iterator[None]:
    """Data that cannot be read inside the block is missed by this run."""
    try:
        yield
    except DataError as error:
        error.places["try"] = "put it back as it was: a report needs the data of the run"
        raise error.at(run=folder) from None


def kept_by(rerun: Rerun | None, folder: Path) -> tuple[dict[str, str], int]:
    """The versions that wrote the newest checkpoint, and the bytes of the optimiser in it.

    Raises:
        CheckpointError: it was made with other data or settings.
    """
    if rerun is None or not (folder / CHECKPOINT).exists():
        return {}, 0
    rerun.run_to(list(rerun.moments)[-1])
    arrays, texts = read_arrays(folder / CHECKPOINT)
    moments = sum(array.nbytes for name, array in arrays.items() if name.startswith("optimizer/"))
    return json.loads(texts["run"]).get("versions", {}), moments


def found_in(folder: Path, settings: Settings, saved: SavedModel, parts: Splits, result: dict[str, Any]) -> Subject:
    """What the folder tells by itself."""
    rows = history_in(folder)
    sizes = "-".join(map(str, saved.model.sizes))
    return Subject(
        title=f"{settings.name}, {settings.model} {sizes}, seed {settings.seed}",
        model=saved.model,
        parts={"training": parts.train, "validation": parts.validation, "test": parts.test},
        rows=rows,
        inputs=saved.inputs,
        in_units=saved.in_units,
        optimizer=optimizer_of(settings),
        loss=settings.loss or LOSSES_OF[saved.task][0],
        stopped=str(result.get("stopped", "")),
        result=result,
        origin=origin_of(settings),
        target=settings.target or "",
        scaling=scaling_of(settings, saved),
        pixels=(SIDE, SIDE) if settings.task == "mnist" else pixels_of(parts.train),
        sources=sources_of(settings, parts),
        settings=unusual(settings),
        commands=commands_of(settings, folder, rows),
        seconds=result.get("seconds", seconds_of(rows)),
        batch_size=settings.batch_size,
    )


def history_in(folder: Path) -> list[dict[str, Any]]:
    """The rows of the history, as numbers."""
    if not (folder / HISTORY).exists():
        return []
    with open(folder / HISTORY, newline="") as lines:
        return [{name: numeric(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def numeric(value: str) -> Any:
    """A cell of a table: a whole number, a number, or what it is."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def said(again: Repeated, rows: Sequence[Mapping[str, Any]], saved: SavedModel) -> str:
    """Whether the run that was run again is the run of the folder, to the last bit."""
    if again.error:
        return f"Run again for this page, the run broke off: {again.error}"
    own = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    other = [{k: v for k, v in row.items() if k != "seconds"} for row in again.run.history.rows]
    weights, others = saved.model.state_dict(), again.run.model.state_dict()
    last = f"fc{len(saved.model.sizes) - 1}."  # of a scaled target it was rescaled when it was saved
    same = [name for name in weights if saved.task == "classification" or not name.startswith(last)]
    equal = own == other and all((weights[name] == others[name]).all() for name in same)
    if equal:
        return "Run again for this page, it came to the same history and the same weights, to the last bit."
    return "Run again for this page, it came to other numbers: the library, the machine or the threads are others."


def optimizer_of(settings: Settings) -> str:
    """Optimiser, learning rate and schedule in words."""
    if settings.model == "lda":
        return "none: solved at once"
    course = "" if settings.schedule == "constant" else f", {settings.schedule} schedule"
    return f"{settings.optimizer}, learning rate {settings.lr:g}{course}"


def origin_of(settings: Settings) -> str:
    """Where the data is from."""
    if settings.task == "mnist":
        return f"MNIST files in {settings.data}"
    return settings.task if settings.target else f"the embedded set {settings.name}"


def scaling_of(settings: Settings, saved: SavedModel) -> str:
    """What is done to features and target."""
    features = "features as they are" if saved.scaler is None else f"features: {settings.scale}, by the training part"
    target = "; target standardised while training" if saved.task == "regression" and settings.scale_target else ""
    return features + target


def sources_of(settings: Settings, parts: Splits) -> list[Source]:
    """The files that the data was read from; of an embedded set its arrays, in the order of the parts."""
    if settings.target:
        paths = [Path(settings.task)]
    elif settings.task == "mnist" and settings.data:
        paths = sorted(p for p in Path(settings.data).glob("*ubyte*") if p.is_file())
    else:
        total = hashlib.sha256()
        arrays = [array for part in parts for array in (part.x, part.y)]
        for array in arrays:
            total.update(array.tobytes())
        size = sum(array.nbytes for array in arrays)
        return [Source(f"{settings.name}: x and y of {', '.join(parts._fields)}", size, total.hexdigest())]
    return [source(path) for path in paths]


def source(path: Path) -> Source:
    """A file with its checksum."""
    with open(path, "rb") as file:
        return Source(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def unusual(settings: Settings) -> dict[str, str]:
    """Settings other than those of every run."""
    usual = {f.name: f.default for f in fields(Settings)}
    chosen = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "task"}
    return {option(k): shown(v) for k, v in chosen.items() if v not in ((), usual[k])}


def commands_of(settings: Settings, folder: Path, rows: list[dict[str, Any]]) -> str:
    """What to type: the same run again, its prediction, any of its steps."""
    lines = [train_command(settings), f"chainrule summary {shlex.quote(str(folder))}"]
    if rows:
        lines.append(f"chainrule step {shlex.quote(str(folder))} --at {rows[len(rows) // 2].get('step', 0)}")
    return "\n".join(lines)


def train_command(settings: Settings) -> str:
    """The command that starts this run anew: every setting that is not as it comes by itself for this task."""
    base = settings_for(settings.task, {"target": settings.target, "data": settings.data, "recipe": settings.recipe})
    words = ["chainrule", "train", shlex.quote(settings.task)]
    for name in (f.name for f in fields(Settings) if f.name != "task"):
        value = getattr(settings, name)
        if name in ("target", "data", "recipe"):
            words += [option(name), shlex.quote(str(value))] if value else []
        elif value != getattr(base, name):
            words += flag(name, value)
    return " ".join(words)


def flag(name: str, value: Any) -> list[str]:
    """An option with its value, as it is typed."""
    if isinstance(value, bool):
        opposite = {"scale_target": "--raw-target"}.get(name, f"--no-{name.replace('_', '-')}")
        return [option(name) if value else opposite]
    return [] if value in (None, ()) else [option(name), shlex.quote(shown(value))]
