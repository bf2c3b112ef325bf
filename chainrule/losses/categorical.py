"""Losses for one class of several: cross-entropy from logits; from log-probabilities NLL and KL divergence.

Classes stand on the last axis, and every row before it is an example: (n, classes), (n, time, classes).
"""

from __future__ import annotations

from typing import Any

from chainrule.backends import kind_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.losses.pairs import matching, mismatch, paired, predicted
from chainrule.losses.ranges import check_distributions, check_labels, check_log_probabilities
from chainrule.losses.reduction import Reduction, over_entries
from chainrule.losses.registry import loss
from chainrule.ops import log, log_softmax, sum, where
from chainrule.ops.cross_entropy import pick, softmax_cross_entropy
from chainrule.ops.operands import operand


@loss(
    "cross-entropy",
    r"\ell = -\sum_k t_k \ln p_k,\; p = \operatorname{softmax} z",
    r"\partial\ell/\partial z = p - t",
    "labels",
)
def cross_entropy(prediction: Any, target: Any, *, label_smoothing: float = 0.0, reduction: Reduction = "mean") -> Any:
    """Cross-entropy of the probabilities softmax(z), from the logits z.

        ℓ = −Σₖ tₖ ln softmax(z)ₖ = ln Σₖ e^(zₖ) − z_c for the class c        ∂ℓ/∂z = softmax(z) − t

    Targets are integer labels (n,), or rows (n, classes) that sum to one: one-hot or probabilities.
    `label_smoothing` ε takes (1 − ε) t + ε/K for t, with K classes (Szegedy et al. 2016). Mean over the
    examples, in nats. 000 (4.10)-(4.18), (11.4)-(11.5), 004 (24)-(26).
    Shapes: logits (n, classes), or any axes before the classes.

    Raises:
        ShapeError: labels or rows that do not fit the logits, or a single logit.
        DtypeError: labels that are floats.
        DataError: a label that is no class, rows that are no probabilities.
        OptionError: `label_smoothing` outside [0, 1].

    >>> import numpy as np
    >>> cross_entropy(np.array([[2.0, 1.0, 0.1], [1000.0, 999.0, 0.0]]), [0, 1], reduction="none").round(5)
    array([0.41703, 1.31326])
    """
    z, t = predicted("cross_entropy", prediction), operand(target)
    check_smoothing(label_smoothing)
    if rows_of("cross_entropy", operand(prediction), t):
        t = matching(t, z)
        check_distributions("cross_entropy", t)
        return over_entries(_soft(z, t, label_smoothing), reduction)
    check_labels("cross_entropy", t, z.shape[-1])
    if not label_smoothing:
        return over_entries(softmax_cross_entropy(z, t), reduction)
    log_p = log_softmax(z)
    uniform = sum(log_p, axis=-1) * (label_smoothing / z.shape[-1])
    return over_entries(-(pick(log_p, t) * (1 - label_smoothing) + uniform), reduction)


def _soft(z: Any, t: Any, label_smoothing: float) -> Any:
    """−Σₖ tₖ ln softmax(z)ₖ for rows of probabilities."""
    if label_smoothing:
        t = t * (1 - label_smoothing) + label_smoothing / z.shape[-1]
    return -sum(t * log_softmax(z), axis=-1)


