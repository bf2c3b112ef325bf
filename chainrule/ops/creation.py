"""Tensors from numbers; plain arrays and constants from tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import DataError, DtypeError, OptionError
from chainrule.core.stack import next_key
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.ops.operands import astype, numbers, operand


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor from numbers, (nested) lists, arrays or tensors; the data is copied.

    Python floats become float32; arrays keep their dtype unless `dtype` is given.

    Raises:
        DtypeError: the data is text or ragged.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    known = isinstance(data, Tensor) or words.is_array(data)
    result = Tensor(numbers(plain(data), dtype or data.dtype) if known else numbers(data, dtype))
    return result.requires_grad_() if requires_grad else result


@words.define
def plain(x: Any) -> Any:
    """The plain array under a tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


@words.define
def all_values(x: Any) -> Any:
    """The numbers under all transformations, batch axes of `vmap` included: to check a range, not to compute."""
    while isinstance(x, Tensor):
        x = x.value
    return x


@words.define
def boxed_like(x: Any, result: Any) -> Any:
    """A result as a tensor where the operand was one."""
    return Tensor(np.asarray(result)) if isinstance(x, Tensor) else result


@words.define
def stop_gradient(x: Any) -> Any:
    """The same values as a constant: derivatives do not pass."""
    return x.detach() if isinstance(x, Tensor) else x


def zeros(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """A tensor of zeros; the shape as numbers or as one tuple."""
    return Tensor(np.zeros(_shape(shape), dtype))


def ones(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """A tensor of ones; the shape as numbers or as one tuple."""
    return Tensor(np.ones(_shape(shape), dtype))


def _shape(given: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def full(shape: tuple[int, ...], value: float, dtype: Any = np.float32) -> Tensor:
    """A tensor filled with one number."""
    return Tensor(np.full(shape, value, dtype))


def arange(*bounds: float, dtype: Any = None) -> Tensor:
    """Numbers from start to stop (left out) in steps, as NumPy's arange; floats in float32."""
    return Tensor(numbers(np.arange(*bounds), dtype))


def linspace(start: float, stop: float, n: int, dtype: Any = np.float32) -> Tensor:
    """n numbers from start to stop, both included, at equal distance."""
    return Tensor(np.linspace(start, stop, n, dtype=dtype))


def eye(n: int, dtype: Any = np.float32) -> Tensor:
    """The identity matrix of size n."""
    return Tensor(np.eye(n, dtype=dtype))


def randn(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """Draws from the standard normal distribution, by the next key of the stream (`cr.seed`)."""
    return Tensor(next_key().generator().standard_normal(_shape(shape)).astype(dtype))


def rand(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """Draws from the uniform distribution on [0, 1), by the next key of the stream (`cr.seed`)."""
    return Tensor(next_key().generator().random(_shape(shape)).astype(dtype))


def one_hot(labels: Any, n_classes: int, dtype: Any = np.float32) -> Any:
    """Rows with 1 at the label and 0 elsewhere. Shapes: labels (…,) integers, result (…, n_classes).

    Raises:
        DtypeError: the labels are no integers.
        DataError: a label is outside 0 … n_classes − 1.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = plain(operand(labels))
    if classes.dtype.kind not in "iu":
        raise DtypeError(f"Labels are integers, these are {classes.dtype}.")
    if classes.size and not 0 <= classes.min() <= classes.max() < n_classes:
        raise DataError(f"Labels range from {classes.min()} to {classes.max()}, the classes from 0 to {n_classes - 1}.")
    rows = np.zeros((*classes.shape, n_classes), dtype)
    np.put_along_axis(rows, np.expand_dims(classes, -1), 1, -1)
    return boxed_like(labels, rows)


@words.define
def dropout(x: Any, p: float = 0.5) -> Any:
    """Inverted dropout: each entry is dropped with probability p, the others scaled by 1/(1 − p), so E[y] = x.

    The mask is a constant of the derivative, drawn by the next key of the stream. 000 (8.28); in 004 §3.6.4 and
    002 Ex. 5 the letter p is the probability of keeping.

    Raises:
        OptionError: p is not between 0 and 1.
    """
    if not 0 <= p <= 1:
        raise OptionError(f"p is the probability of dropping an entry, between 0 and 1; it is {p}.")
    x = operand(x)
    if p == 0:
        return x
    if x.dtype.kind != "f":
        x = astype(x, np.float32)
    keep = next_key().generator().random(x.shape, dtype=np.float32) >= p
    return x * (keep * np.asarray(1 / (1 - p) if p < 1 else 0, x.dtype))
