"""Can one neuron tell two classes apart? A linear programme answers, and gives the neuron."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import NumericalError
from chainrule.models.neurons.labels import signed_labels
from chainrule.models.neurons.unit import check_lengths, checked_inputs

INFEASIBLE = 2  # scipy.optimize.linprog: no point satisfies the constraints


class Hyperplane(NamedTuple):
    """w·x + b = 0, with w (features,) pointing to the positive class."""

    weight: NDArray[np.float64]
    bias: float


def separating_hyperplane(x: ArrayLike, t: ArrayLike) -> Hyperplane | None:
    """A hyperplane with each class strictly on its own side, or None if there is none.

        minimise Σⱼ |wⱼ|   subject to   tᵢ (w·xᵢ + b) ≥ 1 for all i        (tᵢ = ±1)

    Classes are separable exactly if the constraints can be met, since any strict separation can be scaled up
    to ≥ 1. The objective picks, of all solutions, one with a large margin. Columns are standardised before
    and the answer is scaled back, for the sake of the solver's tolerances. Inputs (examples,
    features), labels 0/1 or ±1. One class alone is separated by the bias: w = 0. 004 §2.2.5, Definition 4.

    Raises:
        ShapeError: sizes that do not fit together.
        DataError: no examples, numbers that are not finite, or other labels.
        NumericalError: the solver could not decide.

    >>> separating_hyperplane([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
    Hyperplane(weight=array([2., 2.]), bias=-1.0)
    >>> separating_hyperplane([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]) is None
    True
    """
    inputs, labels = checked_inputs("separating_hyperplane", x), signed_labels("separating_hyperplane", t)
    check_lengths("separating_hyperplane", inputs, labels.signs)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    if (found := smallest_weights((inputs - mean) / scale, labels.signs)) is None:
        return None
    weight = found.weight / scale
    plane = Hyperplane(weight, float(found.bias - weight @ mean))
    if (labels.signs * (inputs @ plane.weight + plane.bias) > 0).all():
        return plane
    raise NumericalError("separating_hyperplane found a solution that rounding destroys: the margin is too small.")


def is_linearly_separable(x: ArrayLike, t: ArrayLike) -> bool:
    """Whether some w, b give w·x + b > 0 for one class and < 0 for the other, both strictly.

    Of the 16 Boolean functions of two inputs 14 are: all but XOR and XNOR. 004 §2.2.5, Definition 4.

    Raises:
        ShapeError: sizes that do not fit together.
        DataError: no examples, numbers that are not finite, or other labels.
        NumericalError: the solver could not decide.

    >>> is_linearly_separable([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    False
    """
    return separating_hyperplane(x, t) is not None


def smallest_weights(x: NDArray[np.float64], t: NDArray[np.float64]) -> Hyperplane | None:
    """Solve the programme in the variables w = u − v with u, v ≥ 0, and b free."""
    from scipy.optimize import linprog

    n, features = x.shape
    rows = -t[:, None] * np.hstack([x, -x, np.ones((n, 1))])
    cost = np.append(np.ones(2 * features), 0.0)
    bounds = [(0, None)] * (2 * features) + [(None, None)]
    solution = linprog(cost, A_ub=rows, b_ub=-np.ones(n), bounds=bounds, method="highs")
    if solution.status == INFEASIBLE:
        return None
    if not solution.success:
        raise NumericalError(f"separating_hyperplane could not decide: {solution.message}")
    u, v, b = solution.x[:features], solution.x[features:-1], solution.x[-1]
    return Hyperplane(u - v, float(b))
