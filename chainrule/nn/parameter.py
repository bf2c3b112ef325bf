"""Parameters and buffers: the tensors that a module keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import GradientError, ShapeError
from chainrule.core.graph import Leaf, tick
from chainrule.core.reverse import EAGER
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words


class ParameterLeaf(Leaf):
    """The leaf of a parameter: gradients accumulate in place, in a buffer that many parameters may share.

    `filled` tells whether the buffer holds a gradient, so that clearing it costs nothing.
    """

    __slots__ = ("buffer", "filled", "flat", "recorded")

    def __init__(self, value: np.ndarray) -> None:
        self.buffer = np.empty_like(value)
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
            value = np.asarray(words.plain(value))
            if value.shape != self.shape:
                raise ShapeError(f"The gradient has shape {value.shape}, the parameter {self.shape}.")
            self.buffer[...] = value
        self.recorded, self.filled = None, value is not None

    def accumulate(self, bar: Any) -> None:
        """Add a cotangent to the gradient."""
        if self.recorded is not None or isinstance(bar, Tensor):  # with a history of its own (create_graph)
            before = self.grad
            self.recorded = bar if before is None else before + bar
            self.buffer[...] = words.plain(self.recorded)
            self.filled = True
        elif self.filled:
            self.buffer += bar
        else:
            self.buffer[...] = bar
            self.filled = True


class Parameter(Tensor):
    """A tensor that is learned: a leaf that requires a gradient, found by its module under its name.

    Its values change in place (`assign`), so that views of them stay true. The data is copied.

    Raises:
        GradientError: the data is made of integers.
    """

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        value = np.array(words.plain(words.operand(data)))
        if value.dtype.kind != "f":
            raise GradientError(
                f"A parameter is made of floating-point numbers, this is {value.dtype}.",
                fix="floats (1.0 rather than 1), or Buffer for what is not learned",
            )
        super().__init__(value, EAGER, ParameterLeaf(value))

    def assign(self, data: Any) -> None:
        """Overwrite the values, keeping shape, dtype and place in memory.

        Raises:
            ShapeError: the shape differs.
        """
        new = np.asarray(words.plain(data))
        if new.shape != self.shape:
            raise ShapeError(f"A parameter of shape {self.shape} cannot take values of shape {new.shape}.")
        self.value[...] = new
        self.node.written = tick()

    def __reduce__(self) -> Any:
        return type(self), (self.data,)  # a copy is a leaf of its own, without gradient

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("Tensor").replace(", requires_grad=True", "")


class Buffer(Tensor):
    """A tensor that a module keeps and saves but does not learn, such as running statistics."""

    __slots__ = ()

    def assign(self, data: Any) -> None:
        """Replace the values."""
        self.value = np.asarray(words.plain(data), dtype=self.dtype)
        self.trace = self.node = None
