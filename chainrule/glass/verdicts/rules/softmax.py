"""A softmax too many: probabilities given to a loss that makes probabilities of what it is given."""

from __future__ import annotations

import numpy as np

from chainrule import losses, ops
from chainrule.core import no_grad
from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.standing import SAME, loss_value
from chainrule.glass.verdicts.verdict import Verdict


def softmax_twice(case: Case) -> Verdict | None:
    """Probabilities are given to a loss that makes probabilities of what it is given."""
    found = _probabilities(case)
    if found is None:
        return None
    inner, outer, classes = found
    z = case.evidence.prediction
    assert z is not None
    inside = not case.loss
    headline = "The loss makes probabilities of the outputs twice, by a {0} and then by a {1}."
    if not inside:
        headline = "The outputs are probabilities from a {0}, and {2} applies a {1} to them once more."
    least = np.log1p((classes - 1) / np.e) if outer == "softmax" else np.log1p(1 / np.e)
    return Verdict(
        "softmax applied twice",
        headline.format(inner, outer, case.loss),
        (
            f"outputs on the training data lie between {z.min():.3g} and {z.max():.3g}"
            + ("" if inside else ", and never leave [0, 1] whatever the weights"),
            f"outputs of 0 and 1 become probabilities of {_seen(outer, classes)}; healthy: 0 and 1 can be reached",
            f"so the loss stays above {least:.3f}, also where all is right",
        ),
        f"no {inner} at the end of the model: the loss takes logits" if not inside else f"no {inner} in the loss",
        layer="" if inside else case.last_layer,
        picture=lambda: pictures.distribution("What the loss takes for logits", {"outputs": z}, "output"),
    )


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
