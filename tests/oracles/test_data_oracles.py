"""scikit-learn, pandas and the published counts agree."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.data import EMBEDDED, MinMax, Standardize, mnist, read_csv, split
from chainrule.data.mnist import CHECKSUMS

EPS32 = 2e-5  # features of up to 4e3 in float32 (6e-8 a rounding), divided by a deviation of up to 6e2
EPS64 = 1e-12  # a few roundings of 2e-16, times the ratio of mean to deviation

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(("dtype", "eps"), [(np.float32, EPS32), (np.float64, EPS64)])
@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.parametrize(("ours", "theirs"), [(Standardize, "StandardScaler"), (MinMax, "MinMaxScaler")])
def test_scalers_agree_with_scikit_learn(ours, theirs, name, dtype, eps):
    from sklearn import preprocessing

    parts = split(EMBEDDED[name]())
    train, test = parts.train.x.astype(dtype), parts.test.x.astype(dtype)
    varied = np.ptp(train, axis=0) > 0  # scikit-learn lets new values of a constant column through
    scaler = ours().fit(train)
    oracle = getattr(preprocessing, theirs)().fit(train.astype(np.float64))
    for x in (train, test):
        expected = oracle.transform(x.astype(np.float64))
        np.testing.assert_allclose(scaler.transform(x)[:, varied], expected[:, varied], rtol=eps, atol=eps)


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_strata_are_as_even_as_those_of_scikit_learn(name):
    from sklearn.model_selection import train_test_split

    data = EMBEDDED[name]()
    ours = np.bincount(split(data).test.y)
    _, labels = train_test_split(data.y, test_size=0.15, stratify=data.y, random_state=0)
    assert np.abs(ours - np.bincount(labels)).max() <= 1


@pytest.mark.parametrize(
    ("file", "target", "task"),
    [
        ("tabular/iris.csv", "species", "classification"),
        ("tabular/winequality-red.csv", "quality", "classification"),
        ("tabular/winequality-white.csv", "quality", "classification"),
        ("isl/Boston.csv", "medv", "regression"),
    ],
)
def test_csv_agrees_with_pandas(shared_data, file, target, task):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(shared_data / file, sep=None, engine="python")
    data = read_csv(shared_data / file, target)
    assert data.task == task
    assert data.feature_names == tuple(frame.columns.drop(target))
    np.testing.assert_array_equal(data.x, frame.drop(columns=target).to_numpy(np.float64))
    if task == "classification":
        assert [data.class_names[label] for label in data.y] == frame[target].astype(str).to_list()
    else:
        np.testing.assert_array_equal(data.y, frame[target].to_numpy(np.float64))


def test_mnist_has_the_published_counts(shared_data):
    train, test = mnist(shared_data / "mnist")
    assert (train.x.shape, test.x.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(train.y).tolist() == TRAIN_COUNTS
    assert np.bincount(test.y).tolist() == TEST_COUNTS
    means = [255 * part.x.mean(dtype=np.float64) for part in (train, test)]
    np.testing.assert_allclose(means, [33.3184, 33.7912], atol=5e-5)  # published to four decimals
    assert (train.x.min(), train.x.max()) == (0, 1)


def test_mnist_has_the_published_checksums(shared_data):
    from hashlib import sha256

    for name, checksum in CHECKSUMS.items():
        assert sha256((shared_data / "mnist" / name).read_bytes()).hexdigest() == checksum
