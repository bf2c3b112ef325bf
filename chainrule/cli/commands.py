"""The commands. What they do stands in the files beside this one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

import click

from chainrule.base.errors import ChainruleError, OptionError
from chainrule.cli import INTERRUPTED, options
from chainrule.cli.choices import check_resumed, settings_for
from chainrule.cli.folder import begun, result_in
from chainrule.cli.lock import held
from chainrule.cli.names import unknown
from chainrule.cli.sections import Count, Sectioned
from chainrule.cli.settings import Settings

RUN = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="chainrule")
def chainrule() -> None:
    """Neural networks you can see through, at full speed.

    \b
    chainrule train digits                        train on an embedded data set
    chainrule train data.csv --target price       train on your own table
    chainrule train --resume RUN                  go on after a stop
    chainrule predict RUN new.csv                 use what was trained
    chainrule summary RUN                         what a run folder holds
    chainrule report RUN                          a page about it for the browser
    chainrule explain tiny-network                a worked example, every number
    chainrule step RUN                            a step of a run, one operation at a time
    chainrule diagnose SCRIPT.py                  run a script, and say what is wrong with its training
    """  # noqa: D301 - \b keeps the lines as they are


@chainrule.command(
    cls=Sectioned, params=options.TRAIN, explained=options.EXPLAINED, short_help="Train a model and test it."
)
def train(task: str | None, out: Path | None, resume: Path | None, as_json: bool, **given: Any) -> None:
    """Train a model on TASK: one of the tasks below, or the path of a CSV file with a header line.

    The run folder gets settings, checkpoint, history, result, model and pictures. Ctrl-C stops between two
    steps and keeps the checkpoint; --resume goes on as if it had never stopped, to the same bits. Defaults
    in brackets hold where the task (or the recipe) does not say otherwise.
    """
    with errors_told(as_json):
        if resume is not None:
            settings = Settings.load(resume)
            check_resumed(settings, resume, task, given | {"out": out})
            go_on(settings, resume, as_json)
            return
        settings = settings_for(task, given)
        if given["download"] is not None:
            from chainrule.data import download_mnist

            download_mnist(given["download"])
        with begun(settings, out) as folder:
            carry_out(settings, folder, as_json)


@contextmanager
def errors_told(as_json: bool) -> Iterator[None]:
    """With --json an error is a result too, besides its text for people."""
    try:
        yield
    except ChainruleError as error:
        if as_json:
            click.echo(json.dumps({"error": str(error)}))
        raise


def go_on(settings: Settings, folder: Path, as_json: bool) -> None:
    """Finish a run, by one process at a time; one that is finished is only read."""
    if result_in(folder) is not None:
        carry_out(settings, folder, as_json)
        return
    with held(folder):
        carry_out(settings, folder, as_json)


def carry_out(settings: Settings, folder: Path, as_json: bool) -> None:
    """Train and print the result; after Ctrl-C, say how to go on."""
    from chainrule.cli.show import shown_result

    try:
        from chainrule.cli.training import train as trained

        result = trained(settings, folder, show=not as_json)
        stopped = result["stopped"] == "interrupted"
    except KeyboardInterrupt:
        stopped, result = True, {}
    if stopped:
        if as_json:
            click.echo(json.dumps({"stopped": "interrupted", "folder": str(folder)}))
        click.echo(f"Stopped. To continue: chainrule train --resume {folder}", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(result | {"folder": str(folder)}, allow_nan=False))
    else:
        click.echo(shown_result(result, folder), nl=False)


@chainrule.command(short_help="Predict for the rows of a file.")
@click.argument("run", type=RUN)
@click.argument("file", type=RUN)
@click.option("--proba", is_flag=True, help="Print the probability of every class too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def predict(run: Path, file: Path, proba: bool, as_json: bool) -> None:
    """Predict for the rows of FILE with the model of RUN, one line each.

    FILE is a CSV file with the columns of the training data in any order (the target column may be there, and
    is passed over), or images in MNIST format. Of a run with several seeds, the first one's model predicts.
    """
    from chainrule.cli.prediction import lines

    for line in lines(run, file, proba, as_json):
        click.echo(line)


@chainrule.command(short_help="Show what a run folder holds.")
@click.argument("run", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def summary(run: Path, as_json: bool) -> None:
    """Print what the folder RUN holds: settings, progress, layers with shapes and sizes, result, files."""
    from chainrule.cli.overview import facts, overview

    click.echo(json.dumps(facts(run), allow_nan=False) if as_json else overview(run))


@chainrule.command(short_help="Write a page about a run.")
@click.argument("run", type=RUN)
@click.option("-o", "--out", type=RUN, metavar="FILE", help="Where it is written  [RUN/report.html]")
@click.option("--no-replay", is_flag=True, help="Do not run it again: no verdicts, no health of layers.")
def report(run: Path, out: Path | None, no_replay: bool) -> None:
    """Write a page about the run folder RUN: verdicts, curves, mistakes, examples, health, data, model.

    The run is run once more, watched, which takes about as long as it took. The page is one HTML file that needs
    no network.
    """
    from chainrule.cli.reporting import report as page_about

    target = out or run / "report.html"
    page_about(run, target, look=not no_replay)
    click.echo(target)


@chainrule.command(short_help="Print a worked example, every number in it checked.")
@click.argument("example", required=False)
@click.option("--layout", type=click.Choice(["rows", "columns"]), help="How samples stand  [as in the document]")
@click.option("--digits", type=Count(), default=5, help="Digits of a number  [5]")
@click.option("--format", "form", type=click.Choice(["text", "latex", "html"]), default="text", help="[text]")
@click.option("--json", "as_json", is_flag=True, help="Print the steps as one JSON object, every digit in it.")
def explain(example: str | None, layout: str | None, digits: int, form: str, as_json: bool) -> None:
    """Print a worked example, forwards and backwards, with every number and every derivative checked.

    \b
    tiny-network          2-3-1, a batch of four, update and second pass (000 ch. 6)
    demonstrations        learning rate, penalty, momentum, batch norm, dropout (000 ch. 7)
    expression-graph      a graph with its adjoints and tangents (000 ch. 10)
    rnn                   back through time by hand, three steps (000 §21.1)
    lstm                  back through the cell by hand, two steps (000 §21.2)
    attention             one head on two tokens (000 §21.3)
    xor                   two rectified units (002, exercise 1)
    backpropagation       one hidden layer by hand (002, exercise 3)
    convolution           a filter of 2 by 2 on an image of 4 by 3 (002 A.7)
    circular-convolution  along a circle, as a circulant matrix (002 A.9)
    max-pooling           windows of 2 by 2, and where the derivative goes (002 A.11)
    one-neuron-chain      1-1-1, by hand (004 §2.4.4)
    dropout               a mask in training, a scale in testing (004 §3.6.4)

    A page for the browser: chainrule explain tiny-network --format html > tiny-network.html
    """  # noqa: D301 - \b keeps the lines as they are
    from chainrule.glass import EXAMPLES

    if example is None:
        raise OptionError("Which example?", known=", ".join(EXAMPLES))
    if example not in EXAMPLES:
        raise unknown("example", example, EXAMPLES)
    choices: dict[str, Any] = {"digits": digits} | ({"layout": layout} if layout else {})
    if layout and "layout" not in signature(EXAMPLES[example]).parameters:
        raise OptionError(f"{example} has no samples that could stand in {layout}.", fix="leave --layout out")
    explanation = EXAMPLES[example](**choices)
    if as_json:
        from chainrule.cli.explained import facts

        click.echo(json.dumps(facts(explanation), ensure_ascii=False, allow_nan=False))
        return
    forms = {"text": str, "latex": lambda e: e.latex(document=True), "html": lambda e: e.html()}
    click.echo(forms[form](explanation))


@chainrule.command(short_help="Walk through a step, one operation at a time.")
@click.argument("run")
@click.option("--at", "step", type=click.IntRange(min=0), default=0, help="The updates made before it  [0]")
@click.option("--rows", type=Count(), help="Examples of the batch that are taken  [all]")
def step(run: str, step: int, rows: int | None) -> None:
    """Walk through a step of training of RUN: a run folder, or an example of `chainrule explain`.

    Forwards, backwards and through the updates, over whole layers or into their operations, by one key each; ? shows
    them. From a file or a pipe, commands are read line by line.
    """
    from chainrule.cli.stepping import walk

    walk(run, step, rows).interact()


@chainrule.command(
    short_help="Run a script, and say what is wrong with what it trains.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; what the script prints goes to stderr.")
@click.argument("script", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def diagnose(script: Path, arguments: tuple[str, ...], as_json: bool) -> None:
    """Run SCRIPT with ARGUMENTS, watch all that it trains, and say what is wrong with it.

    Loops written by hand, cr.fit and cr.compile are seen; results are the same as without. Exit status: 0 if
    nothing was found, 1 if something was, or if the script ended with an error. Ctrl-C ends the script, and what
    it trained until then is judged: exit status 130.
    """
    from chainrule.cli import diagnosed

    report = diagnosed.diagnosed(script, arguments, quiet=as_json)
    click.echo(diagnosed.as_json(report) if as_json else str(report))
    if isinstance(report.error, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    sys.exit(0 if report and report.error is None else 1)
