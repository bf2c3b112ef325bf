"""A quick learner of another kind on the same data: what can be known of rows that were not learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.glass.verdicts.standing import Standing

ROWS = 1000
"""Rows that it learns from and is measured on; a second of work at most."""

COLUMNS = 1024
"""Numbers of an example that are looked at, evenly picked."""

FEWEST = 40
"""Rows below which two halves say nothing."""

WINDOW, TOKENS = 4, 64
"""Steps of a sequence that are looked at together, and kinds of tokens that get a column each."""

MANY = 10
"""How many times the rows the different rows must be that the values of their columns allow, for equal ones to be
copies."""

NEIGHBOURS = 5
TREES = 50
SHRINKAGE = 1e-2
"""Of ridge regression, as a share of the mean variance of a column."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The best of three quick learners: its name, and its errors on rows that it had not seen, as in a standing.

    `targets` are those of these rows.
    """

    name: str
    errors: np.ndarray
    base: float
    targets: np.ndarray

    @property
    def relative(self) -> float:
        return float(self.errors.mean()) / self.base if self.base else 0.0

    @property
    def uncertainty(self) -> float:
        return float(self.errors.std() / np.sqrt(len(self.errors))) / self.base if self.base else 0.0


def reference(x: Any, of: Standing) -> Reference | None:
    """Trees, neighbours and a linear rule, each learned from one half and measured on the other, both ways.

    Where every step of a sequence has a label, an example is a step with those before it. Copies of a row are in one
    half, or the other half would have seen them. None where there are too few rows, or targets of another number.
    """
    x, t = np.asarray(x), of.targets
    if len(x) < FEWEST or x.dtype.kind not in "fiub" or not (np.isfinite(x).all() and np.isfinite(t).all()):
        return None
    if len(t) != len(x):
        if x.ndim < 2 or len(t) != len(x) * x.shape[1]:
            return None
        some = max(FEWEST, ROWS // x.shape[1])
        x, t = windows(x[:some]), t[: some * x.shape[1]]
        rows, first = np.arange(len(x)), np.arange(len(x)) < len(x) // 2  # sequences stay together: halves share none
    else:
        rows = picked(len(x), ROWS)
        first = one_half(x[rows])
    features, t = columns(x[rows]), t[rows]
    learners = (("trees", trees), ("nearest neighbours", neighbours), ("a linear rule", linear))
    found = [Reference(name, crossed(learner, features, t, of, first), of.base, t) for name, learner in learners]
    return min(found, key=lambda r: r.relative)


def windows(x: np.ndarray) -> np.ndarray:
    """Every step of sequences (n, T, ...) with the ones before it: (n T, WINDOW ...); tokens one-hot, where few."""
    if x.dtype.kind in "iu" and x.ndim == 2 and x.min() >= 0 and x.max() < TOKENS:
        x = np.eye(int(x.max()) + 1)[x]
    x = x.reshape(len(x), x.shape[1], -1)
    padded = np.concatenate([np.zeros_like(x[:, :1])] * (WINDOW - 1) + [x], axis=1)
    steps = [padded[:, k : k + x.shape[1]] for k in range(WINDOW)]
    return np.concatenate(steps, axis=-1).reshape(len(x) * x.shape[1], -1)


def picked(n: int, most: int) -> np.ndarray:
    """At most so many of n places, in an order that is always the same, mixed so that halves are alike."""
    return np.random.Generator(np.random.Philox(0)).permutation(n)[:most]


def one_half(x: np.ndarray) -> np.ndarray:
    """Which of some rows are the first half; copies of a row are in the same one.

    Where there are few different rows by nature, equal ones are not copies but meet by chance, and are dealt as others.
    """
    flat = np.ascontiguousarray(x.reshape(len(x), -1))
    different, places = np.unique(flat, axis=0, return_inverse=True)
    plain = np.arange(len(x)) < len(x) // 2
    kinds = np.array([len(np.unique(column)) for column in different.T[:COLUMNS]], dtype=np.float64)
    if len(different) == len(x) or np.log(np.maximum(1, kinds)).sum() < np.log(MANY * len(x)):
        return plain
    half = picked(len(different), len(different) // 2)
    return np.isin(places.reshape(-1), half)


def columns(x: np.ndarray) -> np.ndarray:
    """Examples as rows of float64, each column with mean 0 and variance 1."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    if flat.shape[1] > COLUMNS:
        flat = flat[:, np.linspace(0, flat.shape[1] - 1, COLUMNS).astype(int)]
    spread = flat.std(axis=0)
    return (flat - flat.mean(axis=0)) / np.where(spread > 0, spread, 1)


def crossed(
    learner: Callable[..., np.ndarray], x: np.ndarray, t: np.ndarray, of: Standing, first: np.ndarray
) -> np.ndarray:
    """The error of every row by what was learned from the other half."""
    classes = of.kind == "classes"
    wanted = np.eye(int(of.targets.max()) + 1)[t] if classes else t
    errors = np.zeros(len(x))
    spread = 1.0 if classes else float(of.targets.var(axis=0).sum())
    for seen, held in ((~first, first), (first, ~first)):
        said = learner(x[seen], wanted[seen], x[held])
        wrong = said.argmax(axis=1) != t[held] if classes else ((said - t[held]) ** 2).sum(axis=1) / spread
        errors[held] = wrong
    return errors


def trees(x: np.ndarray, t: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The mean of trees that split at random places (Geurts, Ernst & Wehenkel 2006)."""
    from sklearn.ensemble import ExtraTreesRegressor

    share = 1.0 if x.shape[1] <= 30 else x.shape[1] ** -0.5
    model = ExtraTreesRegressor(TREES, max_features=share, random_state=0).fit(x, t if t.shape[1] > 1 else t[:, 0])
    return np.asarray(model.predict(new)).reshape(len(new), -1)


def neighbours(x: np.ndarray, t: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The mean target of the nearest rows."""
    distances = (new**2).sum(axis=1)[:, None] - 2 * new @ x.T + (x**2).sum(axis=1)
    nearest = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return t[nearest].mean(axis=1)


def linear(x: np.ndarray, t: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Ridge regression with an offset."""
    mean, offset = x.mean(axis=0), t.mean(axis=0)
    centred = x - mean
    covariance = centred.T @ centred / len(x)
    shrunk = covariance + SHRINKAGE * max(np.trace(covariance) / len(covariance), 1e-12) * np.eye(len(covariance))
    return (new - mean) @ np.linalg.solve(shrunk, centred.T @ (t - offset) / len(x)) + offset
