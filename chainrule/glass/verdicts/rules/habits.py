"""Habits of the loop: gradients that were not zeroed, layers in the wrong mode."""

from __future__ import annotations

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.verdict import Verdict

OFTEN = 0.05
"""A share of the steps from which something is a habit, not a moment."""


def not_zeroed(case: Case) -> Verdict | None:
    """Gradients of earlier steps were still there when the next ones were added."""
    e = case.evidence
    kept, n = e.accumulated, len(e.losses)
    if len(kept) < 2 or len(kept) < OFTEN * n:
        return None
    return Verdict(
        "gradients not zeroed",
        f"{len(kept)} of {n} updates were made with the gradients of the steps before them added in.",
        (
            f"the gradient at step {kept[0]} still held that of step {kept[0] - 1}; healthy: it is of one step alone",
            "nothing between two updates set the gradients to zero",
            losses_of(case),
        ),
        "optimizer.zero_grad() before every loss.backward()",
        step=int(kept[0]),
        picture=lambda: loss_curve(case, "The loss while gradients add up"),
    )


def trained_in_evaluation(case: Case) -> Verdict | None:
    """The model learned in evaluation mode, so that dropout and batch norms did not do their work."""
    e = case.evidence
    count, n = e.trained_in_evaluation, len(e.losses)
    if not count or count < OFTEN * n:
        return None
    layers = moded(case)
    return Verdict(
        "evaluation mode in training",
        f"{count} of {n} updates were made in evaluation mode, in which {named(layers)} work differently.",
        (
            f"layers for which the mode matters: {', '.join(layers) or 'some'}",
            "in evaluation mode dropout drops nothing, and batch norms neither use nor learn a batch's statistics",
            "healthy: training mode in every update",
        ),
        "model.train() before the loop, and again after every evaluation",
        layer=layers[0] if layers else "",
        picture=lambda: loss_curve(case, "The loss, learned in evaluation mode"),
    )


def measured_in_training(case: Case) -> Verdict | None:
    """The model was measured in training mode, with dropout at work and batch norms that learn from the test data."""
    count = case.evidence.measured_in_training
    if not count:
        return None
    layers = moded(case)
    times = "once" if count == 1 else f"{count} times"
    return Verdict(
        "training mode in evaluation",
        f"The model was measured in training mode {times}, in which {named(layers)} work differently.",
        (
            f"layers for which the mode matters: {', '.join(layers) or 'some'}",
            "in training mode dropout drops units at random, and batch norms learn from the data that is measured",
            "healthy: evaluation mode in every measurement",
        ),
        "model.eval() before measuring, model.train() after it; or cr.evaluate and cr.predict, which do so",
        layer=layers[0] if layers else "",
        picture=lambda: loss_curve(case, "The loss in training; the measurements beside it are not to be trusted"),
    )


def moded(case: Case) -> list[str]:
    """Paths of the layers that compute differently in training."""
    kinds = ("Dropout", "BatchNorm", "StochasticDepth", "RReLU")
    modules = case.evidence.model.named_modules()
    return [path for path, module in modules if type(module).__name__.startswith(kinds)]


def named(layers: list[str]) -> str:
    """How many layers, in words."""
    return "some layers" if not layers else f"{layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"


def losses_of(case: Case) -> str:
    """How the loss went, in words."""
    losses = case.evidence.losses[np.isfinite(case.evidence.losses)]
    tenth = max(1, len(losses) // 10)
    first, last = float(losses[:tenth].mean()), float(losses[-tenth:].mean())
    return f"loss {first:.4g} in the first tenth of the steps, {last:.4g} in the last"


def loss_curve(case: Case, title: str) -> str:
    """The training loss at every step."""
    losses = case.evidence.losses
    return pictures.curves(title, {"training loss": (np.arange(len(losses)), losses)})
