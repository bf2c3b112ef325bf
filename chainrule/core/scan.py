"""A recurrence over a sequence, and its derivative: backpropagation through time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import isqrt
from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core import tree
from chainrule.core.checkpoint import checkpoint as checkpointed
from chainrule.core.checkpoint import cuts
from chainrule.core.vocabulary import words


def scan(
    f: Callable[..., Any],
    state: Any,
    xs: Any = None,
    *,
    length: int | None = None,
    axis: int = 0,
    reverse: bool = False,
    truncate: int | None = None,
    checkpoint: bool | int = False,
) -> tuple[Any, Any]:
    """Apply `state, yₜ = f(state, xₜ)` step by step; returns the last state and all yₜ, stacked.

        hₜ, yₜ = f(hₜ₋₁, xₜ)          h̄ₜ₋₁ = (∂hₜ/∂hₜ₋₁)ᵀ h̄ₜ + (∂yₜ/∂hₜ₋₁)ᵀ ȳₜ

    State, xₜ and yₜ may be trees of tensors. Time lies along `axis` of every leaf of xs, and of the results; a
    scan without inputs (xs None) takes a `length`. `reverse` starts at the end.

    The derivative goes back through all steps. `truncate=k` stops it after every k steps: the state enters
    steps k, 2k, … as a constant, so that an error reaches k steps back at most (truncated backpropagation
    through time, Williams & Peng 1990): cheaper to keep, and blind to what lies further back. `checkpoint`
    keeps only the states between segments and computes the others again: a number of segments, or True for √T.
    000 §15.4, 004 §4.5.

    Raises:
        ShapeError: the inputs differ in length, or there is no step.
        OptionError: f does not return a pair, or a setting is out of range.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.scan(lambda total, x: (total + x, total + x), np.zeros(1), np.ones((4, 1)))[1].ravel()
    array([1., 2., 3., 4.])
    """
    inputs = _inputs(xs, length, axis)
    _check(truncate, checkpoint, len(inputs))
    order = list(range(len(inputs)))[:: -1 if reverse else 1]

    def run(state: Any, numbered: list[Any]) -> tuple[Any, list[Any]]:
        ys = []
        for number, x in numbered:
            if truncate is not None and number and number % truncate == 0:
                state = tree.map_leaves(words.stop_gradient, state)
            state, y = _pair(f(state, x))
            ys.append(y)
        return state, ys

    numbered = [(number, inputs[t]) for number, t in enumerate(order)]
    bounds = cuts(len(order), _segments(checkpoint, len(order)))
    segment = checkpointed(run) if checkpoint else run
    collected: list[Any] = []
    for start, stop in pairwise(bounds):
        state, ys = segment(state, numbered[start:stop])
        collected += ys
    return state, _stacked(collected[:: -1 if reverse else 1], axis)


def _inputs(xs: Any, length: int | None, axis: int) -> list[Any]:
    """The inputs of each step, as trees."""
    if xs is None:
        if length is None:
            raise OptionError("scan needs inputs or a length.", fix="scan(f, state, length=10)")
        return [None] * length
    leaves, rebuild = tree.flatten(xs)
    columns = [words.unstack(leaf, axis) for leaf in leaves]
    lengths = sorted({len(column) for column in columns})
    if len(lengths) != 1 or length not in (None, lengths[0]):
        stated = "" if length is None else f"; length={length} was asked for"
        raise ShapeError(
            f"The inputs of scan have {' and '.join(map(str, lengths)) or 'no'} steps along axis {axis}{stated}.",
            inputs=" and ".join(str(tuple(words.operand(leaf).shape)) for leaf in leaves) or "none",
        )
    return [rebuild([column[t] for column in columns]) for t in range(lengths[0])]


def _check(truncate: int | None, checkpoint: bool | int, steps: int) -> None:
    if steps < 1:
        raise ShapeError("scan needs at least one step, the sequence is empty.")
    if truncate is not None and truncate < 1:
        raise OptionError(f"truncate is a number of steps, 1 or more; it is {truncate}.")
    if checkpoint is not True and not 0 <= checkpoint <= steps:
        raise OptionError(f"{steps} steps cannot be cut into {checkpoint} segments.")


def _segments(checkpoint: bool | int, steps: int) -> int:
    return max(1, isqrt(steps)) if checkpoint is True else max(1, checkpoint)


def _pair(result: Any) -> Any:
    if not isinstance(result, tuple) or len(result) != 2:
        raise OptionError(
            f"scan's function returns a pair (state, y), this one returned a {type(result).__name__}.",
            fix="return state, y  (return state, state, where the states are what is wanted)",
        )
    return result


def _stacked(ys: list[Any], axis: int) -> Any:
    rows, rebuild = [tree.flatten(y)[0] for y in ys], tree.flatten(ys[0])[1]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return rebuild([None if column[0] is None else words.stack(column, axis) for column in columns])
