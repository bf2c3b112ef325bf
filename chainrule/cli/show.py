"""What the terminal shows of a run: its result, and the folder it left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import groupby, zip_longest
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

Rows = Iterator[tuple[str, str]]


def shown_result(result: dict[str, Any], folder: Path) -> str:
    """The result of a training command as a table, and the files of its folder."""
    title = click.style(title_of(result), bold=True)
    return "\n".join([title, "", *aligned(result_rows(result)), "", *aligned(file_rows(folder)), ""])


def title_of(result: dict[str, Any]) -> str:
    """Data, model, sizes and seed."""
    one = result.get("runs", [result])[0]
    seeds = result.get("seeds", [one["seed"]])
    spread = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{result['data']}  {result['model']} {'-'.join(map(str, one['layers']))}  {spread}"


def aligned(rows: Rows) -> list[str]:
    """Lines of names and what is said of them, in two columns, the second one wrapped."""
    entries = list(rows)
    width = max((len(name) for name, _ in entries), default=0)
    space = max(shutil.get_terminal_size().columns - width - 5, 40)
    return [
        f"  {left:<{width}}  {right}"
        for name, said in entries
        for left, right in zip_longest([name], wrap(said, space, break_on_hyphens=False), fillvalue="")
    ]


def result_rows(result: dict[str, Any]) -> Rows:
    """The table of a result, row by row."""
    if result.get("column"):
        yield "target", f"{result['column']}, {asked(result)}"
    train, validation, test = result["examples"]
    chosen_by = f"{validation:,} validation, " if validation else ""
    yield "examples", f"{train:,} training, {chosen_by}{test:,} test"
    yield "parameters", f"{result['parameters']:,}"
    if result.get("epochs"):
        yield "epochs", f"{result['epochs']} ({result['stopped']})"
    unit = "  (of the standardised target)" if result["target"] == "standardised" else ""
    for part in ("validation", "test"):
        for name, value in result.get(part, {}).items():
            interval = result["intervals"].get(name) if part == "test" and "intervals" in result else None
            trust = said(name, interval) if interval else ""
            shown = figure(name, value) if name != "r2" or value is not None else r2_missing(result[part])
            yield f"{part} {name}", shown + unit * (name == "loss") + trust
    accuracy = result["test"].get("accuracy")
    if accuracy is not None:
        yield "test error", figure("accuracy", 1 - accuracy)
    yield "time", f"{result['seconds']:.1f} s"


def asked(result: dict[str, Any]) -> str:
    """What is predicted of a column, and how to change it where the column decided."""
    what = "classes" if result["task"] == "classification" else "values"
    other = "regression" if result["task"] == "classification" else "classification"
    return what if result.get("kind") else f"taken for {what} (--kind {other} to change)"


def r2_missing(scores: dict[str, float | None]) -> str:
    """Why there is no r2: the other scores are not finite either, or the targets do not vary."""
    if scores.get("mae") is None:
        return figure("r2", None)
    return "undefined (the targets do not vary)"


def figure(name: str, value: float | None) -> str:
    """A score as people read it: accuracies in per cent."""
    if value is None:
        return "not finite"
    return f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4g}"


def said(name: str, interval: dict[str, Any]) -> str:
    """An interval, and whose it is."""
    low, high = (figure(name, interval[end]).removesuffix(" %") for end in ("low", "high"))
    return f"  {low} to {high} ({100 * interval['confidence']:.0f} % interval, {interval['method']})"


def file_rows(folder: Path) -> Rows:
    """One row a folder, with its files; neighbours that hold the same are one row."""
    folders = [folder, *sorted(folder.glob("seed-*"), key=lambda place: (len(place.name), place.name))]
    for held, group in groupby(folders, key=files_in):
        members = [f"{place}/" if place == folder else f"  {place.name}/" for place in group]
        if held:
            last = f" to {members[-1].strip()}" if len(members) > 1 else ""
            yield members[0] + last, "  ".join(held)


def files_in(folder: Path) -> tuple[str, ...]:
    """The files of a folder, without hidden ones."""
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."))
