"""Parameters and buffers: the tensors that a module keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import backend_of, copied, dtype_of, is_host, kind_of, place_of, placed, put, xp
from chainrule.backends.interface import NATIVE
from chainrule.base.errors import DtypeError, GradientError, OptionError, ShapeError
from chainrule.core.batch import Batched, in_front
from chainrule.core.graph import Leaf, tick
from chainrule.core.reverse import EAGER
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words


class ParameterLeaf(Leaf):
    """The leaf of a parameter: gradients accumulate in place, in a buffer that many parameters may share.

    `filled` tells whether the buffer holds a gradient, so that clearing it costs nothing.
    """

    __slots__ = ("buffer", "filled", "flat", "recorded")

    def __init__(self, value: np.ndarray) -> None:
        self.buffer = xp(value).empty_like(value)
        self.filled = False
        self.recorded: Tensor | None = None
        self.flat: Any = None
        super().__init__(EAGER, value.shape)

    @property
    def grad(self) -> Tensor | None:
        """The gradient so far; None where there is none."""
        if self.recorded is not None:
            return self.recorded
        return Tensor(self.buffer) if self.filled else None

    @grad.setter
    def grad(self, value: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if value is not None:
            value = words.plain(words.operand(value))
            if tuple(value.shape) != self.shape:
                raise ShapeError(f"The gradient has shape {tuple(value.shape)}, the parameter {self.shape}.")
            self.buffer = put(self.buffer, value)
        self.recorded, self.filled = None, value is not None

    def accumulate(self, bar: Any) -> None:
        """Add a cotangent to the gradient."""
        if self.recorded is not None or isinstance(bar, Tensor):  # with a history of its own (create_graph)
            before = self.grad
            self.recorded = bar if before is None else before + bar
            self.buffer = put(self.buffer, words.plain(self.recorded))
            self.filled = True
        elif type(bar) not in NATIVE or type(self.buffer) is not np.ndarray:
            self._accumulate_elsewhere(bar)
        elif self.filled:
            self.buffer += bar
        else:
            self.buffer[...] = bar
            self.filled = True

    def _accumulate_elsewhere(self, bar: Any) -> None:
        """The same for arrays of other libraries."""
        here, there = backend_of(self.buffer).name, backend_of(bar).name
        if here != there:
            raise DtypeError(
                f"A parameter of {here} met data of {there}: its gradient came back from there.",
                fix=f'model.to("{there}") before the optimiser is made',
            )
        self.buffer = put(self.buffer, self.buffer + bar if self.filled else bar)
        self.filled = True


class Parameter(Tensor):
    """A tensor that is learned: a leaf that requires a gradient, found by its module under its name.

    Its values change in place (`assign`), so that views of them stay true. The data is copied.

    Raises:
        GradientError: the data is made of integers.
    """

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        value = copied(placed(words.plain(words.operand(data))))
        if kind_of(value) != "f":
            raise GradientError(
                f"A parameter is made of floating-point numbers, this is {dtype_of(value)}.",
                fix="floats (1.0 rather than 1), or Buffer for what is not learned",
            )
        super().__init__(value, EAGER, ParameterLeaf(value))

    def assign(self, data: Any) -> None:
        """Overwrite the values, keeping shape, dtype and place in memory (JAX has no places: the array is replaced).

        Raises:
            ShapeError: the shape differs.
        """
        new = words.plain(words.operand(data))
        if tuple(new.shape) != self.shape:
            raise ShapeError(f"A parameter of shape {self.shape} cannot take values of shape {tuple(new.shape)}.")
        self.value = put(self.value, new)
        self.node.written = tick()

    def __reduce__(self) -> Any:
        return type(self), (self.data,)  # a copy is a leaf of its own, without gradient

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("Tensor").replace(", requires_grad=True", "")


class Buffer(Tensor):
    """A tensor that a module keeps and saves but does not learn, such as running statistics."""

    __slots__ = ()

    def __init__(self, value: Any, trace: Any = None, node: Any = None, index: int = 0) -> None:
        super().__init__(placed(value) if is_host(value) else value, trace, node, index)

    def assign(self, data: Any) -> None:
        """Replace the values; a run that only repeats an earlier one (`checkpoint`) leaves them.

        Inside `vmap` a buffer that has one value for each example takes one value for each.

        Raises:
            OptionError: the values differ between examples, the buffer is the same for all.
        """
        if stack.again:
            return
        if isinstance(self, Batched) or isinstance(data, Batched):
            self.value = self._apart(words.astype(words.stop_gradient(data), self.dtype))
            return
        self.value = place_of(self.value).array(words.plain(words.operand(data)), self.dtype)
        self.trace = self.node = None

    def _apart(self, data: Any) -> Any:
        """One value for each example of the `vmap` that the buffer is apart in, with these in front."""
        own: Any = self.trace if isinstance(self, Batched) else None
        if isinstance(data, Batched) and data.trace is not own and (own is None or data.trace.level > own.level):
            raise OptionError(
                "A buffer that all examples of vmap share was given one value for each of them.",
                cause="running statistics in training, as batch norm's",
                fix="model.eval(), or cr.nn.Ensemble for several models",
            )
        return in_front(own.size, own.lower(data), getattr(data, "trace", None) is own)
