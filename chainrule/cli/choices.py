"""Settings from what was asked for: the defaults of the task, the recipe, the options; the later ones win."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.cli.names import WORDS, named, names_of, plain, unknown
from chainrule.cli.options import option, shown
from chainrule.cli.ranges import check_ranges
from chainrule.cli.recipes import RECIPES, TASKS
from chainrule.cli.settings import Settings, numbers

TABLE = {"scale": "standardize"}
"""What a CSV file gets besides the settings of digits: its columns may be of any size."""

CSV, MNIST = "CSV files", "the task mnist"

ONLY_FOR = {"target": CSV, "kind": CSV, "data": MNIST, "download": MNIST}
"""Options that only some tasks read."""

HIDDEN = ("hidden", "activation", "dropout", "batch_norm")
"""Settings of hidden layers, which only an mlp has."""


def settings_for(task: str | None, options: dict[str, Any]) -> Settings:
    """The settings of a new run.

    Raises:
        OptionError: no task, a name that does not exist, or options that do not go together.
    """
    if task is None:
        raise OptionError("What shall be trained?", fix="chainrule train digits")
    given = as_given(task, options)
    recipe = given.get("recipe")
    chosen = RECIPES[recipe] if recipe else TASKS.get(given["task"], TASKS["digits"] | TABLE)
    settings = Settings(**(spelled(chosen) | given))
    check_used(settings, given)
    check_ranges(settings)
    return settings


def check_resumed(settings: Settings, folder: Path, task: str | None, options: dict[str, Any]) -> None:
    """Options given beside --resume say what the run was started with.

    Raises:
        OptionError: they say something else; all that do are named.
    """
    out = options.pop("out", None)
    given = as_given(task, options)
    if out is not None and out.resolve() != folder.resolve():
        given["out"] = out
    differ = {k: v for k, v in given.items() if getattr(settings, k, folder) != v}
    if differ:
        its = {k: shown(getattr(settings, k, folder)) for k in differ}
        places = {option(k): f"{shown(v)}; the run has {its[k]}" for k, v in differ.items()}
        places["try"] = f"chainrule train --resume {folder}, or start a new run"
        raise OptionError("A resumed run keeps its settings.", **places)


def as_given(task: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as settings: names as in the library, lists as tuples, full paths."""
    given = {name: value for name, value in options.items() if value is not None}
    if task is not None:
        given["task"] = task_named(task)
        check_for_task(given)
    if "download" in given:
        given.setdefault("data", given.pop("download"))
    if "data" in given:
        given["data"] = str(Path(given["data"]).resolve())
    for name, kind in (("hidden", int), ("dropout", float), ("lam", float)):
        if name in given:
            given[name] = numbers(given[name], kind, option(name))
    return spelled(given)


def spelled(chosen: dict[str, Any]) -> dict[str, Any]:
    """Settings with every name as the library spells it.

    Raises:
        OptionError: one does not exist.
    """
    names = (WORDS.keys() - {"task"}) & {k for k, v in chosen.items() if v is not None}
    return chosen | {k: named(k, chosen[k]) for k in sorted(names)}


def task_named(task: str) -> str:
    """A task as it is spelled, or the full path of a CSV file.

    Raises:
        OptionError: it is neither.
    """
    known = names_of("task")
    if plain(task) in known:
        return plain(task)
    if Path(task).is_dir():
        fix = f"chainrule train {Path(task) / 'FILE.csv'} --target COLUMN"
        raise OptionError(f"{task} is a folder, a table is one CSV file.", fix=fix)
    if is_path(task):
        return str(Path(task).resolve())
    raise unknown("task", task, known, **{"or": "the path of a CSV file"})


def is_path(task: str) -> bool:
    """Whether a task is meant as a file."""
    return Path(task).suffix != "" or Path(task).is_file() or Path(task).name != task


def check_for_task(given: dict[str, Any]) -> None:
    """Options that only some tasks read are given with one of these."""
    kind = MNIST if given["task"] == "mnist" else CSV if is_path(given["task"]) else ""
    for name, wanted in ONLY_FOR.items():
        if name in given and wanted != kind:
            name_of_task = Path(given["task"]).name
            raise OptionError(f"{option(name)} is for {wanted}, {name_of_task} does not read it.")
    if kind == CSV and "target" not in given:
        headline = f"Which column of {Path(given['task']).name} is the target?"
        raise OptionError(headline, fix="--target COLUMN")


def check_used(settings: Settings, given: dict[str, Any]) -> None:
    """Every option that was given has an effect.

    Raises:
        OptionError: one has none, which is never what was meant.
    """
    if settings.model != "mlp":
        for name in filter(given.get, HIDDEN):
            raise OptionError(f"{option(name)} is for hidden layers, the model {settings.model} has none.")
    if "penalty" in given and not settings.lam:
        raise OptionError(f"How strong is the penalty {settings.penalty}?", fix="--lam 1e-4")
    if "lam" in given and settings.penalty is None:
        headline = "--lam is the strength of a penalty, and there is none."
        raise OptionError(headline, fix="--penalty half-l2")
