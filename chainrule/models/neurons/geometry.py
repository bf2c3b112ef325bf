"""The geometry of a linear unit: signed distance, margin, and how many mistakes learning can cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import DataError, ShapeError
from chainrule.models.neurons.labels import signed_labels
from chainrule.models.neurons.unit import check_lengths, checked_inputs


def signed_distance(w: ArrayLike, b: float, x: ArrayLike) -> NDArray[np.float64]:
    """The distance of x from the hyperplane w·x + b = 0, positive on the side that w points to.

        d(x) = (w·x + b) / ‖w‖

    `w` is (features,), `x` (..., features), the result (...), in units of x. Scaling (w, b) by α > 0
    leaves it as it is. 000 (2.7); 004 §2.6.

    Raises:
        ShapeError: x and w differ in the number of features.
        DataError: w is zero, so there is no hyperplane.

    >>> float(signed_distance([3, 4], -5, [3, 4]))
    4.0
    """
    weight, points = np.asarray(w, dtype=np.float64), np.asarray(x, dtype=np.float64)
    if weight.ndim != 1 or points.ndim == 0 or points.shape[-1] != len(weight):
        raise ShapeError(
            "signed_distance needs w (features,) and x (..., features) with the same features.",
            w=weight.shape,
            x=points.shape,
        )
    if not weight.any():
        raise DataError("signed_distance needs a hyperplane, and w = 0 gives none.", w=weight.shape)
    length = np.linalg.norm(weight)
    return np.asarray(points @ (weight / length) + b / length)


def margin(w: ArrayLike, b: float, x: ArrayLike, t: ArrayLike) -> float:
    """The distance from the hyperplane to the nearest example, negative if any lies on the wrong side.

        γ = minᵢ tᵢ (w·xᵢ + b) / ‖w‖        (tᵢ = ±1)

    Inputs (examples, features), labels 0/1 or ±1. 000 (2.14).

    Raises:
        ShapeError: sizes that do not fit together.
        DataError: no examples, numbers that are not finite, other labels, or w = 0.

    >>> margin([1], 0, [[1], [-1]], [1, -1])
    1.0
    """
    inputs, labels = checked_inputs("margin", x), signed_labels("margin", t)
    check_lengths("margin", inputs, labels.signs)
    return float((labels.signs * signed_distance(w, b, inputs)).min())


def mistake_bound(x: ArrayLike, t: ArrayLike, w: ArrayLike, b: float) -> float:
    """The most corrections a `Perceptron` can need on (x, t), proved by any (w, b) that separates them.

        M ≤ (R̃ / γ̃)²,   R̃ = maxᵢ ‖x̃ᵢ‖,   γ̃ = minᵢ tᵢ w̃·x̃ᵢ / ‖w̃‖,   x̃ = [x, 1],   w̃ = [w, b]

    It holds for zero initial weights, every learning rate and every order. With η = 1 each correction
    adds at least γ̃ to the learner's projection on w̃ / ‖w̃‖ and at most R̃² to its squared length, and a
    projection cannot exceed a length. The vectors are augmented because the bias is learnt: with R and γ of x
    alone the bound is false (000 (2.15): for the points ±1 it gives 1, and learning takes 2).
    Novikoff (1962), Symp. Math. Theory of Automata 12, 615-622.

    Raises:
        ShapeError: sizes that do not fit together.
        DataError: no examples, numbers that are not finite, other labels, or (w, b) does not separate.

    >>> mistake_bound([[1], [-1]], [1, -1], w=[1], b=0)
    2.0
    """
    inputs = checked_inputs("mistake_bound", x)
    augmented = np.column_stack([inputs, np.ones(len(inputs))])
    separator = np.append(np.asarray(w, dtype=np.float64), b)
    if separator.any() and (gap := margin(separator, 0.0, augmented, t)) > 0:
        return float((augmented * augmented).sum(axis=1).max() / gap**2)
    raise DataError(
        "mistake_bound needs weights that separate the classes, and (w, b) does not.",
        w=separator[:-1].tolist(),
        b=b,
        fix="separating_hyperplane(x, t)",
    )
