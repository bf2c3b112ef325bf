"""Results in the terminal: tables by rich."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from chainrule.metrics import Interval


def result_table(result: dict[str, Any], folder: Path, title: str) -> None:
    """Print what a training command found and what it left."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, value in _rows(result):
        table.add_row(f"[bold]{name}[/]", value)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"\n  {folder}/", style="bold")
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        console.print(f"    {file.relative_to(folder)}")


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    train, validation, test = result["examples"]
    rows = [("examples", f"{train} training, {validation} validation, {test} test")]
    rows.append(("parameters", f"{result['parameters']:,}"))
    if "runs" in result:
        rows.append(("seeds", f"{len(result['runs'])}"))
    elif "epochs" in result:
        rows.append(("epochs", f"{result['epochs']} ({result['stopped']})"))
    if "validation" in result:
        rows += [(f"validation {k}", _figure(k, v)) for k, v in result["validation"].items()]
    intervals = result.get("intervals", {})
    for name, value in result["test"].items():
        bounds = intervals.get(name) or (result.get("interval") if name == "accuracy" else None)
        rows.append((f"test {name}", _with_bounds(name, bounds) if bounds else _figure(name, value)))
    if "accuracy" in result["test"]:
        rows.append(("test error", f"{100 * (1 - result['test']['accuracy']):.2f} %"))
    rows.append(("time", f"{result['seconds']:.1f} s"))
    return rows


def _figure(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4f}"


def _with_bounds(name: str, bounds: list[float]) -> str:
    interval = Interval(*bounds)
    if math.isnan(interval.low):
        return _figure(name, interval.estimate)
    text = interval.written(".2f", factor=100, unit=" %") if name == "accuracy" else interval.written(".4f")
    kind = "95 % interval"
    return text.replace(")", f", {kind})")


def summary(folder: Path) -> str:
    """What a run folder holds: settings, model, progress, result."""
    from chainrule.cli.saved import load_model
    from chainrule.cli.settings import Settings

    settings = Settings.load(folder)
    default = Settings(settings.task)
    lines = [f"run       {folder}", f"task      {settings.task}"]
    chosen = {k: v for k, v in vars(settings).items() if k != "task" and v != getattr(default, k)}
    lines.append("settings  " + ", ".join(f"{k}={_plain(v)}" for k, v in chosen.items()))
    if any(folder.glob("**/model.safetensors")):
        from chainrule.nn import summary as model_summary

        saved = load_model(folder)
        n_inputs = next(p.shape[1] for p in saved.model.parameters() if p.ndim == 2)
        lines += ["", str(model_summary(saved.model, (1, n_inputs)))]
    else:
        lines += ["", f"not finished: chainrule train --resume {folder}"]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
