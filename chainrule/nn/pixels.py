"""Modules that exchange channels with places, or groups of channels with each other."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError
from chainrule.nn.module import Module


class _Exchange(Module):
    function: Any

    def __init__(self, factor: int) -> None:
        if factor < 1:
            raise OptionError(f"{type(self).__name__} takes a whole number from 1 on, got {factor}.")
        self.factor = factor

    def forward(self, x: Any) -> Any:
        """The entries in their new places."""
        return type(self).function(x, self.factor)

    def extra_repr(self) -> str:
        return str(self.factor)


class PixelShuffle(_Exchange):
    """Channels as finer pixels: (…, c r², h, w) → (…, c, h r, w r) for the factor r. Shi et al. (2016).

    Raises:
        OptionError: the factor is less than 1.
        ShapeError: the channels are no multiple of r².
    """

    function = staticmethod(ops.pixel_shuffle)


class PixelUnshuffle(_Exchange):
    """Pixels as channels: (…, c, h r, w r) → (…, c r², h, w), the inverse of `PixelShuffle`.

    Raises:
        OptionError: the factor is less than 1.
        ShapeError: height or width is no multiple of r.
    """

    function = staticmethod(ops.pixel_unshuffle)


class ChannelShuffle(_Exchange):
    """Channels of so many groups dealt out anew: (n, c, …) → (n, c, …). Zhang et al. (2018).

    Raises:
        OptionError: there is no group.
        ShapeError: the channels do not divide into the groups.
    """

    function = staticmethod(ops.channel_shuffle)
