"""A loss that a loop writes out, as `((z - t) ** 2).mean()`: its name, its target, and what it does to the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import Tensor, no_grad
from chainrule.glass.verdicts.probing import ACTIVATIONS
from chainrule.glass.verdicts.rows import numbers
from chainrule.glass.verdicts.standing import SAME
from chainrule.losses import LOSSES
from chainrule.train.objective import compared

VIEWS = ("index", "reshape", "squeeze", "expand_dims", "flatten", "identity")
"""Operations that give the same numbers in another shape, where they give as many."""

OTHERS = ("cross-entropy", "bce", "nll", "bce-probabilities", "hinge")
"""Losses that are more than differences, in the order in which they are compared."""


class Written(NamedTuple):
    """What shows of a loss: its name in this library, its target, and the activation between the model and it.

    Each is empty, or None, where it does not show.
    """

    name: str = ""
    target: np.ndarray | None = None
    outer: str = ""


def written(nodes: Sequence[Any], results: Sequence[Any], value: float) -> Written:
    """A loss read from its graph, which ends with this value.

    The target is the constant, an entry for each example, that meets what comes from the model: in a difference, or
    where there is none, first of all. Between the model and a difference may stand an activation; where more does,
    the outputs are not what the targets are for, and the target does not show. The name is that of the loss of this
    library that gives the same number; where none does, as with a penalty, of the one that takes such differences.
    """
    behind = _behind(nodes, results)
    names = {node.name for node in behind}
    if "softmax_cross_entropy" in names:
        return Written("cross_entropy", next((c for _, c in _meetings(behind, results)), None))
    differences = [node for node in behind if node.name == "subtract"]
    for operand, target in _meetings(differences, results):
        between = _between(operand, results) if target.size == np.prod(operand.shape) else None
        if between is None:
            continue
        if len(between) > 1 or not set(between) <= set(ACTIVATIONS):
            return Written()
        return Written(_of_differences(names), target, *between)
    target = next((c for _, c in _meetings(behind, results)), None)
    return Written(_same(results[-1].value, target, value), target)


def _of_differences(names: set[str]) -> str:
    """The loss that is made of differences by operations with these names."""
    if names & {"log", "exp", "log_softmax"}:
        return ""
    return "mae" if "abs" in names else "mse" if names & {"square", "power", "multiply"} else ""


def _same(outputs: Any, target: np.ndarray | None, value: float) -> str:
    """The loss of this library that gives the same number of outputs and targets; empty where none does."""
    if target is None or not isinstance(outputs, np.ndarray):
        return ""
    for key in OTHERS:
        with suppress(ChainruleError, ValueError, IndexError), no_grad(), np.errstate(all="ignore"):
            if np.isclose(float(np.asarray(compared(LOSSES[key], Tensor(outputs), target))), value, rtol=SAME, atol=0):
                return LOSSES[key].__name__
    return ""


def _behind(nodes: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    """Operations on what comes from the model, in the order in which they were done."""
    found, reached = [], set(results)
    for node in sorted((n for n in nodes if n.primitive is not None), key=lambda node: node.serial):
        if node not in reached and any(parent in reached for parent in node.parents):
            reached.add(node)
            found.append(node)
    return found


def _meetings(behind: Sequence[Any], results: Sequence[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Where an operation has a constant with an entry for each example: its first other operand, and the constant."""
    rows = {result.shape[:1] for result in results}
    for node in behind:
        operands = [a.node for a in node.args if getattr(a, "node", None) is not None]
        constants = [numbers(a) for a in node.args if getattr(a, "node", None) is None]
        if node.name == "take_at":  # rows, and in each the place of its label
            constants = constants[-1:]
        for c in constants:
            if operands and c is not None and c.ndim and c.shape[:1] in rows and any(c.strides):  # not one number
                yield operands[0], c


def _between(operand: Any, results: Sequence[Any]) -> list[str] | None:
    """The names of the operations from the model to an operand, views aside; None where the way forks."""
    names: list[str] = []
    while operand not in results:
        if len(operand.parents) != 1:
            return None
        (parent,) = operand.parents
        if operand.name not in VIEWS or np.prod(operand.shape) != np.prod(parent.shape):
            names.append(operand.name)
        operand = parent
    return names
