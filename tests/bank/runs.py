"""A script run while it is diagnosed, and what is kept of that."""

from __future__ import annotations

import math
import runpy
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import chainrule as cr
from tests.bank.scripts import Script


@dataclass(frozen=True)
class Outcome:
    """What was said of a script: verdicts, the cause first, with the layer of the cause; and where numbers ended.

    `score` is what the script ended with, NaN where an error ended it before; `seconds` are those of the whole block.
    """

    name: str
    repaired: bool
    score: float
    seconds: float
    verdicts: tuple[str, ...] = ()
    layer: str = ""
    failure: tuple[str, str, str, str] | None = None

    @property
    def cause(self) -> str:
        """The first verdict; empty where nothing was found wrong."""
        return self.verdicts[0] if self.verdicts else ""

    @property
    def alarmed(self) -> bool:
        """Whether something was found wrong."""
        return bool(self.verdicts) or self.failure is not None


def diagnosed(script: Script, repaired: bool = False) -> Outcome:
    """Run a script inside of `cr.diagnosing`; `repaired` with its flaw switched off."""
    scope: dict[str, object] = {}
    began = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = copied(script, Path(folder)) if repaired else script.path
        try:
            with cr.diagnosing(raising=False) as report:
                scope = runpy.run_path(str(path), run_name="bank")
        except Exception as error:  # a mistake of the script or of the diagnosis: the table shows it with the others
            crash = f"crash: {type(error).__name__}: {error}".split("\n")[0]
            return Outcome(script.name, repaired, math.nan, time.perf_counter() - began, (crash,))
    seconds, failure = time.perf_counter() - began, report.failure
    return Outcome(
        script.name,
        repaired,
        float(scope.get("score", math.nan)),  # type: ignore[arg-type]
        seconds,
        tuple(verdict.name for verdict in report.verdicts),
        report.verdicts[0].layer if report.verdicts else "",
        (failure.phase, failure.rule, failure.operation, failure.layer) if failure is not None else None,
    )


def copied(script: Script, folder: Path) -> Path:
    """The repaired script as a file of the same name."""
    path = folder / script.path.name
    path.write_text(script.repaired_source, encoding="utf-8")
    return path


def producer_right(script: Script, outcome: Outcome) -> bool:
    """Whether the first number that is not finite is traced to its phase, rule, operation and layer."""
    truth = (script.phase, script.rule, script.operation, script.layer)
    if outcome.failure is None:
        return False
    return all(wanted is None or wanted == said for wanted, said in zip(truth, outcome.failure, strict=True))
