"""NumPy's functions on PyTorch tensors, with NumPy's argument names and `out=`: those that kernels are written in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from chainrule.backends.dtypes import as_dtype, bfloat16, translate
from chainrule.backends.torch_linalg import Linalg
from chainrule.base.errors import DtypeError

_TWINS = {
    torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64, torch.int8: np.int8,
    torch.int16: np.int16, torch.int32: np.int32, torch.int64: np.int64, torch.uint8: np.uint8,
    torch.uint16: np.uint16, torch.uint32: np.uint32, torch.uint64: np.uint64, torch.bool: np.bool_,
    torch.complex64: np.complex64, torch.complex128: np.complex128,
}  # fmt: skip
translate({ours: np.dtype(theirs) for ours, theirs in _TWINS.items()})
_BY_NUMPY = {np.dtype(theirs): ours for ours, theirs in _TWINS.items()}


def torch_dtype(dtype: Any) -> torch.dtype:
    """PyTorch's dtype for one of any name.

    Raises:
        DtypeError: PyTorch has none.
    """
    if isinstance(dtype, torch.dtype):
        return dtype
    wanted = as_dtype(dtype)
    if wanted in _BY_NUMPY:
        return _BY_NUMPY[wanted]
    if wanted.name == "bfloat16":
        translate({torch.bfloat16: bfloat16()})
        return torch.bfloat16
    raise DtypeError(f"PyTorch has no dtype {wanted}.", known=", ".join(str(d) for d in _BY_NUMPY))


def beside(value: Any, other: torch.Tensor) -> torch.Tensor:
    """A number as a tensor like another, written there and not sent."""
    return value if isinstance(value, torch.Tensor) else torch.full((), value, dtype=other.dtype, device=other.device)


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    def named(x: Any, *, out: Any = None) -> Any:
        return function(x, out=out)

    return named


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    def named(a: Any, b: Any, *, out: Any = None) -> Any:
        if not isinstance(a, torch.Tensor):
            a = beside(a, b)
        elif not isinstance(b, torch.Tensor):
            b = beside(b, a)
        return function(a, b, out=out)

    return named


def axes_of(x: torch.Tensor, axis: Any) -> tuple[int, ...]:
    """The axes meant, all of them for None."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)


