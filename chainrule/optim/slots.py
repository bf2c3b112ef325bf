"""Slot: an array of any library that changes in place, so that an optimiser's `update` is written once.

The updates are NumPy: `np.multiply(g, lr, out=step); theta -= step`. NumPy hands a call on a slot back to the slot
(`__array_ufunc__`), which runs the library's function of that name and takes the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import Backend, backend_of, put


class Slot(np.lib.mixins.NDArrayOperatorsMixin):
    """A place that holds an array; operators and NumPy's functions entry by entry work on it, also with `out=`.

    >>> slot = Slot(np.ones(2))
    >>> slot *= 3.0
    >>> np.add(slot, 1.0, out=slot).array
    array([4., 4.])
    """

    __slots__ = ("array", "backend")

    def __init__(self, array: Any, backend: Backend | None = None) -> None:
        self.array = array
        self.backend = backend or backend_of(array)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **settings: Any) -> Any:
        if method != "__call__" or settings:
            return NotImplemented
        arrays = [a.array if isinstance(a, Slot) else a for a in inputs]
        name = ufunc.__name__
        if out is None:
            return Slot(getattr(self.backend.xp, name)(*arrays), self.backend)
        (place,) = out
        if self.backend.in_place:
            getattr(self.backend.xp, name)(*arrays, out=place.array)
        else:
            place.array = getattr(self.backend.xp, name)(*arrays).astype(place.array.dtype)
        return place

    def __getitem__(self, key: Any) -> Slot:
        return Slot(self.array[key], self.backend)

    def __setitem__(self, key: Any, values: Any) -> None:
        if key is not Ellipsis:
            raise IndexError("a slot is overwritten as a whole: slot[...] = values")
        self.array = put(self.array, values.array if isinstance(values, Slot) else values)
