"""Overfitting: what is learned but does not carry over to unseen rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import no_grad
from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import SURE, Case
from chainrule.glass.verdicts.evidence import Data
from chainrule.glass.verdicts.verdict import Verdict
from chainrule.train.objective import compared

RISE = 0.1
"""A rise of the validation loss above its least, as a share of the best constant's loss, that is more than a wobble."""

WIDE = 0.5
"""A gap between validation and training loss, as a share of the best constant's loss, that is wide.

It is for values. Of labels those that are wrong tell more: a loss is low for wrong labels of which a model is not sure.
"""

APART = 0.05
FAR_APART = 0.2
"""Shares of the best constant's error by which there are more errors on validation data: enough to see, and many."""

PARTS = 8
FEWEST = 20


@dataclass(frozen=True)
class Losses:
    """The model's losses on training and validation data, the standard error of the second, and a constant's."""

    train: float
    held: float
    uncertainty: float
    constant: float
    least: float
    epoch: int


def overfitting(case: Case) -> Verdict | None:
    """Training data is learned ever better while unseen rows get worse, or stay far behind."""
    found = losses(case)
    if found is None or case.train is None or case.held is None or len(case.held.errors) < FEWEST:
        return None
    apart = case.held.relative - case.train.relative
    sure = SURE * found.uncertainty
    rise, gap = found.held - found.least, found.held - found.train
    risen = rise > max(RISE * found.constant, sure, 0.2 * found.least) and apart > APART
    wide = sure if case.held.kind == "classes" else max(WIDE * found.constant, sure)
    clear = apart > max(FAR_APART, SURE * float(np.hypot(case.held.uncertainty, case.train.uncertainty)))
    behind = gap > wide and found.train < 0.5 * found.held and clear
    if not (risen or behind):
        return None
    told = (
        f"rose from {found.least:.4g} in epoch {found.epoch} to {found.held:.4g}" if risen else f"is {found.held:.4g}"
    )
    return Verdict(
        "overfitting",
        f"The validation loss {told}, while the training loss fell to {found.train:.4g}.",
        (
            f"on the training data: {case.train.told}; on the validation data: {case.held.told}",
            f"the standard error of the validation loss is {found.uncertainty:.2g}, of {len(case.held.errors)} rows",
            f"the loss of the best constant is {found.constant:.4g}; healthy: both losses below it and near each other",
        ),
        "EarlyStopping(), more data or augmentation, weight decay or dropout, a smaller model",
        picture=lambda: epoch_curves(case, "Training and validation loss", found.constant),
    )


def losses(case: Case) -> Losses | None:
    """The losses of the model at its end; None where they cannot be computed."""
    e = case.evidence
    train = loss_on(case, e.train, e.prediction)
    parts = loss_in_parts(case)
    if train is None or parts is None:
        return None
    rows = [row["validation_loss"] for row in e.epochs if np.isfinite(row.get("validation_loss", np.nan))]
    held = float(parts.mean())
    best = min(range(len(rows)), key=rows.__getitem__) if rows else 0
    least, epoch = (rows[best], best + 1) if rows else (held, 0)
    constant = constant_loss(case)
    if constant is None:
        return None
    return Losses(train, held, float(parts.std(ddof=1) / np.sqrt(len(parts))), constant, min(least, held), epoch)


def loss_on(case: Case, data: Data | None, z: np.ndarray | None) -> float | None:
    """The loss of predictions."""
    if data is None or data.y is None or z is None or case.trials.own_loss is None or not len(z):
        return None
    try:
        with no_grad(), np.errstate(all="ignore"):
            value = float(np.asarray(compared(case.trials.own_loss, z, data.y)))
    except (ChainruleError, TypeError, ValueError, AttributeError):
        return None
    return value if np.isfinite(value) else None


def loss_in_parts(case: Case) -> np.ndarray | None:
    """The losses of equal parts of the validation data: their spread tells how well the mean is known."""
    data, z = case.evidence.validation, case.evidence.validation_prediction
    if data is None or data.y is None or z is None or len(z) < FEWEST or len(z) != len(data.y):
        return None
    places = np.array_split(np.arange(len(z)), PARTS)
    found = [loss_on(case, Data(data.x[p], data.y[p]), z[p]) for p in places]
    return None if any(v is None for v in found) else np.array(found, dtype=np.float64)


def constant_loss(case: Case) -> float | None:
    """The loss of the best constant on the training data: for classes the entropy, for values that of the mean."""
    e, train = case.evidence, case.train
    if train is None:
        return None
    if train.kind == "classes" and case.loss in ("cross-entropy", "nll", "bce", "bce-probabilities"):
        p = np.bincount(train.targets) / len(train.targets)
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())
    z = e.prediction
    assert z is not None and e.train is not None and e.train.y is not None
    if e.train.y.size == z.size:
        t = e.train.y.reshape(z.shape).astype(z.dtype)
        return loss_on(case, e.train, np.broadcast_to(t.mean(axis=0), z.shape).astype(z.dtype))
    return float(e.losses[0]) if len(e.losses) else None


def epoch_curves(case: Case, title: str, constant: float) -> str:
    """Both losses against the epoch."""
    rows = case.evidence.epochs
    lines = {}
    for name, label in (("train_loss", "training"), ("validation_loss", "validation")):
        values = [(i + 1, row[name]) for i, row in enumerate(rows) if name in row]
        if values:
            lines[label] = ([p for p, _ in values], [v for _, v in values])
    if not lines:
        lines = {"training": (np.arange(len(case.evidence.losses)), case.evidence.losses)}
    return pictures.curves(title, lines, "epoch" if rows else "step", "loss", ("best constant", constant))
