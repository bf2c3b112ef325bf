"""The formulas of the losses with the numbers of one sample put in, as far as they give what the loss gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.glass.explanation.loss_formulas import name
from chainrule.glass.explanation.loss_rules import Shortcut
from chainrule.glass.explanation.rules import joined
from chainrule.glass.explanation.run import Run
from chainrule.glass.explanation.steps import Formula
from chainrule.ops import log_softmax

MOST = 3
"""Up to so many outputs of a sample are written out."""

SAME = 1e-9
"""Relative: the formula in float64 against the loss in float64, which may compute it in another order."""

Told = tuple[Formula, Any]
"""A formula with numbers, and what it gives."""


def with_numbers(run: Run, cut: Shortcut | None, i: int, value: float) -> Formula | None:
    """The loss of sample i with its numbers; None where it is too long, unknown, or is not what the loss gave.

    A loss with settings of its own, such as another δ of Huber's, gives another value and is not shown.
    """
    y, t = _of_sample(run.prediction.data, i), _of_sample(np.asarray(getattr(run.y, "data", run.y)), i)
    if y.size > MOST:
        return None
    told = _told(name(run.loss_function), y, t)
    same = told is not None and abs(float(told[1]) - value) <= SAME * max(1.0, abs(value))
    return told[0] if told is not None and same else None


def _of_sample(array: np.ndarray, i: int) -> np.ndarray:
    return array[i].reshape(-1)


def _told(loss: str, y: np.ndarray, t: np.ndarray) -> Told | None:
    if loss in OF_CLASSES:
        known = t.size in (1, y.size)
        return OF_CLASSES[loss](y, _distribution(t, y.size)) if known and y.size > 1 else None
    if loss not in OF_OUTPUTS or t.size != y.size:
        return None
    term, how = OF_OUTPUTS[loss]
    formulas, values = zip(*map(term, y, t), strict=True)
    before, factor = _factor(how, y.size)
    inside = joined("+", formulas)
    if before == "-":
        written = ("-[", *inside, "]")
    elif before:
        written = (f"{before} ", "[", *inside, "]") if y.size > 1 else (f"{before} ", *inside)
    else:
        written = inside
    return written, factor * sum(values)


def _factor(how: str, k: int) -> tuple[str, float]:
    """What stands before the sum over the k outputs, and its number."""
    share = rf"\tfrac1{k}" if k > 1 else ""
    return {"sum": ("", 1.0), "half": (r"\tfrac12", 0.5), "mean": (share, 1 / k), "-mean": (f"-{share}", -1 / k)}[how]


def _distribution(t: np.ndarray, k: int) -> np.ndarray:
    """A label as a row with one 1; a row as it is."""
    return np.eye(k)[int(t[0])] if t.size == 1 else t


# One output of a sample: the prediction y, or the logit or score z, and its target t.


def _squared(y: Any, t: Any) -> Told:
    return ("(", y, "-", t, ")^2"), (y - t) ** 2


def _absolute(y: Any, t: Any) -> Told:
    return ("|", y, "-", t, "|"), abs(y - t)


def _huber(y: Any, t: Any) -> Told:
    """With δ = 1."""
    if abs(y - t) <= 1:
        return (r"\tfrac12 ", "(", y, "-", t, ")^2"), 0.5 * (y - t) ** 2
    return ("(|", y, "-", t, r"| - \tfrac12)"), abs(y - t) - 0.5


def _bernoulli(y: Any, t: Any) -> Told:
    """Without its minus, which stands before all."""
    value = sum(share * np.log(p) for share, p in ((t, y), (1 - t, 1 - y)) if share)
    return (t, r" \cdot \ln ", y, " + (1 - ", t, r") \cdot \ln(1 - ", y, ")"), value


def _bernoulli_of_logit(z: Any, t: Any) -> Told:
    return (r"\ln(1 + \exp(", z, "))", "-", t, r"\cdot", z), np.logaddexp(0, z) - t * z


def _hinge(z: Any, t: Any) -> Told:
    return (r"\max(0, 1", "-", t, r"\cdot", z, ")"), max(0.0, 1 - t * z)


def _perceptron(z: Any, t: Any) -> Told:
    return (r"\max(0, -", t, r"\cdot", z, ")"), max(0.0, -t * z)


# All classes of a sample: logits or log-probabilities y, and the target's probabilities t.


def _cross_entropy(z: np.ndarray, t: np.ndarray) -> Told:
    log_p = np.asarray(log_softmax(z))
    return _logarithms(np.exp(log_p), t), -(t @ log_p)


def _logarithms(p: np.ndarray, t: np.ndarray) -> Formula:
    """−ln p of the class, or −[t₁ ln p₁ + ...]."""
    if sorted(t) == [0] * (t.size - 1) + [1]:
        return (r"-\ln ", p[t == 1][0])
    terms = joined("+", [(share, r" \cdot \ln ", chance) for share, chance in zip(t, p, strict=True)])
    return ("-[", *terms, "]")


def _likelihood(y: np.ndarray, t: np.ndarray) -> Told:
    return ("-(", y[t == 1][0], ")"), -y[t == 1][0]


def _divergence(y: np.ndarray, t: np.ndarray) -> Told:
    shares = [(share, log_q) for share, log_q in zip(t, y, strict=True) if share]
    terms = joined("+", [(share, r" \cdot (\ln ", share, "-", log_q, ")") for share, log_q in shares])
    return terms, sum(share * (np.log(share) - log_q) for share, log_q in shares)


OF_OUTPUTS: dict[str, tuple[Callable[[Any, Any], Told], str]] = {
    "sse": (_squared, "sum"),
    "mse": (_squared, "mean"),
    "half_squared": (_squared, "half"),
    "mae": (_absolute, "mean"),
    "huber": (_huber, "mean"),
    "binary_cross_entropy": (_bernoulli, "-mean"),
    "binary_cross_entropy_with_logits": (_bernoulli_of_logit, "mean"),
    "hinge": (_hinge, "mean"),
    "perceptron_criterion": (_perceptron, "mean"),
}
"""Losses that compare output by output, and how those become the loss of the sample."""

OF_CLASSES: dict[str, Callable[[np.ndarray, np.ndarray], Told]] = {
    "cross_entropy": _cross_entropy,
    "nll": _likelihood,
    "kl_divergence": _divergence,
}
"""Losses that compare all classes together."""
