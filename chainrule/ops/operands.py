"""What may stand in an operation: tensors, arrays, numbers, lists; and how they are made to fit together.

Primitives neither broadcast nor change dtype. `align` does both before them, as nodes that the graph shows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends import (
    as_dtype,
    backend_of,
    dtype_of,
    into,
    is_array,
    is_floating,
    kind_of,
    place_of,
    placed,
    xp,
)
from chainrule.backends.interface import NATIVE
from chainrule.base.errors import DtypeError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import elementwise, linear
from chainrule.core.tensor import Tensor, is_foreign
from chainrule.core.vocabulary import words

DEFAULT_FLOAT = np.dtype(np.float32)

words.define(is_array)


@words.define
def operand(x: Any) -> Any:
    """A tensor or array as it is; numbers and lists as an array, floats in the default float32.

    A list that holds tensors is stacked, so that their history is kept.

    Raises:
        DtypeError: it is not made of numbers, or its rows differ in length.
    """
    if isinstance(x, Tensor) or is_array(x):
        return x
    return words.stack(x) if _holds_tensors(x) else placed(numbers(x))


def numbers(x: Any, dtype: Any = None) -> np.ndarray:
    """Numbers and nested lists as a new array, floats in the default float32 where no dtype is given.

    Raises:
        DtypeError: it is not made of numbers, or its rows differ in length.
    """
    try:
        array = np.array(x, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise DtypeError("A tensor is made of numbers in rows of equal length.", cause=error) from None
    if kind_of(array) == "c":
        raise not_real(array.dtype)
    if kind_of(array) not in "biuf":
        what = f"{type(x).__name__} of dtype {array.dtype}"
        raise DtypeError(f"A tensor is made of numbers, this is {what}.", **_first_of_no_number(array))
    return array.astype(DEFAULT_FLOAT) if dtype is None and array.dtype == np.float64 else array


def not_real(dtype: Any) -> DtypeError:
    """The error for complex numbers."""
    return DtypeError(
        f"Chainrule computes with real numbers, these are {dtype}.",
        fix="np.stack([x.real, x.imag], -1), the pairs that cr.rfft gives too; or abs(x)",
    )


def _first_of_no_number(array: np.ndarray) -> dict[str, str]:
    """Where a table of objects holds the first text, and what to try."""
    texts = [(place, str(value)) for place, value in np.ndenumerate(array) if isinstance(value, str) and place]
    if not texts:
        return {}
    place, value = next((text for text in texts if not _is_number(text[1])), texts[0])
    where = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), place, strict=False))
    fix = "numbers in place of texts: one column for each category (pandas: get_dummies), or leave it out"
    return {"entry": f"{value!r} at {where}", "try": fix}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _holds_tensors(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) or _holds_tensors(part) for part in x)


@words.define
def like(x: Any, other: Any) -> Any:
    """x as an array (or tensor) of the dtype and backend of another."""
    if isinstance(x, Tensor):
        x = x if x.trace is not None else x.value
    elif not is_array(x):
        x = numbers(x, dtype_of(other))
    home = all_values(other)
    if type(x) is not type(home) and not isinstance(x, Tensor) and is_array(home):
        x = place_of(home).array(x)
    dtype = dtype_of(other)
    return x if dtype_of(x) == dtype else astype(x, dtype)


@words.define
def zeros_like(x: Any) -> Any:
    """Zeros of the shape and dtype of an array or tensor, as a plain array."""
    home = all_values(x)
    return filled_like(x, 0) if is_foreign(home) else np.zeros(x.shape, home.dtype)


@words.define
def nothing_like(x: Any) -> Any:
    """Zeros of the shape and dtype of an array or tensor that take no memory: one 0, repeated by strides of 0."""
    home = all_values(x)
    zero = xp(home).full_like(home, 0, shape=()) if is_foreign(home) else np.zeros((), home.dtype)
    return xp(zero).broadcast_to(zero, tuple(x.shape))


def is_nothing(x: Any) -> bool:
    """Whether an array is one 0 repeated, so that adding it can be left out."""
    return isinstance(x, np.ndarray) and x.size > 1 and not any(x.strides) and not x.flat[0]


@words.define
def ones_like(x: Any) -> Any:
    """Ones of the shape and dtype of an array or tensor, as a plain array."""
    home = all_values(x)
    return filled_like(x, 1) if is_foreign(home) else np.ones(x.shape, home.dtype)


def filled_like(x: Any, value: float) -> Any:
    """One number in the shape and dtype of an array or tensor, as a plain array of its backend."""
    home = all_values(x)
    return xp(home).full_like(home, value, shape=tuple(x.shape))


@words.define
def all_values(x: Any) -> Any:
    """The numbers under all transformations, batch axes of `vmap` included: to check a range, not to compute."""
    while isinstance(x, Tensor):
        x = x.value
    return x


@linear
def astype_(x: Any, *, dtype: np.dtype, out: Any = None) -> Any:
    """The same numbers in a floating-point dtype."""
    return x.astype(dtype) if out is None else into(out, x)


astype_.adjoint(lambda y_bar, x, *, dtype: astype(y_bar, dtype_of(x)))
astype_.dtype(lambda x, *, dtype: np.dtype(dtype))
leading(astype_)
astype_.formula(r"y = x", r"\bar x = \bar y")


@elementwise(keeps_integers=True)
def discretise(x: Any, *, dtype: np.dtype, out: Any = None) -> Any:
    """x in an integer or boolean dtype: towards 0, or whether it is not 0. The derivative is 0."""
    return x.astype(dtype) if out is None else into(out, x)


discretise.partials(None)
discretise.dtype(lambda x, *, dtype: np.dtype(dtype))
discretise.formula(r"y = \operatorname{trunc} x", r"\bar x = 0")


@elementwise(keeps_integers=True)
def hold(x: Any, *, out: Any = None) -> Any:
    """The same values as a constant: derivatives do not pass."""
    return into(out, x)


hold.partials(None)
hold.cost(lambda y, x: 0)
hold.formula("y = x", r"\bar x = 0")


@words.define
def stop_gradient(x: Any) -> Any:
    """The same values as a constant: derivatives do not pass, the examples of `vmap` stay apart."""
    if isinstance(x, Tensor) and x.trace is not None and x.trace.closed:
        return Tensor(x.data)
    return hold(x)


@words.define
def astype(x: Any, dtype: Any) -> Any:
    """The same numbers in another dtype; the derivative passes between floating-point dtypes, no others."""
    x, dtype = operand(x), as_dtype(dtype)
    if dtype_of(x) == dtype:
        return x
    return astype_(x, dtype=dtype) if dtype.kind in "fcV" else discretise(x, dtype=dtype)


@linear
def broadcast_to(x: Any, *, shape: tuple[int, ...], out: Any = None) -> Any:
    """x repeated along new axes on the left and along axes of size 1; the adjoint sums over them."""
    return into(out, x) if out is not None else xp(x).broadcast_to(x, shape)


def _sum_to(y_bar: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    new = len(shape) - len(x.shape)
    axes = tuple(i for i, n in enumerate(shape) if i < new or (x.shape[i - new] == 1 and n != 1))
    return words.reshape(words.sum(y_bar, axis=axes), tuple(x.shape)) if axes else y_bar


def _broadcast_shape(x: Any, *, shape: tuple[int, ...]) -> tuple[int, ...]:
    if broadcast_shapes(x.shape, shape) != tuple(shape):
        raise ShapeError(f"Shape {x.shape} cannot be repeated to {tuple(shape)}.")
    return tuple(shape)


def _repeated_each(size: int, x: Any, shape: tuple[int, ...]) -> Any:
    gap = (1,) * (len(shape) + 1 - len(x.shape))
    return broadcast_to(words.reshape(x, (size, *gap, *x.shape[1:])), shape=(size, *shape))


words.define(broadcast_to)
broadcast_to.adjoint(_sum_to)
broadcast_to.shape(_broadcast_shape)
broadcast_to.batching(lambda size, args, flags, *, shape: _repeated_each(size, args[0], shape))
broadcast_to.cost(lambda y, x, *, shape: 0)
broadcast_to.formula(r"y_{ij} = x_j", r"\bar x_j = \sum_i \bar y_{ij}")


@words.define
def align(args: tuple[Any, ...], keeps_integers: bool) -> tuple[Any, ...]:
    """Operands of one dtype and one shape; a Python number takes the dtype of the arrays beside it."""
    if len(args) == 1:
        x = operand(args[0])
        return (x,) if keeps_integers or kind_of(x) == "f" else (astype(x, dtype=DEFAULT_FLOAT),)
    numbers = [isinstance(a, (int, float)) for a in args]
    args = tuple(a if number else operand(a) for a, number in zip(args, numbers, strict=True))
    dtype = _common_dtype(args, numbers, keeps_integers)
    args = tuple(np.asarray(a, dtype) if number else a for a, number in zip(args, numbers, strict=True))
    args = at_home(args)
    shapes = [tuple(a.shape) for a in args]
    shape = shapes[0] if all(s == shapes[0] for s in shapes) else broadcast_shapes(*shapes)
    args = tuple(a if dtype_of(a) == dtype else astype(a, dtype=dtype) for a in args)
    return tuple(a if s == shape else broadcast_to(a, shape=shape) for a, s in zip(args, shapes, strict=True))


def at_home(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Constants that are NumPy's, moved to the backend and device of the arrays beside them."""
    bases = [all_values(a) for a in args]
    home = next((base for base in bases if type(base) not in NATIVE and is_foreign(base)), None)
    if home is None:
        return args
    place = place_of(home)
    constants = [type(b) in NATIVE and getattr(a, "trace", None) is None for a, b in zip(args, bases, strict=True)]
    return tuple(
        boxed_like(a, place.array(b)) if constant else a for a, b, constant in zip(args, bases, constants, strict=True)
    )


