"""A script under `cr.diagnosing`: run as Python runs it, and told what was wrong with what it trained."""

from __future__ import annotations

import json
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from chainrule.base.errors import ChainruleError
from chainrule.glass.faults.diagnosis import Diagnosis
from chainrule.glass.verdicts.diagnosing import diagnosing
from chainrule.glass.verdicts.report import Report
from chainrule.glass.verdicts.verdict import Verdict


def diagnosed(script: Path, arguments: Sequence[str], quiet: bool) -> Report:
    """What was found in the trainings of a script; what it prints goes to stderr if `quiet`.

    An error ends the script, and so do a nonzero exit and Ctrl-C: that is `report.error`, told of on stderr, and
    what was trained until then is judged.
    """
    report = Report()
    try:
        with (
            as_main(script, arguments),
            redirect_stdout(sys.stderr) if quiet else nullcontext(),
            diagnosing() as report,
        ):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as left:
        report.error = None if left.code in (None, 0) else left
        if isinstance(left.code, str):  # Python prints it
            print(left.code, file=sys.stderr)
    except KeyboardInterrupt as stopped:
        report.error = stopped
        print(f"{script.name} was interrupted.", file=sys.stderr)
    except Exception as error:
        report.error = error
        print(told(error, script), file=sys.stderr)
    return report


@contextmanager
def as_main(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Inside the block arguments and search path are those that Python gives a script."""
    argv, path = sys.argv, list(sys.path)
    sys.argv, sys.path[:] = [str(script), *arguments], [str(script.resolve().parent), *path]
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path


def told(error: Exception, script: Path) -> str:
    """An error as Python tells of it, from the script's own lines on; of this library without the lines inside."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, frame in enumerate(frames) if frame.filename == str(script)]
    if isinstance(error, ChainruleError):
        line = f"{script.name}:{frames[own[-1]].lineno}: " if own else ""
        return f"{line}{type(error).__name__}: {error}"
    only = traceback.format_exception_only(error)
    if not own:  # none of its lines ran: it is no Python
        return "".join(only).rstrip()
    lines = traceback.format_list(frames[own[0] :])
    return "".join(["Traceback (most recent call last):\n", *lines, *only]).rstrip()


def as_json(report: Report) -> str:
    """A report as one line of JSON."""
    error = report.error
    return json.dumps({
        "verdicts": [of_verdict(verdict) for verdict in report.verdicts],
        "failure": None if report.failure is None else of_failure(report.failure),
        "trainings": len(report.evidence),
        "steps": sum(len(evidence.losses) for evidence in report.evidence),
        "error": None if error is None else f"{type(error).__name__}: {error}",
    })  # fmt: skip


def of_verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict by names."""
    names = ("name", "headline", "evidence", "fix", "layer", "step")
    return {name: getattr(verdict, name) for name in names}


def of_failure(found: Diagnosis) -> dict[str, Any]:
    """Where the first number that is not finite came up, by names; numbers that JSON does not know as texts."""
    names = ("phase", "rule", "operation", "layer", "source", "place", "shape", "count", "why", "fix")
    operands = [{"name": o.name, "value": f"{o.value:g}", "place": o.place} for o in found.operands]
    return {name: getattr(found, name) for name in names} | {"value": f"{found.value:g}", "operands": operands}