@loss("nll", r"\ell = -y_t", r"\partial\ell/\partial y_k = -[k = t]", "labels")
def nll(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Negative log-likelihood of the labels, from log-probabilities y = ln p.

        ℓ = −y_t        ∂ℓ/∂yₖ = −[k = t]

    `nll(log_softmax(z), t)` equals `cross_entropy(z, t)`. Mean over the examples; 004 §2.5 sums.
    Shapes: log-probabilities (n, classes), integer labels (n,).

    Raises:
        ShapeError: labels that do not fit, or a single class.
        DtypeError: labels that are floats.
        DataError: a label that is no class, a log-probability above 0.

    >>> import numpy as np
    >>> round(float(nll(np.log([[0.7, 0.1, 0.2]]), [0])), 6)
    0.356675
    """
    y, t = predicted("nll", prediction), operand(target)
    if rows_of("nll", operand(prediction), t):
        fix = "target.argmax(axis=-1) for one-hot rows, kl_divergence for probabilities"
        raise ShapeError(f"nll takes one label for each example, got {tuple(t.shape)}.", fix=fix)
    check_log_probabilities("nll", y)
    check_labels("nll", t, y.shape[-1])
    return over_entries(-pick(y, t), reduction)


@loss("kl", r"\ell = \sum_k t_k (\ln t_k - y_k)", r"\partial\ell/\partial y = -t", "labels")
def kl_divergence(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Kullback-Leibler divergence KL(t ‖ q) of target probabilities t from log-probabilities y = ln q.

        ℓ = Σₖ tₖ (ln tₖ − yₖ)        ∂ℓ/∂y = −t

    0 ln 0 is 0, also where y is −∞. Mean over the examples, which PyTorch calls "batchmean".
    Shapes: both (n, classes); "none" gives (n,).

    Raises:
        ShapeError: the shapes differ.
        DataError: target rows that are no probabilities, a log-probability above 0.

    >>> import numpy as np
    >>> round(float(kl_divergence(np.log([[0.5, 0.5]]), [[1.0, 0.0]])), 6)
    0.693147
    """
    y, t = paired("kl_divergence", prediction, target)
    if not t.shape:
        raise ShapeError("kl_divergence compares rows of probabilities, got numbers.")
    check_distributions("kl_divergence", t)
    check_log_probabilities("kl_divergence", y)
    possible = t > 0
    terms = t * (log(where(possible, t, 1.0)) - where(possible, y, 0.0))
    return over_entries(sum(terms, axis=-1), reduction)


def rows_of(loss: str, prediction: Any, target: Any) -> bool:
    """Whether the target gives a row of probabilities for each example, rather than a label.

    Raises:
        ShapeError: it is neither, or there is one class only.
    """
    y, t = tuple(prediction.shape), tuple(target.shape)
    if kind_of(prediction) in "iu" and t[:-1] == y and t and kind_of(target) == "f":
        raise ShapeError(
            f"{loss} takes the prediction first, then the target; got labels {y} and then scores {t}.",
            fix=f"{loss}(prediction, target): the two look swapped",
        )
    if not y or y[-1] < 2:
        fix = "binary_cross_entropy_with_logits, if one output tells two classes apart"
        raise ShapeError(f"{loss} needs at least two classes, got predictions {y}.", fix=fix)
    if t == y[:-1]:
        return False
    if t == y:
        return True
    if t == (*y[:-1], 1):
        raise ShapeError(
            f"{loss} takes labels {y[:-1]} for predictions {y}, got {t}.",
            fix=f"target.reshape{y[:-1]}",
        )
    if len(t) == len(y):
        raise mismatch(loss, y, t)
    raise ShapeError(
        f"{loss} takes labels {y[:-1]} or probabilities {y} for predictions {y}, got {t}.",
        fix=_classes_last(y, t),
    )


def _classes_last(y: tuple[int, ...], t: tuple[int, ...]) -> str:
    if len(y) > 2 and t == (y[0], *y[2:]):
        axes = ", ".join(map(str, (0, *range(2, len(y)), 1)))
        return f"prediction.transpose({axes}): classes are the last axis here, not axis 1 as in PyTorch"
    return "classes on the last axis of the prediction, one target for each of its rows"


def check_smoothing(label_smoothing: float) -> None:
    """The weight of the uniform distribution is a part of one.

    Raises:
        OptionError: it is not.
    """
    if not 0 <= label_smoothing <= 1:
        raise OptionError(f"label_smoothing is between 0 and 1, got {label_smoothing}.")
