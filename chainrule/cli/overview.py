"""What a run folder holds: settings, layers, progress, result, files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.cli.folder import HISTORY, MODEL, places, result_in
from chainrule.cli.options import as_options
from chainrule.cli.settings import Settings
from chainrule.cli.show import aligned, file_rows, result_rows, title_of

if TYPE_CHECKING:
    from chainrule.nn.summary import Summary


def overview(folder: Path) -> str:
    """A run folder as text.

    Raises:
        CheckpointError: it is none, or a file in it is damaged.
    """
    settings = Settings.load(folder)
    result = result_in(folder)
    title = title_of(result) if result else f"{settings.name}  {settings.model}"
    blocks = [[title], aligned(run_rows(settings, folder)), layers(settings, folder)]
    if result:
        blocks.append(aligned(result_rows(result)))
    blocks.append(aligned(file_rows(folder)))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def facts(folder: Path) -> dict[str, Any]:
    """A run folder as data.

    Raises:
        CheckpointError: it is none, or a file in it is damaged.
    """
    settings = Settings.load(folder)
    seeds = places(settings, folder).items()
    return {
        "folder": str(folder),
        "settings": asdict(settings),
        "states": [{"seed": seed, **progress(settings, place)} for seed, place in seeds],
        "layers": [asdict(row) for row in table.rows] if (table := layer_table(settings, folder)) else None,
        "result": result_in(folder),
    }


def progress(settings: Settings, place: Path) -> dict[str, Any]:
    """How far one seed is, as data; `stopped` is null until it has a result."""
    done = {"epochs": epochs_done(place / HISTORY), "of": settings.epochs}
    return done | {"stopped": (result_in(place) or {}).get("stopped")}


def run_rows(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Where the run is, what it was asked for, and how far it is."""
    yield "task", settings.task
    chosen = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "task"}
    yield "settings", as_options(chosen) or "as always"
    for seed, place in places(settings, folder).items():
        yield "state" if settings.seeds == 1 else f"seed {seed}", state(settings, place)
    if result_in(folder) is None:
        yield "to go on", f"chainrule train --resume {folder}"


def state(settings: Settings, place: Path) -> str:
    """How far one seed is."""
    result = result_in(place)
    if result is not None:
        return str(result["stopped"])
    done = epochs_done(place / HISTORY)
    return f"stopped or at work, {done} of {settings.epochs} epochs done" if done else "no epoch done yet"


def epochs_done(history: Path) -> int:
    """The rows of a history."""
    if not history.exists():
        return 0
    with open(history, newline="") as lines:
        return sum(1 for _ in csv.DictReader(lines))


def layers(settings: Settings, folder: Path) -> list[str]:
    """The table of layers as text, once there is a model."""
    table = layer_table(settings, folder)
    return [f"  {line}" for line in str(table).splitlines()] if table else []


def layer_table(settings: Settings, folder: Path) -> Summary | None:
    """The table of layers, once there is a model."""
    place = next(iter(places(settings, folder).values()))
    if not (place / MODEL).exists():
        return None
    from chainrule.cli.saved import load_model
    from chainrule.nn import summary

    model = load_model(folder).model
    return summary(model, (1, model.sizes[0]))
