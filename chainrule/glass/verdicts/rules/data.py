"""Data that is not normalised: inputs or targets of a scale or offset that the training does not cope with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.trials import Trial
from chainrule.glass.verdicts.verdict import Verdict

LARGE = 10.0
"""A root mean square of inputs beyond which the first layer's gradient is a hundred times that of standardised ones."""

ENORMOUS = 30.0
"""A root mean square that explains a bad training by itself."""

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
    def interval(self) -> str:
        """Where most numbers lie, in words."""
        low, high = (self.means - self.deviations).min(), (self.means + self.deviations).max()
        return f"The inputs lie between {low:.4g} and {high:.4g}"

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
    columns, targets = given(case), of_targets(case)
    inputs = "" if columns is None else columns.complaint or (columns.mixed if case.bad else "")
    if not inputs and not targets:
        return None
    same = case.trials.with_lr(1.0)
    tried = [
        ("inputs", inputs, case.trials.with_inputs),
        ("targets", targets, case.trials.with_targets),
        ("inputs and targets", inputs and targets, case.trials.with_both),
    ]
    for what, complaint, trial in tried:
        better = trial(standardised) if complaint else None
        if better is not None and helps(same, better):
            return _verdict(case, what, tuple(filter(None, (inputs, targets))), columns, (same, better))
    if columns is not None and inputs and columns.size > ENORMOUS and case.bad:
        return _verdict(case, "inputs", (inputs,), columns, None)
    return None


def _verdict(
    case: Case, what: str, seen: tuple[str, ...], columns: Columns | None, trials: tuple[Trial | None, Trial] | None
) -> Verdict:
    """What is not normalised, what it is like, and what the trials show."""
    names = [columns.interval] if columns is not None and "inputs" in what else []
    names += [f"The targets have mean {_mean(case):.4g} and deviation {_spread(case):.4g}"] if "targets" in what else []
    headline = " and ".join(names).replace(" and The", " and the")
    headline += ", and the same training on standardised ones does better." if trials else ", far from 0 and 1."
    layer = columns.path if columns is not None and "inputs" in what else case.last_layer
    lines = seen if trials is None else (*seen, compared(case, *trials))
    draw = partial(pictures.distribution, "Inputs of the first layer", {"inputs": case.rows.x}, "value")
    if trials is not None:
        draw = partial(trial_curves, f"The same training on standardised {what}", *trials, f"standardised {what}")
    fix = "cr.data.Standardize(), by the numbers of the training part: each column with mean 0 and variance 1"
    if "targets" in what:
        fix += "; its inverse on what is predicted"
    return Verdict("data not normalised", headline, lines, fix, layer, 0, draw)


def of_targets(case: Case) -> str:
    """What is unusual about targets far from what the outputs start with, in words; "" where nothing is."""
    if case.train is None or case.train.kind != "values" or not (case.bad or case.failed):
        return ""
    if _spread(case) < LARGE and _mean(case) < OFFSET * max(_spread(case), 0.1):
        return ""
    return f"targets of mean {_mean(case):.4g} and deviation {_spread(case):.4g}; healthy: 0 and 1, as new outputs"


def _mean(case: Case) -> float:
    """The mean of the targets, of the output where it is farthest from 0."""
    return float(np.abs(case.train.targets.mean(axis=0)).max()) if case.train is not None else 0.0


def _spread(case: Case) -> float:
    """The deviation of the targets, of the output where it is largest."""
    return float(case.train.targets.std(axis=0).max()) if case.train is not None else 0.0


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
