"""The commands and their options. What they do stands in the files beside this one."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from chainrule.base.errors import OptionError
from chainrule.cli.recipes import RECIPES, TASKS, recipe_named
from chainrule.cli.settings import Settings, numbers

INTERRUPTED = 130
"""The exit status that shells give to a command ended by Ctrl-C."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="chainrule")
def chainrule() -> None:
    """Neural networks you can see through, at full speed.

    \b
    chainrule train digits                        train on an embedded data set
    chainrule train data.csv --target price       train on your own table
    chainrule predict RUN new.csv                 use what was trained
    chainrule explain tiny-network                a worked example, every number
    chainrule summary RUN                         what a run folder holds
    """


@chainrule.command()
@click.argument("task", required=False)
@click.option("--recipe", metavar="NAME", help=f"Settings by name: {', '.join(RECIPES)}.")
@click.option("--data", metavar="DIR", help="Folder of the MNIST-format files, for the task mnist.")
@click.option("--download", metavar="DIR", help="Fetch MNIST into this folder first (checked), and use it.")
@click.option("--target", metavar="COLUMN", help="Target column of a CSV file.")
@click.option("--scale", type=click.Choice(["none", "standardize", "minmax"]), help="Features by training statistics.")
@click.option("--model", type=click.Choice(["mlp", "logistic", "linear", "lda"]), help="Kind of model  [mlp].")
@click.option("--hidden", metavar="N,N,…", help="Sizes of the hidden layers, such as 256,128.")
@click.option("--activation", metavar="NAME", help="relu, tanh, sigmoid, gelu, silu, elu, selu, …  [relu]")
@click.option("--dropout", metavar="P[,P…]", help="Probability of dropping, for all hidden layers or one each.")
@click.option("--batch-norm/--no-batch-norm", default=None, help="Batch norm after every hidden dense layer.")
@click.option("--init", metavar="NAME", help="he_normal, xavier_uniform, orthogonal, …  [suits the activation]")
@click.option("--loss", metavar="NAME", help="cross-entropy for classes, mse for values, unless said otherwise.")
@click.option("--penalty", metavar="NAME", help="l1, l2 (λ Σ w²) or half-l2 (λ/2 Σ w²), on the weights.")
@click.option("--lam", type=float, metavar="λ", help="Strength of the penalty.")
@click.option("--optimizer", metavar="NAME", help="adam, adamw, sgd, rmsprop, adagrad, …  [adam]")
@click.option("--lr", type=float, help="Learning rate.")
@click.option("--momentum", type=float, help="Momentum, for optimisers that have it.")
@click.option("--weight-decay", type=float, help="Weight decay of the optimiser (decoupled in adamw).")
@click.option("--schedule", metavar="NAME", help="constant, cosine, step, exponential, onecycle, …  [constant]")
@click.option("--warmup", type=float, metavar="SHARE", help="Share of all steps with a rising learning rate.")
@click.option("--epochs", type=click.IntRange(1), help="Passes through the training part.")
@click.option("--batch-size", type=click.IntRange(1), help="Examples a step.")
@click.option("--clip-norm", type=float, help="Largest global norm of the gradient.")
@click.option("--accumulate", type=click.IntRange(1), help="Batches whose gradients make one update  [1].")
@click.option("--patience", type=click.IntRange(1), help="Stop after so many epochs without a better validation loss.")
@click.option("--seed", type=int, help="Seed of split, weights, order and dropout  [0].")
@click.option("--seeds", type=click.IntRange(1), help="Train so many seeds and report mean and interval  [1].")
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="STEPS", help="Also save every so many steps.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Run folder  [runs/TASK-N].")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Continue a run as if never stopped.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else.")
def train(task: str | None, out: Path | None, resume: Path | None, as_json: bool, **options: Any) -> None:
    """Train a model on TASK: digits, iris, wine, breast-cancer, diabetes, mnist, or the path of a CSV file.

    The run folder gets settings, checkpoint, history, result, model and pictures. Ctrl-C stops after the step
    at work and keeps the checkpoint.
    """
    if resume is not None:
        settings, folder = Settings.load(resume), resume
    else:
        settings = _settings(task, options)
        folder = out or _new_folder(settings.task)
        _start(settings, folder)
    from chainrule.cli.show import result_table
    from chainrule.cli.training import train as run

    result = run(settings, folder, show=not as_json)
    if result["stopped"] == "interrupted":
        click.echo(f"Stopped. To continue: chainrule train --resume {folder}", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(result | {"folder": str(folder)}))
    else:
        result_table(result, folder, _title(settings))


