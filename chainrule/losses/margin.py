"""Losses of the signed score t z, for labels −1 and +1: hinge, and the perceptron's criterion."""

from __future__ import annotations

from typing import Any

from chainrule.losses.pairs import paired
from chainrule.losses.ranges import check_signs
from chainrule.losses.reduction import Reduction, over_entries
from chainrule.losses.registry import loss
from chainrule.ops import relu, where


@loss("hinge", r"\ell = \max(0, 1 - t z)", r"\partial\ell/\partial z = -t\,[t z < 1]", "signs")
def hinge(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Hinge loss: how far each score falls short of a margin of one.

        ℓ = max(0, 1 − t z)        ∂ℓ/∂z = −t where t z < 1, else 0 (also at t z = 1)

    The loss of the support vector machine (Cortes & Vapnik 1995). Mean over all entries.
    Shapes: scores and targets −1/+1 both (n, k) or (n,).

    Raises:
        ShapeError: the shapes differ.
        DataError: a target that is neither −1 nor +1.

    >>> import numpy as np
    >>> hinge(np.array([2.0, 0.5, -1.0]), [1, 1, 1], reduction="none")
    array([0. , 0.5, 2. ])
    """
    z, t = paired("hinge", prediction, target)
    check_signs("hinge", t)
    return over_entries(relu(1 - t * z), reduction)


@loss("perceptron", r"\ell = \max(0, -t z)", r"\partial\ell/\partial z = -t\,[t z \le 0]", "signs")
def perceptron_criterion(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Perceptron criterion: minus the signed score of every mistake.

        ℓ = −t z where t z ≤ 0, else 0        ∂ℓ/∂z = −t where t z ≤ 0, else 0

    A score of 0 is a mistake, as in 000 (2.10) and Listing 1 of 004 §2.6, so its derivative is −t: with the
    strict inequality in 004's definition of M, weights that start at zero would never move.
    `reduction="sum"` is 004's D, and a gradient step on it the perceptron's batch rule.
    Shapes: scores and targets −1/+1 both (n, k) or (n,).

    Raises:
        ShapeError: the shapes differ.
        DataError: a target that is neither −1 nor +1.

    >>> import numpy as np
    >>> perceptron_criterion(np.array([2.0, 0.5, -1.0]), [1, -1, 1], reduction="none")
    array([0. , 0.5, 1. ])
    """
    z, t = paired("perceptron_criterion", prediction, target)
    check_signs("perceptron_criterion", t)
    score = t * z
    return over_entries(where(score <= 0, -score, 0.0), reduction)
