"""Tensors from numbers; plain arrays and constants from tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import as_dtype, copied, dtype_of, is_host, kind_of, looked_at, placed
from chainrule.base.errors import DataError, DtypeError, OptionError
from chainrule.core.batch import Batched
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.ops.operands import astype, numbers, operand
from chainrule.ops.streams import constant, drawn


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor from numbers, (nested) lists, arrays or tensors; the data is copied.

    Python floats become float32; arrays keep their dtype unless `dtype` is given. It is made by the default
    backend (`cr.use`); without one, arrays of PyTorch and JAX stay in their library. Of a tensor inside `vmap` it
    is the same numbers without their history.

    Raises:
        DtypeError: the data is text or ragged.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    dtype = None if dtype is None else as_dtype(dtype)
    result = _apart(data, dtype) if isinstance(data, Batched) else Tensor(_made(plain(data), dtype))
    return result.requires_grad_() if requires_grad else result


def _apart(data: Any, dtype: Any) -> Any:
    """The values of each example as a constant."""
    return words.astype(words.stop_gradient(data), data.dtype if dtype is None else dtype)


def _made(data: Any, dtype: Any) -> Any:
    """An array of its own for the data, in the default place."""
    if not words.is_array(data):
        return placed(numbers(data, dtype))
    return placed(numbers(data, dtype or data.dtype) if is_host(data) else copied(data), dtype)


@words.define
def plain(x: Any) -> Any:
    """The plain array under a tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def zeros(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """A tensor of zeros; the shape as numbers or as one tuple."""
    return Tensor(placed(np.zeros(_shape(shape), as_dtype(dtype))))


def ones(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """A tensor of ones; the shape as numbers or as one tuple."""
    return Tensor(placed(np.ones(_shape(shape), as_dtype(dtype))))


def _shape(given: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def full(shape: tuple[int, ...], value: float, dtype: Any = np.float32) -> Tensor:
    """A tensor filled with one number."""
    return Tensor(placed(np.full(shape, value, as_dtype(dtype))))


def arange(*bounds: float, dtype: Any = None) -> Tensor:
    """Numbers from start to stop (left out) in steps, as NumPy's arange; floats in float32."""
    return Tensor(placed(numbers(np.arange(*bounds), None if dtype is None else as_dtype(dtype))))


def linspace(start: float, stop: float, n: int, dtype: Any = np.float32) -> Tensor:
    """n numbers from start to stop, both included, at equal distance."""
    return Tensor(placed(np.linspace(start, stop, n).astype(as_dtype(dtype))))


def eye(n: int, dtype: Any = np.float32) -> Tensor:
    """The identity matrix of size n."""
    return Tensor(placed(np.eye(n, dtype=as_dtype(dtype))))


def randn(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """Draws from the standard normal distribution, by the next key of the stream (`cr.seed`)."""
    return constant("normal", _shape(shape), as_dtype(dtype))


def rand(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """Draws from the uniform distribution on [0, 1), by the next key of the stream (`cr.seed`)."""
    return constant("uniform", _shape(shape), as_dtype(dtype))


def one_hot(labels: Any, n_classes: int, dtype: Any = np.float32) -> Any:
    """Rows with 1 at the label and 0 elsewhere. Shapes: labels (…,) integers, result (…, n_classes).

    Raises:
        DtypeError: the labels are no integers.
        DataError: a label is outside 0 … n_classes − 1.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = operand(labels)
    if kind_of(classes) not in "iu":
        raise DtypeError(f"Labels are integers, these are {classes.dtype}.")
    seen = looked_at(words.all_values(classes))
    if seen is not None and seen.size and not 0 <= seen.min() <= seen.max() < n_classes:
        raise DataError(f"Labels range from {seen.min()} to {seen.max()}, the classes from 0 to {n_classes - 1}.")
    places = words.equal(words.expand_dims(classes, len(classes.shape)), np.arange(n_classes))
    return words.astype(places, as_dtype(dtype))


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
    if kind_of(x) != "f":
        x = astype(x, np.float32)
    keep = drawn("uniform_single", x.shape, np.float32) >= p
    return x * (keep * np.asarray(1 / (1 - p) if p < 1 else 0, dtype_of(x)))