@words.define
def boxed_like(x: Any, result: Any) -> Any:
    """A result as a tensor where the operand was one."""
    return Tensor(backend_of(result).asarray(result)) if isinstance(x, Tensor) else result


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that all are repeated to: aligned on the right, sizes equal or 1 (000 (12.5)).

    Raises:
        ShapeError: two sizes differ and neither is 1.
    """
    ndim = max(map(len, shapes))
    full = [(1,) * (ndim - len(s)) + tuple(s) for s in shapes]
    result = tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*full, strict=True))
    for i, sizes in enumerate(zip(*full, strict=True)):
        if any(n not in (1, result[i]) for n in sizes):
            raise ShapeError(
                f"Shapes {' and '.join(map(str, shapes))} do not fit together.",
                axis=f"{i - ndim} has sizes {' and '.join(str(s[i]) for s in full)}",
                fix="sizes must be equal or 1, counted from the right; x.reshape(...) adds axes of size 1",
            )
    return result


def with_dim(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let an operation take PyTorch's `dim` and `keepdim` for NumPy's `axis` and `keepdims`."""

    @functools.wraps(function)
    def named(*args: Any, **names: Any) -> Any:
        if "dim" in names:
            names["axis"] = names.pop("dim")
        if "keepdim" in names:
            names["keepdims"] = names.pop("keepdim")
        return function(*args, **names)

    return named


