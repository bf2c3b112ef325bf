"""Train and test data that overlap."""

from __future__ import annotations

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.verdict import Verdict

SHARE = 0.02
"""A share of the validation rows found in the training data that may be chance or a slip."""

FEWEST = 10
"""Validation rows below which nothing is said."""

DIGITS = 5
"""Decimal places, in units of a column's deviation, to which rows are equal."""

CONTINUOUS = 0.5
"""A column with so many different values, as a share of the rows, does not repeat by chance."""

TIMES = 3.0
"""How many times the share that chance gives, as the validation data repeats itself, must be exceeded."""


def overlap(case: Case) -> Verdict | None:
    """Rows of the validation data that are rows of the training data too, more than chance makes of such data."""
    e = case.evidence
    if e.train is None or e.validation is None or len(e.validation.x) < FEWEST:
        return None
    train, held = rows_of(e.train.x, e.validation.x)
    if train is None or held is None:
        return None
    known = set(map(bytes, train))
    twins = np.array([bytes(row) in known for row in held])
    share = float(twins.mean())
    if share < SHARE or twins.sum() < 2:
        return None
    chance = by_chance(e.train.x, e.validation.x, train, held)
    if share <= min(1.0, TIMES * chance + SHARE):
        return None
    scores = [] if case.held is None else _scores(case, twins)
    return Verdict(
        "train and test overlap",
        f"{int(twins.sum())} of {len(twins)} validation rows ({100 * share:.0f} %) are in the training data too.",
        (
            f"first: row {int(np.flatnonzero(twins)[0])} of the validation data; healthy: none but by chance",
            f"in such data chance gives {100 * chance:.1f} %",
            *scores,
        ),
        "split before rows are repeated or augmented, and drop duplicates: np.unique(x, axis=0)",
        picture=lambda: pictures.bars(
            "Validation rows", {"also in training": float(twins.sum()), "new": float((~twins).sum())}, "rows",
            marked=("also in training",),
        ),
    )  # fmt: skip


def _scores(case: Case, twins: np.ndarray) -> list[str]:
    """How the model does on twins and on new rows."""
    held = case.held
    if held is None or len(held.errors) != len(twins) or twins.all() or not held.base:
        return []
    seen, new = held.errors[twins].mean(), held.errors[~twins].mean()
    return [f"mean error {seen:.3g} on rows that are in both, {new:.3g} on new ones"]


def rows_of(x: np.ndarray, other: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Both as rows that are equal where all numbers are, to rounding."""
    if x.shape[1:] != other.shape[1:] or x.dtype.kind not in "fiub":
        return None, None
    a, b = x.reshape(len(x), -1), other.reshape(len(other), -1)
    if x.dtype.kind == "f":
        mean, spread = a.mean(axis=0, dtype=np.float64), a.std(axis=0, dtype=np.float64)
        spread = np.where(spread > 0, spread, 1)
        a, b = (np.round((v - mean) / spread, DIGITS) + 0.0 for v in (a, b))
    return np.ascontiguousarray(a), np.ascontiguousarray(b)


def by_chance(x: np.ndarray, other: np.ndarray, train: np.ndarray, held: np.ndarray) -> float:
    """The share of rows with a twin that is to be expected of independent draws from such data.

    Where a number of the rows hardly ever repeats, none. Else as often as rows of the validation data have twins among
    themselves, for as many more rows as the training data has; or as few different rows as there can be make it.
    """
    different = [len(np.unique(column)) for column in held.T[:200]]
    if max(different) > CONTINUOUS * len(held) and max(different) > 20:
        return 0.0
    possible = float(np.exp(min(sum(np.log(max(1, d)) for d in different), 50.0)))
    if possible < 10 * len(train):
        return 1.0
    unique = len({bytes(row) for row in held})
    return min(1.0, (len(held) - unique) / len(held) * max(1.0, len(train) / len(held)))
