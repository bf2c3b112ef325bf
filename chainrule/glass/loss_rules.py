"""What is said of a loss: its formula, its value sample by sample, and where it cancels with the output layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import Tensor
from chainrule.glass.run import Run, kind
from chainrule.glass.steps import Formula
from chainrule.ops import one_hot, sigmoid, softmax

EXACT = 1e-9
"""Two ways to one number in float64; a coincidence to nine digits is not to be expected."""


@dataclass(frozen=True)
class Shortcut:
    """The output delta as c (Ŷ − Y), with Ŷ = f(Z): where loss and output function cancel.

    `function` is the sign of f, empty for a linear output; `factor` is c and `factor_latex` how it is written
    behind the bracket.
    """

    function: str
    prediction: np.ndarray
    target: np.ndarray
    factor: float
    before: str
    behind: str


def formula(loss: Callable[..., Any], which: int = 0) -> str:
    """The LaTeX formula of a loss (0) or of its derivative (1), or an empty string."""
    latex = getattr(loss, "latex", ())
    return latex[which] if len(latex) > which else ""


def name(loss: Callable[..., Any]) -> str:
    """What a loss is called."""
    return getattr(loss, "__name__", type(loss).__name__)


def by_sample(run: Run) -> tuple[np.ndarray, str] | None:
    """The loss of each sample by itself, and whether the batch's is their "mean" or "sum"; None if neither."""
    y = run.y
    try:
        own = np.array([_one(run, i, y) for i in range(len(run.x.data))])
    except (ChainruleError, IndexError, TypeError, ValueError):
        return None
    total = float(run.loss.data)
    scale = EXACT * max(1.0, abs(total))
    if abs(own.mean() - total) <= scale:
        return own, "mean"
    return (own, "sum") if abs(own.sum() - total) <= scale else None


def _one(run: Run, i: int, y: Any) -> float:
    return float(run.loss_function(Tensor(run.prediction.data[i : i + 1]), y[i : i + 1]).data)


def shortcut(run: Run) -> Shortcut | None:
    """The cancellation of loss and output function, where the numbers show that it holds.

    Sigmoid with binary cross-entropy and softmax with cross-entropy give Ŷ − Y, from probabilities and from
    logits alike, as does the half-squared error of a linear output. 000 (5.23)-(5.31).
    """
    last = next((c for c in reversed(run.calls) if not c.passes), None)
    if last is None or run.prediction.ndim != 2:
        return None
    outputs: list[tuple[str, Any]] = []
    if kind(last) == "linear":
        z = run.prediction
        outputs = [("", z.data), (r"\sigma", sigmoid(z.data)), (r"\operatorname{softmax}", softmax(z.data))]
    elif kind(last) in ("activation", "softmax") and last.inputs[0] is not run.x:
        z, outputs = last.inputs[0], [("output", run.prediction.data)]
    else:
        return None
    delta, (m, k) = run.gradient(z), run.prediction.shape
    for function, prediction in outputs:
        target = _target(run.y, prediction)
        for c, before, behind in _factors(m, k) if target is not None else ():
            if np.allclose(delta, c * (prediction - target), rtol=EXACT, atol=EXACT):
                return Shortcut(function, np.asarray(prediction), target, c, before, behind)
    return None


def _factors(m: int, k: int) -> list[tuple[float, str, str]]:
    """The factors that losses put before the error, with how each is written before and behind the bracket."""
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


def with_numbers(loss: Callable[..., Any], y: Any, t: Any) -> Formula | None:
    """The formula of a well-known loss of one number with the numbers put in."""
    if np.size(y) != 1 or np.size(t) != 1:
        return None
    y, t = np.asarray(y, float).reshape(()), np.asarray(t, float).reshape(())
    cross_entropy = ("-[", t, r" \cdot \ln ", y, " + (1 - ", t, r") \cdot \ln(1 - ", y, ")]")
    return {
        "binary_cross_entropy": cross_entropy,
        "binary_cross_entropy_with_logits": (r"\ln(1 + e^z) - t z,\; z = ", y, r",\; t = ", t),
        "half_squared": (r"\tfrac12 (", y, "-", t, ")^2"),
        "mse": ("(", y, "-", t, ")^2"),
        "sse": ("(", y, "-", t, ")^2"),
    }.get(name(loss))
