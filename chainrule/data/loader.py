"""Batches in an order that is a function of (seed, epoch): any moment of a run can be had again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, OptionError
from chainrule.base.keys import Key
from chainrule.data.checks import check_lengths
from chainrule.data.dataset import Dataset


class Loader:
    """Mini-batches of a data set: every epoch deals all examples out once, in an order of its own.

    Each `for` loop over a loader is the next epoch; `epoch(k, start)` is any epoch from any batch on, and
    depends on nothing that went before, so a resumed run sees the batches it would have seen. An epoch has
    ⌈n / batch_size⌉ batches, 469 for 60,000 examples in batches of 128 (002 §5.2), the last one smaller; with
    `drop_last` it has ⌊n / batch_size⌋ equal ones. A batch is a copy: changing it does not change the data.

    >>> loader = Loader(np.arange(5), np.arange(5), batch_size=2, seed=1)
    >>> len(loader), loader.order(0).tolist(), loader.order(1).tolist()
    (3, [1, 4, 3, 2, 0], [0, 4, 3, 2, 1])
    >>> [x.tolist() for x, y in loader.epoch(0, start=1)]
    [[3, 2], [0]]

    `Loader(dataset, batch_size=32)` is short for `Loader(dataset.x, dataset.y, 32)`.

    Raises:
        DataError: no examples, or x and y of different length.
        OptionError: a data set and targets beside it, a batch size that is not a positive whole number, or
            leaves no batch.
    """

    def __init__(
        self, x: Any, y: Any = None, batch_size: int = 0, seed: int = 0, shuffle: bool = True, drop_last: bool = False
    ) -> None:
        x, y = inputs_and_targets(x, y)
        self.x, self.y = np.asarray(x), np.asarray(y)
        check_examples(self.x, self.y)
        check_batch_size(batch_size, len(self.x), drop_last)
        self.batch_size, self.seed, self.shuffle, self.drop_last = int(batch_size), seed, shuffle, drop_last
        self.next_epoch = 0

    def __len__(self) -> int:
        """Batches in an epoch."""
        full, rest = divmod(len(self.x), self.batch_size)
        return full if self.drop_last else full + (rest > 0)

    def order(self, epoch: int) -> np.ndarray:
        """The rows in the order in which this epoch visits them, shape (n,)."""
        if not self.shuffle:
            return np.arange(len(self.x))
        return (Key(self.seed) / "order" / int(epoch)).generator().permutation(len(self.x))

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches (x, y) of an epoch, from batch number `start` on."""
        return ((np.take(self.x, rows, axis=0), np.take(self.y, rows, axis=0)) for rows in self.rows(epoch, start))

    def rows(self, epoch: int, start: int = 0) -> Iterator[np.ndarray]:
        """The row numbers of each batch of an epoch, from batch number `start` on."""
        if not 0 <= start <= len(self):
            raise OptionError(f"start is a batch number from 0 to {len(self)}, got {start}.")
        order, size = self.order(epoch), self.batch_size
        return (order[first : first + size] for first in range(start * size, len(self) * size, size))

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        epoch = self.next_epoch
        self.next_epoch += 1
        return self.epoch(epoch)


def inputs_and_targets(x: Any, y: Any) -> tuple[Any, Any]:
    """x and y as they are, or those of a data set."""
    if not isinstance(x, Dataset):
        return x, y
    if y is not None:
        headline = "A Loader of a Dataset takes its targets from it, but got others too."
        raise OptionError(headline, fix="Loader(dataset, batch_size=32)")
    return x.x, x.y


def check_examples(x: np.ndarray, y: np.ndarray) -> None:
    """There is an example, and each has a target."""
    if x.ndim == 0 or len(x) == 0:
        raise DataError(f"There are no examples to load: x has shape {x.shape}.")
    check_lengths(x, y)


def check_batch_size(batch_size: object, examples: int, drop_last: bool) -> None:
    """A positive whole number that leaves at least one batch."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise OptionError(
            f"batch_size is a whole number of at least 1, got {batch_size!r}.",
            fix=f"32 to 128 are usual; {examples} takes all examples at once",
        )
    if drop_last and batch_size > examples:
        raise OptionError(
            f"No batch is left: drop_last=True drops the only one, of {examples} examples.",
            fix=f"choose batch_size up to {examples} (it is {batch_size}), or drop_last=False",
        )
