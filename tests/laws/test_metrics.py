"""What scores and intervals obey whatever the data."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.metrics import (
    accuracy,
    confusion_matrix,
    error_rate,
    f1,
    mae,
    mean_interval,
    mse,
    precision,
    r2,
    recall,
    roc_auc,
    wilson_interval,
)

ROUNDING = 1e-9  # sums of at most a few hundred float64 numbers
labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50)
counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.floats(0.5, 0.999)


@given(labels)
def test_accuracy_error_rate_and_confusion_agree(pairs):
    t, y = np.array(pairs).T
    counted = confusion_matrix(t, y)
    assert counted.sum() == len(t)
    assert accuracy(t, y) == pytest.approx(np.trace(counted) / len(t))
    assert accuracy(t, y) + error_rate(t, y) == pytest.approx(1)


@given(labels)
def test_exchanging_targets_and_predictions_exchanges_precision_and_recall(pairs):
    t, y = np.array(pairs).T
    assert precision(t, y, average="macro") == pytest.approx(recall(y, t, average="macro"))
    assert f1(t, y, average="macro") == pytest.approx(f1(y, t, average="macro"))
    assert precision(t, y, average="micro") == pytest.approx(accuracy(t, y))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=40), st.floats(0.1, 5))
def test_ranking_ignores_the_scale_of_scores_and_their_sign_mirrors_it(scores, scale):
    s = np.round(scores, 3)
    t = np.arange(len(s)) % 2
    assert roc_auc(t, scale * s) == pytest.approx(roc_auc(t, s))
    assert roc_auc(t, -s) == pytest.approx(1 - roc_auc(t, s))


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40, unique_by=lambda value: round(value, 2)))
def test_perfect_predictions_and_the_mean(values):
    t = np.array(values)
    assert (mse(t, t), mae(t, t), r2(t, t)) == (0, 0, 1)
    assert r2(t, np.full_like(t, t.mean())) == pytest.approx(0, abs=ROUNDING)
    assert mae(t, t + 2) ** 2 == pytest.approx(mse(t, t + 2))


@given(counts, confidences)
def test_wilson_contains_the_estimate_and_stays_a_proportion(drawn, confidence):
    successes, n = drawn
    interval = wilson_interval(successes, n, confidence)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.estimate == successes / n
    assert interval.low < interval.high


@given(counts, confidences, st.integers(2, 10))
def test_wilson_shrinks_with_the_sample_and_grows_with_confidence(drawn, confidence, factor):
    successes, n = drawn
    interval = wilson_interval(successes, n, confidence)
    larger = wilson_interval(factor * successes, factor * n, confidence)
    surer = wilson_interval(successes, n, (1 + confidence) / 2)
    assert larger.high - larger.low < interval.high - interval.low < surer.high - surer.low


@given(counts, confidences)
def test_wilson_of_failures_mirrors_that_of_successes(drawn, confidence):
    successes, n = drawn
    interval, mirror = (
        wilson_interval(successes, n, confidence),
        wilson_interval(n - successes, n, confidence),
    )
    assert mirror.low == pytest.approx(1 - interval.high, abs=ROUNDING)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), confidences)
def test_mean_interval_contains_the_mean_and_shrinks_with_repetition(values, confidence):
    interval = mean_interval(values, confidence)
    repeated = mean_interval(values * 3, confidence)
    assert interval.low <= interval.estimate <= interval.high
    assert repeated.high - repeated.low <= interval.high - interval.low + ROUNDING


def test_one_value_gives_no_interval():
    interval = mean_interval([0.978])
    assert interval.estimate == 0.978
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (str(wilson_interval(489, 500)), "97.8 % (96.1 to 98.8)"),
        (f"{wilson_interval(489, 500)}", "97.8 % (96.1 to 98.8)"),
        (f"{wilson_interval(489, 500):.3f}", "0.978 (0.961 to 0.988)"),
        (str(mean_interval([0.978])), "97.8 % (one value, no interval)"),
        (f"{mean_interval([0.431]):.3f}", "0.431 (one value, no interval)"),
    ],
)
def test_how_an_interval_prints(text, expected):
    assert text == expected
