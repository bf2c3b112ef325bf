"""Splits share no example, lose none, keep proportions, and follow from the seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chainrule.base.errors import DataError
from chainrule.data import EMBEDDED, from_arrays, repeated_splits, split
from chainrule.data.splits import shares

DEFAULT = (0.7, 0.15, 0.15)
FRACTIONS = st.tuples(*[st.integers(1, 20)] * 3).map(lambda parts: tuple(part / sum(parts) for part in parts))
ROUNDING = 1e-8  # shares are rounded to nine decimals, so that 100 times 0.29 is 29


def numbered(sizes):
    """A data set whose only feature is the row number, with classes of these sizes."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return from_arrays(x, y, class_names=[str(k) for k in range(len(sizes))])


def rows(part):
    return part.x[:, 0].astype(int)


@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=6), fractions=FRACTIONS, seed=st.integers(0, 99))
def test_parts_are_disjoint_complete_and_proportional(sizes, fractions, seed):
    assume(min(sizes) * min(fractions) >= 1)
    data = numbered(sizes)
    parts = split(data, fractions, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([rows(part) for part in parts])), np.arange(len(data)))
    for part, fraction in zip(parts, fractions, strict=True):
        np.testing.assert_array_equal(part.y, data.y[rows(part)])
        counts = np.bincount(part.y, minlength=len(sizes))
        assert (counts >= 1).all()
        assert (np.abs(counts - fraction * np.array(sizes)) < 1 + ROUNDING).all()


@given(n=st.integers(3, 2000), fractions=FRACTIONS, seed=st.integers(0, 99))
def test_without_strata_the_sizes_are_rounded_fractions(n, fractions, seed):
    data = from_arrays(np.arange(n)[:, None], np.zeros(n))
    try:
        parts = split(data, fractions, seed)
    except DataError:
        assert n * min(fractions) < 1
        return
    np.testing.assert_array_equal(np.sort(np.concatenate([rows(part) for part in parts])), np.arange(n))
    assert (np.abs([len(part) - fraction * n for part, fraction in zip(parts, fractions, strict=True)]) < 1).all()


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=200), fractions=FRACTIONS)
def test_the_error_of_rounding_does_not_add_up_over_classes(sizes, fractions):
    counts = np.array(shares(sizes, fractions))
    np.testing.assert_array_equal(counts.sum(axis=1), sizes)
    assert (counts >= 0).all()
    assert (np.abs(counts.sum(axis=0) - np.array(fractions) * sum(sizes)) < 2).all()


@pytest.mark.parametrize("name", EMBEDDED)
def test_equal_seeds_equal_parts_and_other_seeds_other_parts(name):
    data = EMBEDDED[name]()
    once, again, other = split(data, seed=3), split(data, seed=3), split(data, seed=4)
    for first, second, third in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(first.x, second.x)
        assert not np.array_equal(first.x, third.x)
        assert first.class_names == data.class_names


def test_parts_are_shuffled():
    train = split(numbered([50, 50])).train
    assert not np.array_equal(np.sort(train.y), train.y)
    assert not np.array_equal(np.sort(rows(train)), rows(train))


def test_a_class_without_examples_is_no_obstacle():
    data = from_arrays(np.arange(20)[:, None], [0, 2] * 10, class_names=["a", "b", "c"])
    assert [len(part) for part in split(data)] == [14, 3, 3]


def test_stratify_false_splits_what_strata_cannot():
    data = numbered([30, 1])
    assert sum(len(part) for part in split(data, stratify=False)) == 31


def test_repeated_splits_have_consecutive_seeds():
    data = EMBEDDED["iris"]()
    repeats = list(repeated_splits(data, 3, DEFAULT, seed=5))
    assert len(repeats) == 3
    for k, parts in enumerate(repeats):
        np.testing.assert_array_equal(parts.test.x, split(data, DEFAULT, 5 + k).test.x)
