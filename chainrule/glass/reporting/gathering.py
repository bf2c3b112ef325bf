"""What there is to know of a run, found by running it again under an observer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.base.errors import NumericalError, OptionError
from chainrule.data import Dataset
from chainrule.glass.reporting.subject import Subject
from chainrule.glass.reruns.rerun import Rerun
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.observer import Observer
from chainrule.glass.verdicts.report import judged
from chainrule.glass.verdicts.verdict import Verdict
from chainrule.train import Run
from chainrule.train.objective import learned


@dataclass(frozen=True, eq=False)
class Repeated:
    """A run that was run again from its beginning: as it ended, what was seen, what is thought of it."""

    run: Run
    evidence: Evidence
    verdicts: list[Verdict]
    error: str = ""


def repeated(rerun: Rerun) -> Repeated:
    """The whole run once more; one that broke off breaks off again, and tells of it."""
    observer, error = Observer(), ""
    try:
        run = rerun.run_to(None, [observer])
    except NumericalError as broken:
        run, error = observer.run, str(broken)
    return Repeated(run, observer.evidence, judged(observer.evidence), error)


def of_rerun(rerun: Any) -> Subject:
    """The subject of a report, of a run that has no folder.

    Raises:
        OptionError: it is no run that can be run again.
    """
    if not isinstance(rerun, Rerun):
        raise OptionError(
            f"A run is the folder of `chainrule train` or a Rerun, got {type(rerun).__name__}.",
            fix="cr.glass.Rerun(start, checkpoints)",
        )
    again = repeated(rerun)
    run, given = again.run, rerun.start()
    data, _ = learned(given["data"], given.get("loss"))
    parts: dict[str, Dataset] = {"training": data}
    if run.validation is not None:
        parts["validation"] = run.validation
    kind = type(run.model).__name__
    optimizer = run.optimizer
    return Subject(
        title=f"{data.name}, {kind}, seed {run.seed}",
        model=run.model,
        parts=parts,
        rows=run.history.rows,
        optimizer=f"{type(optimizer).__name__}, learning rate {optimizer.lr:g}",
        loss=loss_of(again.evidence),
        stopped="broke off" if again.error else run.stopped,
        broken=again.error,
        evidence=again.evidence,
        verdicts=again.verdicts,
        origin=data.name,
        pixels=pixels_of(data),
        seconds=seconds_of(run.history.rows),
        batch_size=run.loader.batch_size,
        settings={name: str(value) for name, value in run.identity.items() if name != "model"},
    )


def loss_of(evidence: Evidence) -> str:
    """The name of the loss."""
    return evidence.loss_name.replace("_", "-")


def seconds_of(rows: Any) -> float | None:
    """The time of all epochs."""
    return sum(float(row["seconds"]) for row in rows) if rows and "seconds" in rows[-1] else None


def pixels_of(data: Dataset) -> tuple[int, ...]:
    """The shape of an image where examples are images: by their axes, or by columns that are numbered pixels."""
    if data.x.ndim in (3, 4):
        return data.x.shape[1:]
    side = round(data.n_features**0.5)
    names = data.feature_names
    named = all("pixel" in name.lower() for name in names) if names else False
    return (side, side) if data.x.ndim == 2 and named and side * side == data.n_features and side >= 4 else ()
