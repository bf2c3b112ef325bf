"""Masks of attention: who may look at whom. True means that the query (row) attends to the key (column).

That is the convention of PyTorch's `scaled_dot_product_attention`. A mask of floats is added to the scores
instead, so that 0 attends and −∞ does not; `additive_mask` makes one of the other. Masks combine by & and |.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, DtypeError, OptionError
from chainrule.core.batch import host_or_batched
from chainrule.core.vocabulary import words
from chainrule.ops.comparison import where
from chainrule.ops.operands import DEFAULT_FLOAT, operand

Band = tuple[int | None, int | None]
"""The keys j that a query i may attend to, as the least and the largest j − i; None is no bound."""

NO_BAND: Band = (None, None)


def band_mask(rows: int, columns: int, band: Band) -> np.ndarray:
    """True where low ≤ j − i ≤ high, for row i and column j. Shape (rows, columns)."""
    distance = np.arange(columns) - np.arange(rows)[:, None]
    low, high = band
    inside = np.ones(distance.shape, bool) if low is None else distance >= low
    return inside if high is None else inside & (distance <= high)


def causal_mask(queries: int, keys: int | None = None, offset: int = 0) -> np.ndarray:
    """Each position attends to itself and to those before: j ≤ i + offset. 000 §18.5.3 (18.16).

    With `offset` the queries stand that many positions behind the first key, as with a cache of earlier keys.
    Shape (queries, keys), as many keys as queries unless said otherwise.

    >>> causal_mask(2, 3, offset=1)
    array([[ True,  True, False],
           [ True,  True,  True]])
    """
    return band_mask(queries, queries if keys is None else keys, (None, offset))


def sliding_window_mask(length: int, width: int, causal: bool = False) -> np.ndarray:
    """Each position attends to those at most `width` away, |i − j| ≤ width; with `causal` only backwards.

    Longformer, Beltagy et al. (2020); 000 §20.5.2. T positions make about T · (2 width + 1) pairs.

    Raises:
        OptionError: the width is negative.
    """
    if width < 0:
        raise OptionError(f"A window reaches 0 or more positions to each side, got {width}.")
    return band_mask(length, length, (-width, 0 if causal else width))


def global_mask(length: int, tokens: Any) -> Any:
    """The tokens at these places attend to all and are attended by all. Beltagy et al. (2020).

    Joined to a window: `sliding_window_mask(T, w) | global_mask(T, [0])`.

    Raises:
        DataError: a place is outside of the sequence.
    """
    places = host_or_batched(tokens)
    seen = np.asarray(words.all_values(places))
    if seen.size and not 0 <= seen.min() <= seen.max() < length:
        raise DataError(f"Global tokens are at {seen.tolist()}, the sequence has places 0 to {length - 1}.")
    named = words.equal(words.reshape(places, prod(places.shape), 1), np.arange(length))  # (tokens, length)
    chosen = words.greater(words.sum(words.astype(named, np.int64), 0), 0)
    return words.logical_or(words.expand_dims(chosen, 1), chosen)


def padding_mask(lengths: Any, length: int | None = None) -> Any:
    """True for what is there, False for padding behind it. Shapes: lengths (n), result (n, length).

    As a mask of keys for scores (n, heads, T, T) it needs two axes more: `padding_mask(n)[:, None, None, :]`.
    Inside `vmap` the length must be given.

    Raises:
        DataError: a sequence is longer than `length`.

    >>> padding_mask([1, 3])
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    lengths = host_or_batched(lengths)
    most = int(np.max(np.asarray(words.all_values(lengths)), initial=0))
    if length is not None and most > length:
        raise DataError(f"A sequence of {most} does not fit into a length of {length}.")
    width = int(np.max(words.plain(lengths), initial=0)) if length is None else length
    return words.less(np.arange(width), words.expand_dims(lengths, -1))


@words.define
def additive_mask(mask: Any, dtype: Any = DEFAULT_FLOAT) -> Any:
    """0 where a boolean mask is True, −∞ where it is False: added to scores it means the same everywhere.

    Raises:
        DtypeError: the mask is not boolean.
    """
    mask = operand(mask)
    if mask.dtype != bool:
        raise DtypeError(f"A mask is turned into a sum from booleans, this one is {mask.dtype}.")
    return where(mask, np.zeros((), dtype), np.full((), -np.inf, dtype))
