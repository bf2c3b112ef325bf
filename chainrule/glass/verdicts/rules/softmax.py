"""Probabilities given to a loss that makes probabilities of what it is given: a softmax too many, or another squashing.

A softmax before a softmax is "softmax applied twice". Where either of the two is a sigmoid, no softmax is applied
twice: the loss takes logits, which are any numbers, and gets numbers in [0, 1], so the loss does not fit the output.
"""

from __future__ import annotations

import numpy as np

from chainrule import losses, ops
from chainrule.core import no_grad
from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.standing import SAME, loss_value
from chainrule.glass.verdicts.verdict import Verdict


def softmax_twice(case: Case) -> Verdict | None:
    """The outputs of a softmax are given to a loss that applies one, or the loss applies two."""
    found = _probabilities(case)
    if found is None or found[:2] != ("softmax", "softmax"):
        return None
    return _verdict(case, "softmax applied twice", *found)


def squashed_twice(case: Case) -> Verdict | None:
    """Probabilities are given to a loss that takes logits, and at least one of the two is made by a sigmoid."""
    found = _probabilities(case)
    if found is None or found[:2] == ("softmax", "softmax"):
        return None
    return _verdict(case, "loss does not fit output", *found)


def _verdict(case: Case, name: str, inner: str, outer: str, classes: int) -> Verdict:
    """What is squashed, by what, and how low the loss can get."""
    z = case.evidence.prediction
    assert z is not None
    inside = not case.loss
    headline = f"The loss makes probabilities of the outputs twice, by a {inner} and then by a {outer}."
    if not inside:
        again = f"applies a {outer} to them once more" if inner == outer else f"takes them for logits of a {outer}"
        headline = f"The outputs are probabilities from a {inner}, and {case.loss} {again}."
    least = np.log1p((classes - 1) / np.e) if outer == "softmax" else np.log1p(1 / np.e)
    return Verdict(
        name,
        headline,
        (
            f"outputs on the training data lie between {z.min():.3g} and {z.max():.3g}"
            + ("" if inside else ", and never leave [0, 1] whatever the weights"),
            f"outputs of 0 and 1 become probabilities of {_seen(outer, classes)}; healthy: 0 and 1 can be reached",
            *_least(outer, least),
        ),
        f"no {inner} at the end of the model: the loss takes logits" if not inside else f"no {inner} in the loss",
        layer="" if inside else case.last_layer,
        picture=lambda: pictures.distribution("What the loss takes for logits", {"outputs": z}, "output"),
    )


def _least(outer: str, least: float) -> tuple[str, ...]:
    """How low the loss can get, in words: of a sigmoid the part of the examples with a target of 1, and that of 0."""
    if outer == "sigmoid":
        zero = f"{np.log(2):.3f} of one with a target of 0"
        return (f"so the loss of an example with a target of 1 stays above {least:.3f}, and above {zero}",)
    return (f"so the loss stays above {least:.3f}, also where all is right",)


def _probabilities(case: Case) -> tuple[str, str, int] | None:
    """What made probabilities first, what does again, and of how many classes."""
    e, reach = case.evidence, case.reach
    if e.prediction is None:
        return None
    classes = e.prediction.shape[-1] if e.prediction.ndim > 1 else 1
    if reach is not None and case.loss == "cross-entropy" and (reach.distribution or reach.unit):
        return "softmax" if reach.distribution else "sigmoid", "softmax", classes
    if reach is not None and case.loss == "bce" and (reach.distribution or reach.unit):
        return "softmax" if reach.distribution else "sigmoid", "sigmoid", 2
    value = None if case.loss or not callable(e.loss) else loss_value(e.loss, e)
    if value is None:
        return None
    with no_grad():
        z = ops.tensor(e.prediction)
        for name, inner in (("cross-entropy", "softmax"), ("bce", "sigmoid")):
            twice = loss_value(losses.LOSSES[name], e, np.asarray(getattr(ops, inner)(z)))
            if twice is not None and abs(twice - value) <= SAME * abs(twice):
                return inner, inner, max(classes, 2)
    return None


def _seen(outer: str, classes: int) -> str:
    if outer == "sigmoid":
        return "0.50 and 0.73"
    return f"{1 / (np.e + classes - 1):.2f} and {np.e / (np.e + classes - 1):.2f}"
