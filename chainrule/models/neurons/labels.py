"""Two classes are written 0/1 or −1/+1; the geometry needs ±1, the user gets back what was given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import DataError, ShapeError


class SignedLabels(NamedTuple):
    """Labels as ±1 in float64 (n,), and how their two classes, negative then positive, were written."""

    signs: NDArray[np.float64]
    classes: NDArray[np.int64]


def signed_labels(owner: str, t: ArrayLike) -> SignedLabels:
    """Read labels 0/1 or −1/+1: t± = 2 t₀₁ − 1 (000, notation).

    The coding is inferred: any −1 means ±1, otherwise 0/1; so labels that are all 1 are read as 0/1.

    Raises:
        ShapeError: not one axis.
        DataError: any other label, or 0 and −1 together.

    >>> signed_labels("Perceptron", [0, 1, 1]).signs
    array([-1.,  1.,  1.])
    """
    labels = np.asarray(t)
    if labels.ndim != 1:
        raise ShapeError(f"{owner} expects one label per example, shape (examples,), got {labels.shape}.")
    classes = np.array([-1, 1]) if (labels == -1).any() else np.array([0, 1])
    if not (known := np.isin(labels, classes)).all():
        row = int(np.argmin(known))
        raise DataError(
            f"{owner} tells two classes apart, labelled 0/1 or -1/+1.",
            labels=", ".join(str(label) for label in np.unique(labels)[:10]),
            row=f"{row}, the first that does not fit {classes[0]}/{classes[1]}",
        )
    return SignedLabels(np.where(labels == 1, 1.0, -1.0), classes)
