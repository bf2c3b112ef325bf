"""The formula of a loss in the letters of the derivation: ŷ or the layer's own sign, y for the target."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.glass.explanation.loss_rules import Shortcut
from chainrule.glass.explanation.run import Run
from chainrule.glass.explanation.signs import Signs

TOKEN = re.compile(r"\\(?:operatorname|mathrm|text)\{[^}]*\}|\\[A-Za-z]+|.")
"""Words and commands whole, anything else letter by letter."""


def name(loss: Callable[..., Any]) -> str:
    """What a loss is called."""
    return getattr(loss, "__name__", type(loss).__name__)


def upright(loss: Callable[..., Any]) -> str:
    """Its name for a formula."""
    return name(loss).replace("_", r"\_").strip("<>")


def value(run: Run, signs: Signs, cut: Shortcut | None) -> str:
    """The loss ℓ of one sample; empty where the loss brings no formula."""
    latex = _of(run, signs, 0)
    return latex.partition(r",\;")[0] if cut is not None and cut.inside_loss else latex


def derivative(run: Run, signs: Signs) -> str:
    """Its derivative with respect to the prediction; empty where the loss brings no formula."""
    return _of(run, signs, 1)


def notes(run: Run) -> Iterator[str]:
    """What else stands in the formula: the number of outputs, labels."""
    latex = "".join(getattr(run.loss_function, "latex", ())[:1])
    if re.search(r"\\tfrac\dk", latex):
        yield f"$k = {run.prediction.shape[-1]}$, the number of outputs"
    if of_one_output(run):
        yield f"the formula is for one output; the loss of a sample is the mean over its {run.prediction.shape[-1]}"
    if "y_t" in latex:
        yield "the entry of the prediction at the label $y$"
    if "t_k" in latex and np.ndim(run.y) == 1:
        yield "$y_k$ is 1 for the label and 0 for every other class"
    if r"\delta" in latex:
        yield r"$\delta$ without a number is where the loss goes over into a straight line"


def of_one_output(run: Run) -> bool:
    """Whether the formula is for each of several outputs, as of binary cross-entropy: it sums over none."""
    latex = "".join(getattr(run.loss_function, "latex", ())[:1])
    return bool(latex) and run.prediction.shape[-1] > 1 and not re.search(r"_[kjt]|\\lVert", latex)


def _of(run: Run, signs: Signs, which: int) -> str:
    latex = getattr(run.loss_function, "latex", ())
    if len(latex) <= which:
        return ""
    own = signs.small(run.prediction)
    return with_letters(latex[which], {"t": "y", "y": own, "z": own, "p": r"\hat y"})


def with_letters(latex: str, letters: dict[str, str]) -> str:
    r"""A formula with other letters, all put in at once.

    >>> print(with_letters(r"\tfrac1k (y_j - t_j) e^z", {"t": "y", "y": r"\hat y", "z": "z^{(2)}"}))
    \tfrac1k (\hat y_j - y_j) e^{z^{(2)}}
    """
    written, before = [], ""
    for token in map(str, TOKEN.findall(latex)):
        new = letters.get(token, token)
        braces = token in letters and (before in ("^", "_") or "_" in new)
        written.append(f"{{{new}}}" if braces else new)
        before = token
    return "".join(written)
