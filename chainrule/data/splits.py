"""Training, validation and test part: fit on the first, choose with the second, report the third once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.base.keys import Key
from chainrule.data.dataset import Dataset, from_arrays

SUM_TOLERANCE = 1e-6  # decimal fractions such as 0.7 + 0.15 + 0.15 add up to 1 only nearly


class Splits(NamedTuple):
    """Three parts of a data set that share no example."""

    train: Dataset
    validation: Dataset
    test: Dataset


PARTS = Splits._fields


def split(
    dataset: Dataset | tuple[Any, Any],
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    stratify: bool | None = None,
) -> Splits:
    """Deal the examples out at random into training, validation and test part; equal seeds, equal parts.

    A pair (x, y) is taken as `from_arrays(x, y)`.

    Stratified (the default for a classification), every class keeps its proportions: a class of m examples
    puts ⌊m f⌋ or ⌈m f⌉ of them into the part with fraction f. What rounding leaves over goes to the part
    that has fallen behind most so far (largest remainder, with the error carried from class to class), so
    that the sizes of the parts stay right too. 004 §3.3.

    >>> from chainrule.data.embedded import iris
    >>> [np.bincount(part.y).tolist() for part in split(iris())]
    [[35, 35, 35], [8, 7, 8], [7, 8, 7]]

    Raises:
        DataError: a class, or the whole, is too small to reach every part.
        OptionError: something that is no data, fractions that are not three positive numbers with sum 1;
            strata asked of a regression.
    """
    check_fractions(fractions)
    dataset = as_dataset(dataset)
    random = (Key(seed) / "split").generator()
    strata = [random.permutation(rows) for rows in groups(dataset, fractions, stratify)]
    counts = shares([len(rows) for rows in strata], fractions)
    cuts = [np.split(rows, np.cumsum(count)[:-1]) for rows, count in zip(strata, counts, strict=True)]
    parts = [random.permutation(np.concatenate(pieces)) for pieces in zip(*cuts, strict=True)]
    check_parts(parts, len(dataset))
    return Splits(*(dataset.take(rows) for rows in parts))


def repeated_splits(
    dataset: Dataset | tuple[Any, Any],
    repeats: int,
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    stratify: bool | None = None,
) -> Iterator[Splits]:
    """Splits with the seeds `seed`, `seed` + 1, ...: repeated hold-out, to be averaged over. 004 §3.3.

    Raises:
        OptionError: fewer than one repeat.
    """
    if repeats < 1:
        raise OptionError(f"repeats is at least 1, got {repeats}.")
    return (split(dataset, fractions, seed + k, stratify) for k in range(repeats))


def as_dataset(data: Any) -> Dataset:
    """A data set, or one made of a pair (x, y)."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return from_arrays(*data)
    fix = "cr.data.from_frame(frame, target)" if hasattr(data, "columns") else "cr.data.from_arrays(x, y)"
    raise OptionError(f"split takes a Dataset or a pair (x, y), got {type(data).__name__}.", fix=fix)


def groups(dataset: Dataset, fractions: Sequence[float], stratify: bool | None) -> list[np.ndarray]:
    """The rows of each class, or all rows as one group."""
    if stratify and dataset.task == "regression":
        headline = f"{dataset.name} is a regression: it has no classes to stratify by."
        raise OptionError(headline, fix="leave out stratify=True")
    if stratify is False or dataset.task == "regression":
        return [np.arange(len(dataset))]
    labels = np.unique(dataset.y)
    rows = [np.flatnonzero(dataset.y == label) for label in labels]
    for label, members in zip(labels, rows, strict=True):
        check_class(dataset.class_names[label], len(members), min(fractions))
    return rows


def shares(sizes: Sequence[int], fractions: Sequence[float]) -> list[np.ndarray]:
    """How many of each group go to each part: whole numbers next to size × fraction."""
    owed, weights = np.zeros(len(fractions)), np.asarray(fractions, dtype=np.float64)
    counts = []
    for size in sizes:
        exact = np.round(size * weights, 9)  # 100 × 0.29 is 28.999999999999996
        count = np.floor(exact).astype(int)
        behind = np.where(exact > count, owed + exact - count, -np.inf)
        count[np.argsort(-behind, kind="stable")[: size - count.sum()]] += 1
        owed += exact - count
        counts.append(count)
    return counts


def check_fractions(fractions: Sequence[float]) -> None:
    """Three positive numbers with sum 1."""
    positive = len(fractions) == len(PARTS) and all(fraction > 0 for fraction in fractions)
    if not positive or abs(sum(fractions) - 1) > SUM_TOLERANCE:
        raise OptionError(
            f"fractions are three positive numbers with sum 1, got {tuple(fractions)}.",
            fix="(0.7, 0.15, 0.15) for training, validation and test",
        )


def check_class(name: str, size: int, smallest: float) -> None:
    """A class is large enough to be in every part."""
    if round(size * smallest, 9) < 1:
        raise DataError(
            f"Class {name!r} has too few examples ({size}) to be in every part.",
            needed=f"{int(np.ceil(round(1 / smallest, 9)))}, for one in a part of {smallest:.0%}",
            fix="merge it with another class, collect more, or split with stratify=False",
        )


def check_parts(parts: Sequence[np.ndarray], size: int) -> None:
    """No part is empty."""
    for name, rows in zip(PARTS, parts, strict=True):
        if len(rows) == 0:
            few = "1 example is" if size == 1 else f"{size} examples are"
            headline = f"{few} too few: the {name} part would be empty."
            raise DataError(headline, fix="collect more examples, or give this part a larger fraction")
