"""An array without its numbers: shape and dtype, enough to prove that a model fits together."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from chainrule.backends import dtype_of
from chainrule.base.errors import DtypeError


class UnknownNumbersError(DtypeError):
    """A number was asked for where only shapes are known: in a proof of shapes, or while a plan is recorded."""


@dataclass(frozen=True)
class Spec:
    """The shape and dtype of an array that need not exist."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize


def spec_of(value: object) -> Spec:
    """The shape and dtype of an array, a tensor or a spec."""
    if isinstance(value, Spec):
        return value
    dtype = value.dtype  # type: ignore[attr-defined]
    return Spec(tuple(value.shape), dtype if isinstance(dtype, np.dtype) else dtype_of(value))  # type: ignore[attr-defined]
