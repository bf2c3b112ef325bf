"""Scalers undo themselves, know only what they were fitted on, and bear constant columns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.base.files import read_arrays, write_arrays
from chainrule.data import SCALERS, iris, split

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)
X64 = hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6))
X32 = hnp.arrays(np.float32, SHAPES, elements=st.floats(-1e3, 1e3, width=32))
EPS64 = 1e-9  # of the largest value, 1e6: subtraction and division lose some bits of 2e-16 each
EPS32 = 1e-3  # of the largest value, 1e3, at 6e-8 a rounding

every_scaler = pytest.mark.parametrize("scaler", SCALERS.values(), ids=SCALERS)


@every_scaler
@given(x=X64)
def test_inverse_undoes_transform_in_float64(scaler, x):
    fitted = scaler().fit(x)
    np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, rtol=0, atol=EPS64 * 10)


@every_scaler
@given(x=X32)
def test_inverse_undoes_transform_in_float32(scaler, x):
    fitted = scaler().fit(x)
    scaled = fitted.transform(x)
    assert scaled.dtype == np.float32
    assert scaled.shape == x.shape
    np.testing.assert_allclose(fitted.inverse(scaled), x, rtol=0, atol=EPS32)


@every_scaler
def test_constant_columns_become_zero_without_a_warning(scaler):
    x = np.full((1000, 3), 0.1, np.float32)
    x[:, 1] = np.arange(1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = scaler().fit(x)
        scaled = fitted.transform(x)
        unseen = fitted.transform(np.array([[7, 5, 8]], np.float32))
    assert not scaled[:, [0, 2]].any()
    assert not unseen[:, [0, 2]].any()
    np.testing.assert_array_equal(fitted.inverse(scaled)[:, 0], x[:, 0])


@every_scaler
@pytest.mark.parametrize("n", [10, 100, 1000])
def test_a_constant_that_rounding_spreads_becomes_zero_too(scaler, n):
    x = np.full((n, 1), 0.1)  # the sum of n tenths, divided by n, is not 0.1
    assert not scaler().fit(x).transform(np.array([[0.1], [0.2]])).any()
    assert scaler().fit(x).inverse(np.zeros((1, 1))) == 0.1


@every_scaler
def test_the_test_part_does_not_leak(scaler):
    parts = split(iris())
    before = scaler().fit(parts.train.x).arrays()
    parts.test.x[:] = 1e9
    parts.validation.x[:] = -1e9
    for name, statistic in scaler().fit(parts.train.x).arrays().items():
        np.testing.assert_array_equal(statistic, before[name])


@every_scaler
def test_fit_leaves_the_scaler_as_it_was(scaler):
    unfitted = scaler()
    assert unfitted.fit(np.eye(3)) is not unfitted
    assert unfitted == unfitted and vars(unfitted) == vars(scaler())


@every_scaler
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 4, 4)])
def test_a_checkpoint_keeps_the_scaler(scaler, shape, tmp_path):
    x = np.random.default_rng(0).normal(size=shape)
    fitted = scaler().fit(x)
    write_arrays(tmp_path / "scaler", fitted.arrays())
    again = scaler.from_arrays(read_arrays(tmp_path / "scaler")[0])
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))


@every_scaler
def test_transform_does_not_touch_its_input(scaler):
    x = np.random.default_rng(0).normal(size=(4, 3))
    before = x.copy()
    fitted = scaler().fit(x)
    fitted.inverse(fitted.transform(x))
    np.testing.assert_array_equal(x, before)
