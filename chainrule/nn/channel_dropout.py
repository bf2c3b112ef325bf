"""Dropout of whole channels, for neighbours that hold much the same. Tompson et al. (2015)."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.nn.dropout import Dropout
from chainrule.nn.images import SIZES, refuse_other_axes

TEXT = """In training each channel of each sample is dropped with probability p, the others scaled by 1/(1 − p).

    In evaluation it passes everything. Shapes: x (n, c, {sizes}).

    Raises:
        OptionError: p is not in [0, 1].
        ShapeError: x has other axes.
    """


class _ChannelDropout(Dropout):
    axes: int

    def forward(self, x: Any) -> Any:
        """x with channels dropped, in training."""
        refuse_other_axes(self, x, self.axes)
        if not self.training:
            return x
        whole = ops.ones_like(x[(slice(None), slice(None), *[slice(0, 1)] * self.axes)])
        return x * ops.dropout(whole, self.p)


def _of(axes: int) -> Any:
    facets = {"axes": axes, "__doc__": TEXT.format(sizes=SIZES[axes]), "__module__": __name__}
    return type(f"Dropout{axes}d", (_ChannelDropout,), facets)


Dropout1d, Dropout2d, Dropout3d = (_of(axes) for axes in (1, 2, 3))