def axis_of(axis: int, shape: Any) -> int:
    """The axis counted from 0.

    Raises:
        ShapeError: there is no such axis.
    """
    ndim = len(shape)
    if not -ndim <= axis < ndim:
        raise ShapeError(f"There is no axis {axis} in shape {tuple(shape)}.")
    return axis % ndim


def promote(*dtypes: Any) -> np.dtype:
    """The dtype of a result: floats win over integers and keep their own width (int64 with float32: float32)."""
    if all(d is dtypes[0] for d in dtypes):
        return as_dtype(dtypes[0])
    dtypes = tuple(map(as_dtype, dtypes))
    floats = [d for d in dtypes if is_floating(d)]
    try:
        return np.result_type(*(floats or dtypes))
    except TypeError:  # float16 with bfloat16: neither holds the other
        return DEFAULT_FLOAT


def _common_dtype(args: tuple[Any, ...], numbers: list[bool], keeps_integers: bool) -> np.dtype:
    """The dtype of the arrays; numbers decide only where no array is floating-point.

    A NumPy float64 scalar is a Python number too (and what kernels return for shape ()): beside floating-point
    arrays it is a number, beside others an array of float64.
    """
    dtypes = [dtype_of(a) for a, number in zip(args, numbers, strict=True) if not number]
    dtype = dtypes[0] if dtypes and all(d == dtypes[0] for d in dtypes) else promote(*dtypes) if dtypes else None
    if dtype is not None and is_floating(dtype):
        return dtype
    given = [a for a, number in zip(args, numbers, strict=True) if number]
    wide = [a.dtype for a in given if isinstance(a, np.generic)]
    if wide:
        return promote(*wide)
    if dtype is None:
        dtype = np.dtype(np.int64)
    if not keeps_integers or any(isinstance(a, float) for a in given):
        return DEFAULT_FLOAT
    return np.dtype(np.int64) if dtype.kind == "b" and given else dtype
