"""One buffer for all parameters, one for all gradients: an update, a clip, a checkpoint is one operation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.backends import backend_of, flat_zeros, xp
from chainrule.base.errors import DtypeError, GradientError, OptionError
from chainrule.nn.holdings import looks_different
from chainrule.nn.parameter import Parameter, clear


class Flat:
    """Parameters of one dtype laid end to end; `values` and `grads` are flat arrays that they are views of.

    >>> import chainrule as cr
    >>> layer = cr.nn.Linear(3, 2)
    >>> flat = cr.nn.Flat.of(layer.parameters())
    >>> flat.values.shape, np.shares_memory(flat.values, layer.weight.data)
    ((8,), True)
    """

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.parameters = list(dict.fromkeys(parameters))
        if not self.parameters:
            raise OptionError(
                "There is nothing to optimise: no parameter was given.",
                fix="a model whose attributes hold layers that learn (parameters() can be read through only once)",
            )
        dtypes = {p.dtype for p in self.parameters}
        if len(dtypes) > 1:
            found = " and ".join(sorted(map(str, dtypes)))
            raise DtypeError(
                f"Parameters of one optimiser have one dtype, these have {found}.",
                fix='model.astype("float32")',
            )
        ends = np.cumsum([p.size for p in self.parameters])
        self.places = [slice(int(e) - p.size, int(e)) for p, e in zip(self.parameters, ends, strict=True)]
        self._join(int(ends[-1]))

    def _join(self, size: int) -> None:
        """Make the buffers and move the parameters in."""
        first = self.parameters[0].value
        self.values: Any = backend_of(first).flat_like(first, size)
        self.grads: Any = flat_zeros(first, size)
        for p, place in zip(self.parameters, self.places, strict=True):
            self._move_in(p, place)
        looks_different()

    @staticmethod
    def of(parameters: Iterable[Parameter]) -> Flat:
        """The buffer these parameters share already, or a new one that they are moved to."""
        parameters = list(dict.fromkeys(parameters))
        flat = parameters[0].node.flat if parameters else None
        if flat is None or len(flat.parameters) != len(parameters):
            return _joined(parameters)
        pairs = zip(parameters, flat.parameters, strict=True)
        return flat if all(p.node.flat is flat and p is q for p, q in pairs) else _joined(parameters)

    def _move_in(self, p: Parameter, place: slice) -> None:
        leaf = p.node
        self.values[place] = p.value.ravel()
        self.grads[place] = leaf.buffer.ravel() if leaf.filled else 0
        p.value = self.values[place].reshape(p.shape)
        leaf.buffer = self.grads[place].reshape(p.shape)
        leaf.flat = self

    def runs(self) -> list[slice]:
        """The stretches of the buffers whose parameters have a gradient; one slice where all have.

        Raises:
            GradientError: the parameters have been moved to another buffer since.
        """
        self.check()
        stretches: list[slice] = []
        for p, place in zip(self.parameters, self.places, strict=True):
            leaf = p.node
            if leaf.filled and stretches and stretches[-1].stop == place.start:
                stretches[-1] = slice(stretches[-1].start, place.stop)
            elif leaf.filled:
                stretches.append(place)
        return stretches

    def check(self) -> None:
        """The parameters are still in this buffer.

        Raises:
            GradientError: they have been moved to another one.
        """
        if any([p.node.flat is not self for p in self.parameters]):
            raise GradientError(
                "These parameters were moved out of this buffer, by another optimiser or by astype.",
                fix="make one optimiser over all of them, after astype",
            )

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            clear(p.node)


class Gathered(Flat):
    """A flat buffer for arrays that never change, as JAX's: the parameters are kept apart and are what counts.

    `values` and `grads` are gathered when they are read; a new `values` is cut into parameters again.
    """

    def _join(self, size: int) -> None:
        for p in self.parameters:
            p.node.flat = self

    @property
    def values(self) -> Any:
        return self._gathered([p.value for p in self.parameters])

    @values.setter
    def values(self, new: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        for p, place in zip(self.parameters, self.places, strict=True):
            p.value = new[place].reshape(p.shape)

    @property
    def grads(self) -> Any:
        return self._gathered([p.node.buffer for p in self.parameters])

    def _gathered(self, arrays: list[Any]) -> Any:
        return xp(arrays[0]).concatenate([a.reshape(-1) for a in arrays])


def _joined(parameters: list[Parameter]) -> Flat:
    mutable = not parameters or backend_of(parameters[0].value).in_place
    return Flat(parameters) if mutable else Gathered(parameters)
