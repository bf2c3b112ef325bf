"""Binary cross-entropy, from logits and from probabilities."""

from __future__ import annotations

from typing import Any

from chainrule.losses.pairs import paired
from chainrule.losses.ranges import check_probabilities
from chainrule.losses.reduction import Reduction, over_entries
from chainrule.losses.registry import loss
from chainrule.ops.cross_entropy import clamped_log, sigmoid_cross_entropy

SIGNED = "(target + 1) / 2, if the labels are -1 and +1"


@loss("bce", r"\ell = \ln(1 + e^z) - t z", r"\partial\ell/\partial z = \sigma(z) - t", "probabilities")
def binary_cross_entropy_with_logits(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Binary cross-entropy of the probability σ(z), from the logit z.

        ℓ = −[t ln σ(z) + (1 − t) ln(1 − σ(z))] = ln(1 + eᶻ) − t z        ∂ℓ/∂z = σ(z) − t

    Sigmoid and logarithm cancel, so any logit is safe. 000 (4.6)-(4.8), 004 (21)-(22). Mean over all entries.
    Shapes: logits and targets in [0, 1] both (n, k) or (n,); natural logarithm, so nats.

    Raises:
        ShapeError: the shapes differ.
        DataError: a target outside [0, 1].

    >>> import numpy as np
    >>> binary_cross_entropy_with_logits(np.array([1000.0, 0.0, -1000.0]), [1, 1, 1], reduction="none")
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    z, t = paired("binary_cross_entropy_with_logits", prediction, target)
    check_probabilities("binary_cross_entropy_with_logits", "targets", t, SIGNED)
    return over_entries(sigmoid_cross_entropy(z, t), reduction)


@loss(
    "bce-probabilities",
    r"\ell = -[t \ln y + (1 - t) \ln(1 - y)]",
    r"\partial\ell/\partial y = \dfrac{y - t}{y (1 - y)}",
    "probabilities",
)
def binary_cross_entropy(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Binary cross-entropy of probabilities, as a sigmoid layer gives them.

        ℓ = −[t ln y + (1 − t) ln(1 − y)]        ∂ℓ/∂y = (y − t) / (y (1 − y))

    Logarithms stop at −100 and 1/y at 10¹², as in PyTorch: a wrong y of exactly 0 or 1 costs 100.
    From logits use `binary_cross_entropy_with_logits`, which is exact there. 000 (4.5), (4.7), 004 (21).
    Mean over all entries. Shapes: probabilities and targets in [0, 1] both (n, k) or (n,).

    Raises:
        ShapeError: the shapes differ.
        DataError: a probability or a target outside [0, 1].

    >>> import numpy as np
    >>> round(float(binary_cross_entropy(np.array([0.9, 0.2, 0.4, 0.6]), [1, 0, 1, 0])), 6)
    0.540271
    """
    y, t = paired("binary_cross_entropy", prediction, target)
    fix = "binary_cross_entropy_with_logits, if the network ends without a sigmoid"
    check_probabilities("binary_cross_entropy", "probabilities", y, fix)
    check_probabilities("binary_cross_entropy", "targets", t, SIGNED)
    return over_entries(-(t * clamped_log(y) + (1 - t) * clamped_log(1 - y)), reduction)