def filled(out: Any, result: Any) -> Any:
    """The result, or `out` with its numbers."""
    return result if out is None else out.copy_(result)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def named(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        x = x if dtype is None else x.to(torch_dtype(dtype))
        axes = axes_of(x, axis)
        return filled(out, function(x, axes, keepdims) if axes else x.clone())  # PyTorch takes no axes for all axes

    return named


def _prod(x: torch.Tensor, axes: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    for axis in sorted((a % x.ndim for a in axes), reverse=True):
        x = torch.prod(x, axis, keepdim=keepdims, dtype=x.dtype)
    return x


def _any(x: torch.Tensor, axes: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    return torch.any(x, axes, keepdim=keepdims)


class Names:
    """The namespace; every member is NumPy's function of that name."""

    newaxis = None
    linalg = Linalg
    sum = staticmethod(_reduction(lambda x, axes, keep: torch.sum(x, axes, keepdim=keep, dtype=x.dtype)))
    mean = staticmethod(_reduction(lambda x, axes, keep: torch.mean(x, axes, keepdim=keep)))
    max = staticmethod(_reduction(lambda x, axes, keep: torch.amax(x, axes, keepdim=keep)))
    min = staticmethod(_reduction(lambda x, axes, keep: torch.amin(x, axes, keepdim=keep)))
    amax, amin = max, min
    prod = staticmethod(_reduction(_prod))
    any = staticmethod(_reduction(_any))
    all = staticmethod(_reduction(lambda x, axes, keep: torch.all(x, axes, keepdim=keep)))
    add = staticmethod(_binary(torch.add))
    subtract = staticmethod(_binary(torch.subtract))
    multiply = staticmethod(_binary(torch.multiply))
    divide = staticmethod(_binary(torch.true_divide))
    true_divide = divide
    power = staticmethod(_binary(torch.pow))
    maximum = staticmethod(_binary(torch.maximum))
    minimum = staticmethod(_binary(torch.minimum))
    remainder = staticmethod(_binary(torch.remainder))
    floor_divide = staticmethod(_binary(torch.floor_divide))
    hypot = staticmethod(_binary(torch.hypot))
    logaddexp = staticmethod(_binary(torch.logaddexp))
    atan2 = staticmethod(_binary(torch.atan2))
    arctan2 = atan2
    copysign = staticmethod(_binary(torch.copysign))
    greater = staticmethod(_binary(torch.greater))
    greater_equal = staticmethod(_binary(torch.greater_equal))
    less = staticmethod(_binary(torch.less))
    less_equal = staticmethod(_binary(torch.less_equal))
    equal = staticmethod(_binary(torch.eq))
    not_equal = staticmethod(_binary(torch.ne))
    logical_and = staticmethod(_binary(torch.logical_and))
    logical_or = staticmethod(_binary(torch.logical_or))
    logical_xor = staticmethod(_binary(torch.logical_xor))
    logical_not = staticmethod(_unary(torch.logical_not))
    negative = staticmethod(_unary(torch.negative))
    sign = staticmethod(_unary(torch.sign))
    abs = staticmethod(_unary(torch.abs))
    absolute = abs
    square = staticmethod(_unary(torch.square))
    sqrt = staticmethod(_unary(torch.sqrt))
    exp = staticmethod(_unary(torch.exp))
    expm1 = staticmethod(_unary(torch.expm1))
    log = staticmethod(_unary(torch.log))
    log1p = staticmethod(_unary(torch.log1p))
    log2 = staticmethod(_unary(torch.log2))
    log10 = staticmethod(_unary(torch.log10))
    sin = staticmethod(_unary(torch.sin))
    cos = staticmethod(_unary(torch.cos))
    tan = staticmethod(_unary(torch.tan))
    asin = arcsin = staticmethod(_unary(torch.asin))
    acos = arccos = staticmethod(_unary(torch.acos))
    atan = arctan = staticmethod(_unary(torch.atan))
    sinh = staticmethod(_unary(torch.sinh))
    cosh = staticmethod(_unary(torch.cosh))
    tanh = staticmethod(_unary(torch.tanh))
    asinh = arcsinh = staticmethod(_unary(torch.asinh))
    acosh = arccosh = staticmethod(_unary(torch.acosh))
    atanh = arctanh = staticmethod(_unary(torch.atanh))
    erf = staticmethod(_unary(torch.erf))
    erfc = staticmethod(_unary(torch.erfc))
    floor = staticmethod(_unary(torch.floor))
    ceil = staticmethod(_unary(torch.ceil))
    round = staticmethod(_unary(torch.round))
    trunc = staticmethod(_unary(torch.trunc))
    isfinite = staticmethod(lambda x, out=None: filled(out, torch.isfinite(x)))
    isnan = staticmethod(lambda x, out=None: filled(out, torch.isnan(x)))
    isinf = staticmethod(lambda x, out=None: filled(out, torch.isinf(x)))
    matmul = staticmethod(torch.matmul)
    broadcast_to = staticmethod(torch.broadcast_to)
    swapaxes = staticmethod(torch.swapaxes)
    moveaxis = staticmethod(torch.movedim)
    isneginf = staticmethod(torch.isneginf)
    exp2 = staticmethod(_unary(torch.exp2))
    zeros_like = staticmethod(lambda x, shape=None: torch.zeros_like(x) if shape is None else x.new_zeros(shape))
    ones_like = staticmethod(torch.ones_like)
    empty_like = staticmethod(lambda x, shape=None: torch.empty_like(x) if shape is None else x.new_empty(shape))
    flip = staticmethod(lambda x, axis=None: torch.flip(x, axes_of(x, axis)))
    transpose = staticmethod(lambda x, axes: torch.permute(x, axes))
    array = staticmethod(torch.clone)
    ascontiguousarray = staticmethod(torch.Tensor.contiguous)
    tril = staticmethod(lambda x, k=0: torch.tril(x, k))
    triu = staticmethod(lambda x, k=0: torch.triu(x, k))

    @staticmethod
    def reshape(x: Any, shape: Any) -> Any:
        return torch.reshape(x, tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))

    @staticmethod
    def where(condition: Any, a: Any, b: Any) -> Any:
        return torch.where(condition, a, b)

    @staticmethod
    def concatenate(xs: Any, axis: int = 0, out: Any = None) -> Any:
        return torch.concatenate(tuple(xs), axis, out=out)

    @staticmethod
    def stack(xs: Any, axis: int = 0, out: Any = None) -> Any:
        return torch.stack(tuple(xs), axis, out=out)

    @staticmethod
    def cumsum(x: Any, axis: int, dtype: Any = None, out: Any = None) -> Any:
        return torch.cumsum(x, axis, dtype=torch_dtype(dtype or x.dtype), out=out)

    @staticmethod
    def cumprod(x: Any, axis: int, dtype: Any = None, out: Any = None) -> Any:
        return torch.cumprod(x, axis, dtype=torch_dtype(dtype or x.dtype), out=out)

    @staticmethod
    def clip(x: Any, low: Any, high: Any, out: Any = None) -> Any:
        return torch.clamp(x, low, high, out=out)

    @staticmethod
    def einsum(subscripts: str, *xs: Any, optimize: Any = False, out: Any = None) -> Any:
        return filled(out, torch.einsum(subscripts, *xs))

    @staticmethod
    def full_like(x: Any, value: float, shape: tuple[int, ...] | None = None) -> Any:
        return torch.full(x.shape if shape is None else shape, value, dtype=x.dtype, device=x.device)

    @staticmethod
    def argmax(x: Any, axis: int | None = None, out: Any = None) -> Any:
        return filled(out, Names._first(x, Names.max, axis))

    @staticmethod
    def argmin(x: Any, axis: int | None = None, out: Any = None) -> Any:
        return filled(out, Names._first(x, Names.min, axis))

    @staticmethod
    def argsort(x: Any, axis: int = -1, stable: bool = True) -> Any:
        return torch.argsort(x, dim=axis, stable=stable)

    @staticmethod
    def pad(x: Any, widths: Any, constant_values: float = 0.0) -> Any:
        ends = [n for pair in reversed(tuple(widths)) for n in pair]
        return torch.nn.functional.pad(x, ends, value=constant_values)

    @staticmethod
    def _first(x: Any, extreme: Callable[..., Any], axis: int | None) -> Any:
        """The first of tied entries, as NumPy; PyTorch names any of them."""
        x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
        at = x == extreme(x, axis=axis, keepdims=True)
        return torch.argmax(
            at.to(torch.uint8)
            * torch.arange(x.shape[axis], 0, -1, device=x.device).reshape(
                [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
            ),
            axis,
        )
