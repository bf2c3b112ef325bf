"""Mistakes that people make with sequences: what came, what was wanted, what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import kind_of
from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.nn.sizes import check_whole
from chainrule.ops.highway_rnn import check_carry


def check_sizes(name: str, **sizes: int) -> None:
    """Refuse sizes below 1, and those that are no whole numbers.

    Raises:
        OptionError: a size is no whole number, or less than 1.
    """
    check_whole(name, **sizes)
    for size, value in sizes.items():
        if value < 1:
            raise OptionError(f"{name} needs {size} of 1 or more, got {value}.")


def check_carry_width(name: str, carry: str, inputs: int, hidden_size: int) -> None:
    """Refuse to carry what is not known, or not as wide as the state.

    Raises:
        OptionError: carry is neither "state" nor "input", or the input has another width.
    """
    check_carry(carry, name)
    if carry == "input" and inputs != hidden_size:
        raise OptionError(
            f"{name} can carry its input only where it is as wide as the state, not {inputs} and {hidden_size}.",
            fix='carry="state"',
        )


def check_input(layer: Any, x: Any) -> None:
    """Refuse what is no sequence of the layer's features.

    Raises:
        ShapeError: the number of axes, or of features, is another.
    """
    name, wanted = type(layer).__name__, layer.input_size
    axes = "(n, T, features)" if layer.batch_first else "(T, n, features)"
    if x.ndim not in (2, 3):
        advice = (
            {"fix": "x.reshape(n, T, -1)"} if x.ndim > 3 else {"fix": "x.reshape(1, -1, 1) (one sequence, one feature)"}
        )
        raise ShapeError(f"{name} expects sequences {axes}, or one sequence (T, features), got {x.shape}.", **advice)
    if x.shape[-1] != wanted:
        raise ShapeError(
            f"{name} expects {wanted} features in each step, got {x.shape[-1]}.",
            input=f"{x.shape}   axis −1 = {x.shape[-1]}",
            fix=_feature_advice(layer, x.shape),
        )


def _feature_advice(layer: Any, shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[1] == layer.input_size:
        return "x.transpose(0, 2, 1) (features are the last axis)"
    if len(shape) == 2 and layer.input_size == 1:
        return "x.reshape(*x.shape, 1) (one feature, a sequence a row)"
    if len(shape) == 2 and shape[0] == layer.input_size:
        return "x.T (steps are rows, features are columns)"
    return f"{type(layer).__name__}({shape[-1]}, {layer.hidden_size})"


def check_state(layer: Any, given: Any, wanted: tuple[int, ...], x_shape: tuple[int, ...], name: str) -> None:
    """Refuse an initial state of another shape.

    Raises:
        ShapeError: the shape is another.
    """
    if tuple(given.shape) == wanted:
        return
    swapped = len(x_shape) == 3 and tuple(given.shape) == (
        wanted[0],
        x_shape[1 if layer.batch_first else 0],
        wanted[-1],
    )
    advice = _swap_advice(layer) if swapped else f"a state of shape {wanted}, or none (it starts at 0)"
    if len(wanted) == 3 and tuple(given.shape) == (wanted[1], wanted[0], wanted[2]):
        advice = f"{name}.transpose(1, 0, 2): the batch is axis 1 of a state, whatever batch_first says"
    meaning = "(layers · directions, n, hidden_size)" if len(wanted) == 3 else "(layers · directions, hidden_size)"
    raise ShapeError(
        f"{type(layer).__name__} expects {name} of shape {wanted}, got {tuple(given.shape)}.",
        input=x_shape,
        state=meaning,
        fix=advice,
    )


def pair_of(layer: Any, state: Any) -> Any:
    """The two states of an LSTM.

    Raises:
        OptionError: it is something else, as the one state of another layer.
    """
    several = isinstance(state, (tuple, list))
    if several and len(state) == 2:
        return state
    got = f"{len(state)} of them" if several else f"one {type(state).__name__}"
    names, called = ("(h0, c0)", "layer") if hasattr(layer, "num_layers") else ("(h, c)", "cell")
    raise OptionError(
        f"{type(layer).__name__} takes its state as a pair {names}, got {got}.", fix=f"{called}(x, {names})"
    )


def _swap_advice(layer: Any) -> str:
    flag = f"batch_first={not layer.batch_first}"
    return f"x.transpose(1, 0, 2), or {type(layer).__name__}(..., {flag}): sequence and batch look swapped"


def mask_of(layer: Any, lengths: Any, mask: Any, n: int, steps: int) -> Any:
    """The mask (n, T) that lengths or a mask stand for; None where all steps count.

    Raises:
        OptionError: both are given.
        DtypeError: the lengths are no integers.
        ShapeError: there is not one length a sequence, one is longer than T or shorter than 1, or the mask has
            another shape.
    """
    name = type(layer).__name__
    if lengths is not None and mask is not None:
        raise OptionError(f"{name} takes lengths or a mask, not both.")
    if mask is not None:
        if tuple(words.operand(mask).shape) != (n, steps):
            raise ShapeError(
                f"{name} expects a mask of shape (n, T) = {(n, steps)}, got {tuple(words.operand(mask).shape)}."
            )
        return mask
    if lengths is None:
        return None
    array = np.asarray(words.plain(words.operand(lengths)))
    if kind_of(array) not in "iu":
        raise DtypeError(f"Lengths are integers, these are {array.dtype}.")
    if array.shape != (n,):
        advice = {"fix": _swap_advice(layer)} if array.shape == (steps,) else {}
        raise ShapeError(f"{name} expects {n} lengths, one a sequence, got shape {array.shape}.", **advice)
    if array.size and not 1 <= array.min() <= array.max() <= steps:
        raise ShapeError(
            f"{name} got lengths from {array.min()} to {array.max()}, the sequences have {steps} steps.",
            fix=f"lengths between 1 and {steps}",
        )
    return np.arange(steps) < array[:, None]
