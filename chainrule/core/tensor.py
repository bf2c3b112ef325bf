"""Tensor: a value that may remember how it was made."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from chainrule.backends import backend_of, dtype_of
from chainrule.backends.interface import NATIVE, is_array
from chainrule.base.errors import DtypeError, GradientError, ShapeError
from chainrule.base.source import caller
from chainrule.core.spec import Spec, UnknownNumbersError
from chainrule.core.vocabulary import words

UFUNCS = {"absolute": "abs"}
"""NumPy's names that are not ours."""


class Tensor:
    """An array that may remember how it was made, so that derivatives can be taken.

    Made by `cr.tensor(...)`; `requires_grad=True` marks a leaf whose gradient is wanted. Operators and methods
    are NumPy's and PyTorch's. With a history, `backward()` fills `grad` of the leaves below.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "index", "node", "trace", "value")

    def __init__(self, value: Any, trace: Any = None, node: Any = None, index: int = 0) -> None:
        self.value = value  # a plain array, or a tensor of a lower transformation
        self.trace = trace
        self.node = node
        self.index = index

    # What it is.

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def dtype(self) -> np.dtype:
        dtype = self.value.dtype
        return dtype if isinstance(dtype, np.dtype) else dtype_of(self.value)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def data(self) -> Any:
        """The plain array underneath, without its history."""
        value = self.value
        while isinstance(value, Tensor):
            value = value.value
        return value

    @property
    def requires_grad(self) -> bool:
        """Whether a derivative with respect to this tensor, or to something it was made from, can be asked."""
        return self.trace is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user rather than by an operation."""
        return self.node is None or self.node.primitive is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` has accumulated here; None before."""
        return None if self.node is None else self.node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if self.node is None or self.node.primitive is not None:
            raise GradientError("Only a leaf tensor has a gradient to set.", fix="x.requires_grad_()")
        self.node.grad = value

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array (no copy where the backend allows it).

        Raises:
            UnknownNumbersError: only its shape is known, as in `nn.summary`, or while a plan is recorded.
        """
        data = self.data
        if isinstance(data, Spec):
            raise UnknownNumbersError(
                "A number was asked of a tensor of which only the shape is known.",
                tensor=f"{data.dtype} {data.shape}",
                line=caller(),
                fix="cr.where(condition, a, b) in place of if; return the tensor, and look at it outside",
            )
        return np.asarray(backend_of(data).to_numpy(data))

    def item(self) -> Any:
        """The one number of a tensor of size 1.

        Raises:
            ShapeError: it holds more, or none.
        """
        numbers = self.numpy()
        if numbers.size != 1:
            raise ShapeError(
                f"One number was asked of a tensor of shape {self.shape}.",
                fix="x.mean() or x.sum() first, x[0] for one entry, or x.numpy() for all",
            )
        return numbers.item()

    def tolist(self) -> Any:
        """The values as nested lists."""
        return self.numpy().tolist()

    def detach(self) -> Tensor:
        """The same values without history: `stop_gradient`."""
        return words.stop_gradient(self)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Make this tensor a leaf whose gradient is wanted, or freeze a leaf; returns itself."""
        return words.require_grad(self) if wanted else words.freeze(self)

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Fill `grad` of every leaf with dL/d(leaf), where L is this tensor; gradients accumulate.

        The history is freed on the way unless `retain_graph`. With `create_graph` the gradients have a history
        of their own, so that they can be differentiated again.

        Raises:
            GradientError: no leaf below requires a gradient, the history was freed, or L is no scalar and no
                `gradient` (the cotangent, of the same shape) was given.
        """
        words.backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def __repr__(self) -> str:
        if isinstance(self.data, Spec):
            return f"Tensor(numbers not known yet, shape {self.shape}, {self.dtype})"
        numbers = np.array2string(self.numpy(), separator=", ", prefix="Tensor(")
        dtype = "" if self.numpy().dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.numpy().dtype}"
        return f"Tensor({numbers}{dtype}{', requires_grad=True' if self.requires_grad else ''})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        """NumPy's functions on tensors are ours of the same name: `np.exp(x)` is `cr.exp(x)`, and so is `array @ x`."""
        called = str(ufunc.__name__)
        name = UFUNCS.get(called, called)
        if method == "__call__" and not settings and hasattr(words, name):
            return getattr(words, name)(*inputs)
        if not hasattr(words, name):
            fix = f"np.{called}(x.numpy()) where no derivative is wanted"
            raise DtypeError(f"There is no np.{called} of a tensor.", fix=fix)
        raise DtypeError(
            f"np.{called} with a tensor gives a new one, it writes into no array as `+=` and `out` would have it.",
            fix=f"y = cr.{name}(...)",
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"A tensor of shape {self.shape} is neither true nor false: if, while, and, or, not ask for one.",
                fix="x.numpy().all() or x.numpy().any(); cr.where(x, a, b) to choose entry by entry",
            )
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.size == 1 and spec else str(self)

    __hash__ = object.__hash__

    # Operators. What each means stands in `chainrule.ops`.

    def __add__(self, other: Any) -> Any:
        return words.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return words.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return words.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return words.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return words.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return words.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return words.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return words.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return words.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return words.power(other, self)

    def __neg__(self) -> Any:
        return words.negative(self)

    def __invert__(self) -> Any:
        return words.logical_not(self)

    def __abs__(self) -> Any:
        return words.abs(self)

    def __matmul__(self, other: Any) -> Any:
        return words.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return words.matmul(other, self)

    def __gt__(self, other: Any) -> Any:
        return words.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return words.greater_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return words.less(self, other)

    def __le__(self, other: Any) -> Any:
        return words.less_equal(self, other)

    def __eq__(self, other: Any) -> Any:
        return False if other is None else words.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else words.not_equal(self, other)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise GradientError(
            "A tensor is not changed in place: what was made from it would have another history.",
            tensor=f"{self.dtype} {self.shape}",
            fix="y = cr.index_put(x, key, value), or cr.where(condition, value, x)",
        )

    def __getitem__(self, key: Any) -> Any:
        return words.index(self, key)

    # Methods, as NumPy and PyTorch name them; `dim` and `keepdim` are understood for `axis` and `keepdims`.

    @property
    def T(self) -> Any:
        return words.transpose(self)

    def sum(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.sum(self, axis=axis, keepdims=keepdims, **names)

    def mean(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.mean(self, axis=axis, keepdims=keepdims, **names)

    def var(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.var(self, axis=axis, keepdims=keepdims, **names)

    def std(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.std(self, axis=axis, keepdims=keepdims, **names)

    def max(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.max(self, axis=axis, keepdims=keepdims, **names)

    def min(self, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.min(self, axis=axis, keepdims=keepdims, **names)

    def norm(self, ord: float = 2, axis: Any = None, keepdims: bool = False, **names: Any) -> Any:
        return words.norm(self, ord, axis=axis, keepdims=keepdims, **names)

    def argmax(self, axis: int | None = None, **names: Any) -> Any:
        return words.argmax(self, axis=axis, **names)

    def argmin(self, axis: int | None = None, **names: Any) -> Any:
        return words.argmin(self, axis=axis, **names)

    def softmax(self, axis: int = -1, **names: Any) -> Any:
        return words.softmax(self, axis=axis, **names)

    def log_softmax(self, axis: int = -1, **names: Any) -> Any:
        return words.log_softmax(self, axis=axis, **names)

    def reshape(self, *shape: Any) -> Any:
        return words.reshape(self, *shape)

    view = reshape

    def flatten(self, start: int = 0) -> Any:
        return words.flatten(self, start)

    def transpose(self, *axes: Any) -> Any:
        return words.transpose(self, *axes)

    def permute(self, *axes: Any) -> Any:
        return words.reordered(self, *axes)

    def swapaxes(self, a: int, b: int) -> Any:
        return words.swapaxes(self, a, b)

    def squeeze(self, axis: Any = None) -> Any:
        return words.squeeze(self, axis)

    def expand_dims(self, axis: int) -> Any:
        return words.expand_dims(self, axis)

    unsqueeze = expand_dims

    def broadcast_to(self, shape: tuple[int, ...]) -> Any:
        return words.broadcast_to(self, shape=shape)

    def astype(self, dtype: Any) -> Any:
        return words.astype(self, dtype=np.dtype(dtype))

    to = astype

    def float(self) -> Any:
        return self.astype(np.float32)

    def double(self) -> Any:
        return self.astype(np.float64)

    def long(self) -> Any:
        return self.astype(np.int64)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        return words.clip(self, low, high)

    clamp = clip

    def exp(self) -> Any:
        return words.exp(self)

    def log(self) -> Any:
        return words.log(self)

    def sin(self) -> Any:
        return words.sin(self)

    def cos(self) -> Any:
        return words.cos(self)

    def sqrt(self) -> Any:
        return words.sqrt(self)

    def abs(self) -> Any:
        return words.abs(self)

    def square(self) -> Any:
        return words.square(self)

    def pow(self, exponent: Any) -> Any:
        return words.power(self, exponent)

    def tanh(self) -> Any:
        return words.tanh(self)

    def sigmoid(self) -> Any:
        return words.sigmoid(self)

    def relu(self) -> Any:
        return words.relu(self)

    def numel(self) -> int:
        return self.size

    def dim(self) -> int:
        return self.ndim

    def clone(self) -> Any:
        return self + 0

    def cpu(self) -> Any:
        return self


# Rules are written with the operators and attributes of tensors, which are NumPy's too. Arrays of other libraries
# run through them in a box.


def is_foreign(value: Any) -> bool:
    """Whether a value is a plain array, or a tuple of them, of another library than NumPy."""
    if type(value) in NATIVE:
        return False
    first = value[0] if type(value) is tuple and value else value
    return type(first) not in NATIVE and not isinstance(first, Tensor) and is_array(first)


def boxed(x: Any) -> Any:
    """Plain arrays as constant tensors; what is none stays."""
    if type(x) is tuple:
        return tuple(map(boxed, x))
    return Tensor(x) if is_array(x) else x


def unboxed(x: Any) -> Any:
    """Constant tensors as plain arrays; those with a history stay."""
    if type(x) is tuple:
        return tuple(map(unboxed, x))
    return x.value if isinstance(x, Tensor) and x.trace is None else x
