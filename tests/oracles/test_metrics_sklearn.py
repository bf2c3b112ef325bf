"""Metrics agree with scikit-learn, SciPy and formulas written out by hand."""

import math

import numpy as np
import pytest
import scipy.stats
from sklearn import metrics as sk

import chainrule.metrics as cm
from chainrule.base.keys import Key

SAME = 1e-12  # the same float64 formula, perhaps summed in another order

RNG = (Key(11) / "metrics").generator()
T, Y = RNG.integers(0, 4, 200), RNG.integers(0, 4, 200)
T2, Y2, S2 = T % 2, Y % 2, np.round(RNG.standard_normal(200), 1)  # rounded, so that scores tie
P = RNG.dirichlet(np.ones(4), 200)
A, B = RNG.standard_normal((2, 200, 3))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (cm.accuracy(T, Y), sk.accuracy_score(T, Y)),
        (cm.error_rate(T, Y), sk.zero_one_loss(T, Y)),
        (cm.precision(T2, Y2), sk.precision_score(T2, Y2)),
        (cm.recall(T2, Y2), sk.recall_score(T2, Y2)),
        (cm.f1(T2, Y2), sk.f1_score(T2, Y2)),
        (cm.precision(T2, Y2, positive=0), sk.precision_score(T2, Y2, pos_label=0)),
        (cm.precision(T, Y, average="macro"), sk.precision_score(T, Y, average="macro")),
        (cm.recall(T, Y, average="weighted"), sk.recall_score(T, Y, average="weighted")),
        (cm.f1(T, Y, average="micro"), sk.f1_score(T, Y, average="micro")),
        (cm.roc_auc(T2, S2), sk.roc_auc_score(T2, S2)),
        (cm.roc_auc(T, P), sk.roc_auc_score(T, P, multi_class="ovr", average="macro")),
        (cm.log_loss(T, P), sk.log_loss(T, P)),
        (cm.log_loss(T2, P[:, 0]), sk.log_loss(T2, P[:, 0])),
        (cm.mse(A, B), sk.mean_squared_error(A, B)),
        (cm.mae(A, B), sk.mean_absolute_error(A, B)),
        (cm.r2(A, B), sk.r2_score(A, B)),
    ],
)
def test_scores(ours, theirs):
    assert isinstance(ours, float)
    assert ours == pytest.approx(theirs, abs=SAME)


def test_confusion_matrix():
    np.testing.assert_array_equal(cm.confusion_matrix(T, Y), sk.confusion_matrix(T, Y))
    by_hand = [[int(((i == T) & (j == Y)).sum()) for j in (3, 1, 0, 2)] for i in (3, 1, 0, 2)]
    np.testing.assert_array_equal(cm.confusion_matrix(T, Y, classes=[3, 1, 0, 2]), by_hand)


def test_formulas_by_hand():
    tp, fp, fn = ((T2 == 1) & (Y2 == 1)).sum(), ((T2 == 0) & (Y2 == 1)).sum(), ((T2 == 1) & (Y2 == 0)).sum()
    assert cm.precision(T2, Y2) == pytest.approx(tp / (tp + fp), abs=SAME)
    assert cm.recall(T2, Y2) == pytest.approx(tp / (tp + fn), abs=SAME)
    assert cm.f1(T2, Y2) == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=SAME)
    assert cm.log_loss(T, P) == pytest.approx(-np.log(P[np.arange(200), T]).mean(), abs=SAME)
    above = S2[T2 == 1][:, None] - S2[T2 == 0]
    assert cm.roc_auc(T2, S2) == pytest.approx(np.mean((above > 0) + 0.5 * (above == 0)), abs=SAME)


def test_scores_of_nothing_called_positive_are_zero():
    assert (cm.precision([0, 1], [0, 0]), cm.recall([0, 1], [0, 0]), cm.f1([0, 0], [0, 0])) == (0, 0, 0)


def test_labels_may_be_text():
    assert cm.recall(["cat", "dog", "dog"], ["cat", "cat", "dog"], positive="dog") == 0.5


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (3, 7), (978, 1000)])
def test_wilson_interval(successes, n, confidence):
    theirs = scipy.stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    ours = cm.wilson_interval(successes, n, confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=SAME)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_mean_interval(confidence):
    values = [0.971, 0.978, 0.983, 0.975, 0.980]
    theirs = scipy.stats.t.interval(confidence, 4, loc=np.mean(values), scale=scipy.stats.sem(values))
    ours = cm.mean_interval(values, confidence)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=SAME)


def test_mean_interval_by_the_printed_table():
    """Student's table: t = 4.303 for two degrees of freedom at 95 %."""
    ours = cm.mean_interval([1.0, 2.0, 3.0])
    assert ours.high - ours.estimate == pytest.approx(4.303 / math.sqrt(3), rel=1e-4)  # table: four digits
