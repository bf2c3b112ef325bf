"""The options of `chainrule train`, in sections; each is the setting of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from chainrule.cli.sections import Count, Lines, Option
from chainrule.cli.settings import Settings

FOLDER = click.Path(path_type=Path, file_okay=False)


def shown(value: Any) -> str:
    """A setting's value as one would type it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def section(title: str, *options: tuple[str, str, dict[str, Any]]) -> list[Option]:
    """Options of one section, from their declarations, what is said of them, and their settings."""
    return [Option(names.split(), section=title, help=said, **more) for names, said, more in options]


def name(metavar: str = "NAME") -> dict[str, Any]:
    """An option that takes a text."""
    return {"metavar": metavar}


def count(metavar: str = "N") -> dict[str, Any]:
    """An option that takes a number of at least 1."""
    return {"metavar": metavar, "type": Count(1)}


def number(metavar: str = "X") -> dict[str, Any]:
    """An option that takes a number."""
    return {"metavar": metavar, "type": float}


FLAG: dict[str, Any] = {"default": None}

TRAIN: list[click.Parameter] = [
    click.Argument(["task"], required=False),
    *section(
        "Data",
        ("--target", "Target column of a CSV file.", name("COLUMN")),
        (
            "--kind",
            "What the target of a CSV file is  [classification if it holds texts or few whole numbers]",
            {"type": click.Choice(["classification", "regression"])},
        ),
        ("--scale", "Scale of the features, by statistics of the training part: {}.", name()),
        (
            "--scale-target/--raw-target",
            "Train on a standardised target; predictions are in its own units  [for values]",
            FLAG,
        ),
        ("--stratify/--no-stratify", "Give every class its share of each part  [if there are classes]", FLAG),
        ("--data", "Folder of the four MNIST files, for the task mnist.", name("DIR")),
        ("--download", "Fetch MNIST into this folder first, check it, and use it.", name("DIR")),
    ),
    *section(
        "Model",
        ("--recipe", "Settings by name, see below: {}.", name()),
        ("--model", "{}  [mlp]", name()),
        (
            "--hidden",
            f"Sizes of the hidden layers, such as 256,128  [{shown(Settings.hidden)}]",
            name("N,N,…"),
        ),
        ("--activation", "{}  [relu]", name()),
        (
            "--dropout",
            "Probability of dropping a unit, for all hidden layers or one each  [0]",
            name("P,P,…"),
        ),
        ("--batch-norm/--no-batch-norm", "Batch norm after every hidden dense layer  [no]", FLAG),
        ("--init", "Weights at the start: {}  [suits the activation]", name()),
    ),
    *section(
        "Loss and update",
        ("--loss", "{}  [cross-entropy for classes, mse for values]", name()),
        ("--penalty", "Added to the loss, on the weights: {} (l2 is λ Σ w², half-l2 is λ/2 Σ w²).", name()),
        ("--lam", "Strength of the penalty; elastic-net takes two.", name("λ,…")),
        ("--optimizer", "{}  [adam]", name()),
        ("--lr", f"Learning rate, the largest one where a schedule changes it  [{Settings.lr}]", number("η")),
        ("--momentum", "Momentum, for optimisers that have it.", number("β")),
        ("--nesterov/--no-nesterov", "Nesterov's form of momentum, for sgd  [no]", FLAG),
        ("--weight-decay", "Weight decay of the optimiser; in adamw apart from the gradient.", number("λ")),
        ("--schedule", "Learning rate over the steps: {}  [constant]", name()),
        (
            "--warmup",
            "Share of all steps in which the learning rate rises to its start  [0]",
            {"metavar": "SHARE", "type": click.FloatRange(0, 1, max_open=True)},
        ),
        ("--clip-norm", "Hold the global norm of the gradient to this.", number()),
    ),
    *section(
        "Course",
        ("--epochs", f"Passes through the training part  [{Settings.epochs}]", count()),
        ("--batch-size", f"Examples a step  [{Settings.batch_size}]", count()),
        ("--accumulate", "Batches whose gradients make one update  [1]", count()),
        ("--patience", "Stop after so many epochs without a better validation loss; keep the best.", count()),
        ("--seed", "Seed of split, weights, order and dropout  [0]", {"metavar": "N", "type": Count(0)}),
        ("--seeds", "Train with so many seeds and report mean and interval  [1]", count()),
    ),
    *section(
        "Run",
        ("--out", "Run folder  [runs/TASK-1, -2, …]", {"type": FOLDER, "metavar": "DIR"}),
        ("--resume", "Continue a run as if it had never stopped.", {"type": FOLDER, "metavar": "RUN"}),
        ("--checkpoint-every", "Save the run every so many steps, besides every epoch.", count("STEPS")),
        ("--keep-checkpoints", "Keep so many, spread over the run, for cr.at and cr.compare.", count("N")),
        ("--json as_json", "Print the result as one JSON object, and nothing else.", {"is_flag": True}),
    ),
]


def tasks() -> Iterator[tuple[str, str]]:
    """Each task with its data and its settings."""
    from chainrule.cli.recipes import TASKS
    from chainrule.data import EMBEDDED

    for task, chosen in TASKS.items():
        read = EMBEDDED.get(task.replace("-", "_"))
        about = (read.__doc__ or "").splitlines()[0] if read else ""
        yield task, " ".join(part for part in (about, as_options(chosen)) if part)
    yield "FILE.csv", "A table of your own. As digits, with --scale standardize"


def recipes() -> Iterator[tuple[str, str]]:
    """Each recipe with its settings."""
    from chainrule.cli.recipes import RECIPES

    return ((recipe, as_options(chosen)) for recipe, chosen in RECIPES.items())


def as_options(chosen: dict[str, Any]) -> str:
    """Settings as one would type them, those left out that are as always."""
    usual = {f.name: f.default for f in fields(Settings)}
    return " ".join(f"{option(k)} {shown(v)}" for k, v in chosen.items() if v not in ((), usual[k]))


def option(setting: str) -> str:
    """The option of a setting."""
    return "TASK" if setting == "task" else f"--{setting.replace('_', '-')}"


EXPLAINED: dict[str, Lines] = {"Tasks and their settings": tasks, "Recipes": recipes}
"""Sections of the help below those of the options."""
