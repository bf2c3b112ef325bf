"""What the numbers tell of a loss: its value for each sample, and where it cancels with the output layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import Tensor
from chainrule.glass.explanation.run import Run, kind, mark
from chainrule.glass.record import Call
from chainrule.ops import one_hot, sigmoid, softmax

EXACT = 1e-9
"""Two ways to one number in float64; a coincidence to nine digits is not to be expected."""


@dataclass(frozen=True)
class Shortcut:
    """The output delta as c (Ŷ − Y), with Ŷ = f(Z): where loss and output function cancel.

    `pre_activation` is Z. f is the layer `last`, or `function` inside the loss, or neither for a linear
    output. c is written `before` and `behind` the bracket: 2 (Ŷ − Y)/m.
    """

    pre_activation: Tensor
    last: Call | None
    function: str
    prediction: np.ndarray
    target: np.ndarray
    before: str
    behind: str

    @property
    def inside_loss(self) -> bool:
        """Whether the loss takes logits and computes the prediction by itself."""
        return self.last is None and self.function != ""


def by_sample(run: Run) -> tuple[np.ndarray, str] | None:
    """The loss of each sample alone, and whether the batch's is their "mean" or "sum"; None if neither.

    Where every step of a sequence has a prediction, the steps are the samples.
    """
    return _by_row(run, *run.rows) or _by_row(run, run.prediction.data, run.y)


def _by_row(run: Run, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, str] | None:
    one = (slice(i, i + 1) for i in range(len(prediction)))
    try:
        own = np.array([float(run.loss_function(Tensor(prediction[i]), target[i]).data) for i in one])
    except (ChainruleError, IndexError, TypeError, ValueError):
        return None
    total = float(run.loss.data)
    scale = EXACT * max(1.0, abs(total))
    if abs(own.mean() - total) <= scale:
        return own, "mean"
    return (own, "sum") if abs(own.sum() - total) <= scale else None


def shortcut(run: Run) -> Shortcut | None:
    """The cancellation of loss and output function, where the numbers show that it holds.

    Sigmoid with binary cross-entropy and softmax with cross-entropy give Ŷ − Y, from probabilities and from
    logits alike, as does the half-squared error of a linear output. 000 (5.23)-(5.31).
    """
    last = run.producer.get(mark(run.prediction))
    if last is None or run.rows[0].ndim != 2:
        return None
    below = run.producer.get(mark(last.inputs[0]))
    if kind(last) == "linear":
        candidates = _outputs(run.rows[0])
        return _matching(run, run.prediction, None, candidates)
    if kind(last) in ("activation", "softmax") and below is not None and kind(below) == "linear":
        return _matching(run, below.output, last, [("", run.rows[0])])
    return None


def _outputs(z: np.ndarray) -> list[tuple[str, Any]]:
    """What a loss may make of the last layer's result: it is the prediction itself, or its logits."""
    return [("", z), (r"\sigma", sigmoid(z)), (r"\operatorname{softmax}", softmax(z))]


def _matching(run: Run, z: Tensor, last: Call | None, outputs: list[tuple[str, Any]]) -> Shortcut | None:
    delta = run.gradient(z).reshape(run.rows[0].shape)
    for function, prediction in outputs:
        target = _target(run.rows[1], prediction)
        if target is None:
            continue
        for c, before, behind in _factors(*prediction.shape):
            if np.allclose(delta, c * (prediction - target), rtol=EXACT, atol=EXACT):
                return Shortcut(z, last, function, np.asarray(prediction), target, before, behind)
    return None


def _factors(m: int, k: int) -> list[tuple[float, str, str]]:
    """The factors that losses give the error, and how each is written before and behind the bracket."""
    found: dict[float, tuple[str, str]] = {}
    for numerator, written in ((1, ""), (2, "2 ")):
        for denominator in (m, 1, m * k, k):
            behind = f"/{denominator}" if denominator != 1 else ""
            found.setdefault(numerator / denominator, (written, behind))
    return [(c, before, behind) for c, (before, behind) in found.items()]


def _target(y: Any, prediction: np.ndarray) -> np.ndarray | None:
    """The target in the shape of the prediction, labels as one-hot rows; None where it has another shape."""
    y = np.asarray(y)
    if y.shape == prediction.shape:
        return y.astype(np.float64)
    labels = y.ndim == 1 and len(y) == len(prediction) and y.dtype.kind in "iu"
    if labels and prediction.shape[1] > 1 and y.min() >= 0 and y.max() < prediction.shape[1]:
        return np.asarray(one_hot(y, prediction.shape[1], np.float64))
    return None
