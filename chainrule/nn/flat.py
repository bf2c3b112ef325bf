"""One buffer for all parameters, one for all gradients: an update, a clip, a checkpoint is one operation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chainrule.base.errors import DtypeError, GradientError, OptionError
from chainrule.nn.parameter import Parameter


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
            raise OptionError("There is nothing to optimise: no parameter was given.")
        dtypes = {p.dtype for p in self.parameters}
        if len(dtypes) > 1:
            found = " and ".join(sorted(map(str, dtypes)))
            raise DtypeError(
                f"Parameters of one optimiser have one dtype, these have {found}.",
                fix='model.astype("float32")',
            )
        ends = np.cumsum([p.size for p in self.parameters])
        self.places = [slice(int(e) - p.size, int(e)) for p, e in zip(self.parameters, ends, strict=True)]
        self.values = np.empty(int(ends[-1]), dtypes.pop())
        self.grads = np.zeros_like(self.values)
        for p, place in zip(self.parameters, self.places, strict=True):
            self._move_in(p, place)

    @staticmethod
    def of(parameters: Iterable[Parameter]) -> Flat:
        """The buffer these parameters share already, or a new one that they are moved to."""
        parameters = list(dict.fromkeys(parameters))
        flat = parameters[0].node.flat if parameters else None
        if flat is None or len(flat.parameters) != len(parameters):
            return Flat(parameters)
        pairs = zip(parameters, flat.parameters, strict=True)
        return flat if all(p.node.flat is flat and p is q for p, q in pairs) else Flat(parameters)

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
        stretches: list[slice] = []
        for p, place in zip(self.parameters, self.places, strict=True):
            leaf = p.node
            if leaf.flat is not self:
                raise GradientError(
                    "These parameters were moved out of this buffer, by another optimiser or by astype.",
                    fix="make one optimiser over all of them, after astype",
                )
            if leaf.filled and stretches and stretches[-1].stop == place.start:
                stretches[-1] = slice(stretches[-1].start, place.stop)
            elif leaf.filled:
                stretches.append(place)
        return stretches

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.node.filled, p.node.recorded = False, None
