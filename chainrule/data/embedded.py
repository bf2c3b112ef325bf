"""Small real data sets that come with scikit-learn: nothing to download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.data.dataset import Dataset, from_arrays


def digits() -> Dataset:
    """1,797 handwritten digits, 8 × 8 grey values in 0 .. 1, 10 classes (Alpaydin & Kaynak, 1998).

    >>> digits()
    Dataset('digits', 1797 examples, 64 features, 10 classes)
    """
    from sklearn.datasets import load_digits

    return classification("digits", load_digits(), unit=16)  # grey values count 0 .. 16


def iris() -> Dataset:
    """150 iris flowers, 4 lengths in cm, 3 species (Fisher, 1936)."""
    from sklearn.datasets import load_iris

    return classification("iris", load_iris())


def wine() -> Dataset:
    """178 wines, 13 chemical measurements, 3 growers (Aeberhard & Forina, 1992)."""
    from sklearn.datasets import load_wine

    return classification("wine", load_wine())


def breast_cancer() -> Dataset:
    """569 tumours, 30 measurements of cell nuclei, malignant (0) or benign (1) (Wolberg et al., 1995)."""
    from sklearn.datasets import load_breast_cancer

    return classification("breast_cancer", load_breast_cancer())


def diabetes() -> Dataset:
    """442 patients, 10 measurements, progress of the disease after a year (Efron et al., 2004).

    The measurements are in their own units: scikit-learn's scaled form uses statistics of all patients,
    those of a later test part too.
    """
    from sklearn.datasets import load_diabetes

    bunch: Any = load_diabetes(scaled=False)
    x, y = bunch.data.astype(np.float32), bunch.target.astype(np.float32)
    return from_arrays(x, y, name="diabetes", task="regression", feature_names=bunch.feature_names)


def classification(name: str, bunch: Any, unit: float = 1) -> Dataset:
    """A data set from what scikit-learn loads; float32 holds more digits than were measured."""
    return from_arrays(
        (np.asarray(bunch.data) / unit).astype(np.float32),
        bunch.target,
        name=name,
        feature_names=[str(feature) for feature in bunch.feature_names],
        class_names=[str(label) for label in bunch.target_names],
    )


EMBEDDED: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "iris": iris,
    "wine": wine,
    "breast_cancer": breast_cancer,
    "diabetes": diabetes,
}
