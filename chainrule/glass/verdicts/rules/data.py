"""Data that is not normalised: inputs or targets of a scale or offset that the training does not cope with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.trials import Trial
from chainrule.glass.verdicts.verdict import Verdict

LARGE = 10.0
"""A root mean square of inputs beyond which the first layer's gradient is a hundred times that of standardised ones."""

SMALL = 0.02
"""A root mean square of the inputs that are not 0 below which the first layer hardly hears them."""

OFFSET = 10.0
"""Deviations from 0 at which a column is a constant to the first layer, with a little noise on it."""

SPREAD = 100.0
"""How many times as large as those of another the numbers of a column may be."""

BETTER = 0.05
LOWER = 0.7
"""What standardising must bring in a trial: so much less error, or a loss that is so many times the other."""

WEIGHED = ("Linear", "Conv", "RNN", "LSTM", "GRU", "ChungGRU", "Bilinear", "MultiheadAttention", "Highway")
NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm", "Embedding")


@dataclass(frozen=True, eq=False)
class Columns:
    """What the first layer with weights is given, by column or channel.

    A size is the root mean square of the numbers that are not 0.
    """

    path: str
    means: np.ndarray
    deviations: np.ndarray
    sizes: np.ndarray
    size: float

    @property
    def complaint(self) -> str:
        """What is unusual, with its number and what is healthy; "" where nothing is."""
        varied = self.deviations > 0
        offset = np.abs(self.means[varied]) / self.deviations[varied]
        if self.size > LARGE:
            return f"the root mean square of the inputs is {self.size:.4g}; healthy: about 1"
        if self.size < SMALL:
            return f"the root mean square of the inputs is {self.size:.2g}; healthy: about 1"
        if len(offset) and np.median(offset) > OFFSET:
            return f"columns lie {np.median(offset):.0f} of their deviations away from 0; healthy: less than 3"
        return ""

    @property
    def mixed(self) -> str:
        """Whether columns are in units of very different size, in words; "" where they are not."""
        sizes = self.sizes[self.sizes > 0]
        if len(sizes) < 2 or sizes.max() < SPREAD * sizes.min():
            return ""
        times = sizes.max() / sizes.min()
        return f"the numbers of one column are {times:.0f} times as large as those of another; healthy: up to 10"


def not_normalised(case: Case) -> Verdict | None:
    """Inputs, or targets, whose scale stands in the way, as a trial with standardised ones shows."""
    return _inputs(case) or _targets(case)


def _inputs(case: Case) -> Verdict | None:
    columns = given(case)
    complaint = "" if columns is None else columns.complaint or (columns.mixed if case.bad else "")
    if columns is None or not complaint:
        return None
    same, better = case.trials.with_lr(1.0), case.trials.with_inputs(standardised)
    if not helps(same, better):
        return None
    assert better is not None
    low, high = columns.means - columns.deviations, columns.means + columns.deviations
    return Verdict(
        "data not normalised",
        f"The inputs lie between {low.min():.4g} and {high.max():.4g}, "
        "and the same training on standardised ones does better.",
        (complaint, compared(case, same, better)),
        "cr.data.Standardize().fit(train): each column with mean 0 and variance 1, by the numbers of the training part",
        layer=columns.path,
        step=0,
        picture=lambda: trial_curves("The same training on standardised inputs", same, better, "standardised inputs"),
    )


def _targets(case: Case) -> Verdict | None:
    """Targets far from what the outputs start with."""
    if case.train is None or case.train.kind != "values" or not (case.bad or case.failed) or case.begin is None:
        return None
    t, z = case.train.targets, case.train.predicted
    mean, spread = float(np.abs(t.mean(axis=0)).max()), float(t.std(axis=0).max())
    if spread < LARGE and mean < OFFSET * max(spread, 0.1):
        return None
    same, better = case.trials.with_lr(1.0), case.trials.with_targets(standardised)
    if not helps(same, better):
        return None
    assert better is not None
    return Verdict(
        "data not normalised",
        f"The targets have mean {t.mean():.4g} and deviation {spread:.4g}, and the same training on standardised ones "
        "does better.",
        (
            "healthy: targets with mean 0 and deviation 1, near the outputs of a new network",
            compared(case, same, better),
        ),
        "cr.data.Standardize() on the targets, and its inverse on what is predicted",
        layer=case.last_layer,
        step=0,
        picture=lambda: pictures.distribution("Targets and outputs", {"targets": t, "outputs": z}, "value"),
    )


def given(case: Case) -> Columns | None:
    """What the first layer with weights is given; None for tokens, and where a norm comes first."""
    if case.begin is None:
        return None
    for layer in case.begin.layers.values():
        if layer.kind.startswith(NORMS):
            return None
        if layer.kind.startswith(WEIGHED):
            return of_columns(layer.path, layer.inputs, layer.kind.startswith("Conv"))
    return None


def of_columns(path: str, x: np.ndarray, channels: bool) -> Columns | None:
    """Statistics by column; by channel, on axis 1, of what a convolution takes."""
    if x.dtype.kind != "f" or x.ndim < 2 or len(x) < 2 or not np.isfinite(x).all():
        return None
    flat = np.moveaxis(x, 1, -1) if channels else x
    flat = flat.reshape(-1, flat.shape[-1]).astype(np.float64)
    heard = flat[flat != 0]
    if not len(heard):
        return None
    counts = np.maximum(1, (flat != 0).sum(axis=0))
    sizes = np.sqrt((flat**2).sum(axis=0) / counts)
    return Columns(path, flat.mean(axis=0), flat.std(axis=0), sizes, float(np.sqrt((heard**2).mean())))


def standardised(x: np.ndarray) -> np.ndarray:
    """Each number of an example with mean 0 and variance 1 over the examples; pixels by one mean and variance."""
    axes = tuple(range(x.ndim - 1)) if x.ndim == 3 else (0, 2, 3) if x.ndim == 4 else 0
    mean, spread = x.mean(axis=axes, keepdims=True, dtype=np.float64), x.std(axis=axes, keepdims=True, dtype=np.float64)
    return ((x - mean) / np.where(spread > 0, spread, 1)).astype(x.dtype)


def helps(same: Trial | None, better: Trial | None) -> bool:
    """Whether the second trial ends with clearly less error than the first, and with less loss where it is the same."""
    if same is None or better is None or better.after is None:
        return False
    return same.relative - better.relative > BETTER and better.relative < LOWER * same.relative


def compared(case: Case, same: Trial | None, better: Trial | None) -> str:
    """Two trials in words."""
    assert same is not None and better is not None and better.after is not None
    as_is = same.after.told if same.after is not None else "numbers that are not finite"
    return (
        f"after {len(better.losses)} steps from the same start: {as_is} as it is, {better.after.told} on standardised"
    )


def trial_curves(title: str, same: Trial | None, other: Trial, name: str) -> str:
    """The losses of two trials."""
    lines = {name: (np.arange(len(other.losses)), other.losses)}
    if same is not None:
        lines = {"as it was": (np.arange(len(same.losses)), same.losses)} | lines
    return pictures.curves(title, lines)