def _title(settings: Settings) -> str:
    sizes = "-".join(map(str, settings.hidden)) if settings.model == "mlp" else ""
    return "  ".join(t for t in (Path(settings.task).stem, settings.recipe or settings.model, sizes) if t)


def _settings(task: str | None, options: dict[str, Any]) -> Settings:
    """Settings from defaults of the task, the recipe, and the options given, the later ones winning."""
    if task is None:
        raise OptionError("What shall be trained?", **{"try": "chainrule train digits"})
    download = options.pop("download")
    if download is not None:
        from chainrule.data import download_mnist

        download_mnist(download)
        options["data"] = options["data"] or download
    recipe = options["recipe"]
    chosen = recipe_named(recipe) if recipe else TASKS.get(task.replace("_", "-"), TASKS["digits"] | {"scale": "standardize"})
    given = {name: value for name, value in options.items() if value is not None}
    for name, kind in (("hidden", int), ("dropout", float)):
        if name in given:
            given[name] = numbers(given[name], kind, f"--{name}")
    path = str(Path(task).resolve()) if task.lower().endswith(".csv") else task
    known = {f.name for f in fields(Settings)}
    return Settings(**({"task": path} | {k: v for k, v in (chosen | given).items() if k in known}))


def _new_folder(task: str) -> Path:
    """The first runs/TASK-N that does not exist."""
    stem = Path(task).stem
    n = 1
    while (folder := Path("runs") / f"{stem}-{n}").exists():
        n += 1
    return folder


def _start(settings: Settings, folder: Path) -> None:
    """Make the run folder, with its settings: from here on the run can be resumed."""
    if (folder / "settings.json").exists():
        raise OptionError(
            f"{folder} holds a run already.", **{"try": f"chainrule train --resume {folder}, or another --out"}
        )
    settings.save(folder)


@chainrule.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--proba", is_flag=True, help="Print the probability of every class too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def predict(run: Path, file: Path, proba: bool, as_json: bool) -> None:
    """Predict for the rows of FILE with the model of RUN.

    FILE is a CSV file with the columns of the training data (a target column is passed over), or images in
    MNIST format.
    """
    from chainrule.cli.prediction import lines

    for line in lines(run, file, proba, as_json):
        click.echo(line)


@chainrule.command()
@click.argument("example", required=False)
@click.option("--columns", is_flag=True, help="A sample is a column, as in 000 and 003; rows otherwise.")
@click.option("--format", "form", type=click.Choice(["text", "latex", "html"]), default="text", show_default=True)
def explain(example: str | None, columns: bool, form: str) -> None:
    """Print a worked example, forwards and backwards: tiny-network (000 ch. 6) or one-neuron-chain (004 §2.4.4).

    Every derivative is checked by finite differences.
    """
    from chainrule.glass.examples import EXAMPLES

    if example not in EXAMPLES:
        raise OptionError(
            f"There is no example {example!r}." if example else "Which example?", known=", ".join(EXAMPLES)
        )
    explanation = EXAMPLES[example](layout="columns" if columns else "rows")
    click.echo({"text": str, "latex": lambda e: e.latex(), "html": lambda e: e.html()}[form](explanation))


@chainrule.command()
@click.argument("run", type=click.Path(path_type=Path))
def summary(run: Path) -> None:
    """Print what the folder RUN holds: settings, layers with shapes and parameters, result."""
    from chainrule.cli.show import summary as text

    click.echo(text(run))
