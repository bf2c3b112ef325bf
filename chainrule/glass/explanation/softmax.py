"""Softmax backwards: its Jacobian with numbers, where one row of few classes is shown, and the derivative sent back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.core.jacobians import jacobian
from chainrule.glass.explanation.differences import Check, Replay, check
from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.loss_rules import shortcut
from chainrule.glass.explanation.rules import Term, is_log
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call
from chainrule.ops import log_softmax, softmax


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """J = diag(p) − p pᵀ of the first row, or I − 1 pᵀ of log-softmax; not where it is large or cancels."""
    cut = shortcut(signs.run)
    if not _is_by_row(call) or call.output.shape[-1] > SHOWN or (cut is not None and cut.last is call):
        return
    p, y = _probabilities(call), signs.small(call.output) if signs.single else "p"
    first = p.reshape(-1, p.shape[-1])[0]
    if is_log(call):
        value, rule = _jacobian(call), r"I - \mathbf{1} p^\top"
        numbers = (np.eye(len(first)), "-", np.tile(first, (len(first), 1)))
    else:
        value, rule = _jacobian(call), rf"\operatorname{{diag}}({y}) - {y}\, {y}^\top"
        numbers = (np.diag(first), "-", first.reshape(-1, 1), r"\cdot", first.reshape(1, -1))
    rows = len(p.reshape(-1, p.shape[-1]))
    of_one = "" if rows == 1 else f" of row 1 of {rows}, every row has its own"
    what = r"$J_{ij} = p_i ([i = j] - p_j)$" if not is_log(call) else r"$J_{ij} = [i = j] - p_j$, $p = e^y$"
    yield Inside(
        "jacobian", "J", rule, value, numbers, notes=(what,), caption=f"Jacobian{of_one}", check=_check(call, value)
    )


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """p ⊙ (ȳ − ⟨ȳ, p⟩) for every row, which is J ȳ; of log-softmax ȳ − p Σ ȳ."""
    y, p = signs.delta(call.output), signs.sign(call.output)
    if not _is_by_row(call):
        return (rf"J^\top {y}", None) if is_log(call) else (rf"{p} \odot ({y} - \langle {y}, {p} \rangle)", None)
    if call.output.size == call.output.shape[-1] <= SHOWN:
        j, bar = _jacobian(call), signs.slope(call.output)
        turned, other = (r"J^\top", j.T) if is_log(call) else ("J", j)
        return (f"{turned} {y}", (other, r"\cdot", bar)) if signs.columns else (f"({y}) J", (bar, r"\cdot", j))
    axis, name = (0, "colsum") if signs.columns else (-1, "rowsum")
    bar, probabilities = signs.slope(call.output), signs.lay(_probabilities(call))
    if is_log(call):
        sums = bar.sum(axis, keepdims=True) * np.ones(bar.shape)
        return rf"{y} - e^{{{p}}} \odot \operatorname{{{name}}}({y})", (bar, "-", probabilities, r"\odot", sums)
    sums = (bar * probabilities).sum(axis, keepdims=True) * np.ones(bar.shape)
    numbers = (probabilities, r"\odot", "(", bar, "-", sums, ")")
    return rf"{p} \odot ({y} - \operatorname{{{name}}}({y} \odot {p}))", numbers


def _is_by_row(call: Call) -> bool:
    """Whether classes are on the last axis of rows or of sequences of rows."""
    node = call.output.node
    return node is not None and call.output.ndim in (2, 3) and node.params.get("axis") == call.output.ndim - 1


def _probabilities(call: Call) -> np.ndarray:
    return np.exp(call.output.data) if is_log(call) else np.asarray(call.output.data)


def _function(call: Call) -> Callable[..., Any]:
    return log_softmax if is_log(call) else softmax


def _first(call: Call) -> np.ndarray:
    z = np.asarray(call.inputs[0].data)
    return z.reshape(-1, z.shape[-1])[0]


def _jacobian(call: Call) -> np.ndarray:
    """∂yᵢ/∂zⱼ of the first row, as the library differentiates."""
    return np.asarray(jacobian(_function(call))(_first(call)))


def _check(call: Call, found: np.ndarray) -> Check:
    """The Jacobian against central differences, all entries weighed at once."""
    z = Tensor(_first(call)).requires_grad_()
    y = _function(call)(z)
    weights = np.arange(1.0, len(found) + 1)
    return check(Replay(y), weights, z, weights @ found)
