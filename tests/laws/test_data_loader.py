"""A loader deals every example out once in an epoch, in an order that follows from (seed, epoch)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Loader


@given(n=st.integers(1, 200), size=st.integers(1, 250), seed=st.integers(), epoch=st.integers(0, 50))
def test_an_epoch_is_a_permutation_in_batches(n, size, seed, epoch):
    x = np.arange(n)
    loader = Loader(x[:, None], -x, size, seed)
    batches = list(loader.epoch(epoch))
    assert len(batches) == len(loader) == -(-n // size)
    seen = np.concatenate([xs[:, 0] for xs, _ in batches])
    np.testing.assert_array_equal(seen, loader.order(epoch))
    np.testing.assert_array_equal(np.sort(seen), x)
    np.testing.assert_array_equal(np.concatenate([ys for _, ys in batches]), -seen)
    assert all(len(xs) == size for xs, _ in batches[:-1])


@given(n=st.integers(1, 100), size=st.integers(1, 30), seed=st.integers(0, 9), data=st.data())
def test_an_epoch_resumes_at_any_batch(n, size, seed, data):
    loader = Loader(np.arange(n), np.arange(n), size, seed)
    start = data.draw(st.integers(0, len(loader)))
    rest = [x.tolist() for x, _ in Loader(np.arange(n), np.arange(n), size, seed).epoch(7, start)]
    assert rest == [x.tolist() for x, _ in loader.epoch(7)][start:]


@given(n=st.integers(1, 100), size=st.integers(1, 100))
def test_drop_last_leaves_equal_batches(n, size):
    size = min(n, size)
    loader = Loader(np.arange(n), np.arange(n), size, drop_last=True)
    assert [len(x) for x, _ in loader.epoch(0)] == [size] * (n // size)
    assert len(loader) == n // size


def test_orders_differ_by_epoch_and_by_seed_and_are_the_same_again():
    def order(seed, epoch):
        return tuple(Loader(np.arange(20), np.arange(20), 5, seed).order(epoch))

    orders = {order(seed, epoch) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25
    assert order(2, 3) == order(2, 3)


def test_each_loop_is_the_next_epoch():
    loader = Loader(np.arange(10), np.arange(10), 4, seed=1)
    for epoch in range(3):
        assert [x.tolist() for x, _ in loader] == [x.tolist() for x, _ in loader.epoch(epoch)]


def test_without_shuffling_the_order_is_that_of_the_data():
    loader = Loader(np.arange(5), np.arange(5), 2, shuffle=False)
    assert [x.tolist() for x, _ in loader.epoch(4)] == [[0, 1], [2, 3], [4]]


def test_batches_are_copies():
    x = np.zeros((4, 2))
    for shuffle in (True, False):
        for batch, _ in Loader(x, np.zeros(4), 2, shuffle=shuffle):
            batch += 1
    assert not x.any()


def test_the_lecture_makes_469_updates_in_an_epoch():
    n = 60_000
    assert len(Loader(np.zeros((n, 1)), np.zeros(n), 128)) == 469
    assert len(Loader(np.zeros((n, 1)), np.zeros(n), 128, drop_last=True)) == 468
