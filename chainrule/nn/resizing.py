"""Layers that change the size of images: padding, upsampling, windows taken out and put back."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError
from chainrule.nn.images import SIZES, refuse_other_axes
from chainrule.nn.module import Module


class Upsample(Module):
    """Images of another size, by repeating entries or by means of neighbours; see `cr.upsample`.

    Raises:
        OptionError: there is no such mode, or not exactly one of size and scale_factor is given.
        ShapeError: x has other axes than the mode is for.
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> None:
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x: Any) -> Any:
        """x in the new size."""
        return ops.upsample(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        target = f"x {self.scale_factor}" if self.size is None else f"to {self.size}"
        return f"{target}, {self.mode}"


class Unfold(Module):
    """Windows as columns (im2col); see `cr.unfold`. Shapes: x (n, c, *size), result (n, c · kernel, places)."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        self.settings = (kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Any:
        """The columns."""
        return ops.unfold(x, *self.settings)

    def extra_repr(self) -> str:
        return f"kernel {self.settings[0]}"


class Fold(Module):
    """Columns added up where they came from (col2im); see `cr.fold`."""

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        self.settings = (output_size, kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Any:
        """The image."""
        return ops.fold(x, *self.settings)

    def extra_repr(self) -> str:
        return f"to {self.settings[0]}, kernel {self.settings[1]}"


class _Pad(Module):
    axes: int
    mode: str
    value = 0.0

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        flat = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(flat) != 2 * self.axes or not all(isinstance(p, int) and p >= 0 for p in flat):
            raise OptionError(
                f"{type(self).__name__} takes a width of 0 or more or {2 * self.axes} of them, from the last axis to "
                f"the first, got {padding}."
            )
        self.padding = flat

    def forward(self, x: Any) -> Any:
        """x with entries around."""
        refuse_other_axes(self, x, self.axes)
        pairs = [self.padding[2 * i : 2 * i + 2] for i in reversed(range(self.axes))]
        return ops.pad(x, pairs, self.mode, self.value)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.padding))


class _ConstantPad(_Pad):
    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value


PAD = """{what} around (n, c, {sizes}): one width, or two an axis in PyTorch's order, from the last axis to the first.

    Raises:
        OptionError: the widths are too many, too few or negative.
        ShapeError: x has other axes, or is too short for the widths.
    """


def _pads(name: str, mode: str, what: str, base: type = _Pad) -> list[Any]:
    def made(axes: int) -> Any:
        words = PAD.format(what=what, sizes=SIZES[axes])
        return type(f"{name}{axes}d", (base,), {"axes": axes, "mode": mode, "__doc__": words, "__module__": __name__})

    return [made(axes) for axes in SIZES]


ZeroPad1d, ZeroPad2d, ZeroPad3d = _pads("ZeroPad", "constant", "Zeros")
ConstantPad1d, ConstantPad2d, ConstantPad3d = _pads("ConstantPad", "constant", "One number", _ConstantPad)
ReflectionPad1d, ReflectionPad2d, ReflectionPad3d = _pads("ReflectionPad", "reflect", "Mirrored entries")
ReplicationPad1d, ReplicationPad2d, ReplicationPad3d = _pads("ReplicationPad", "replicate", "Repeated edges")
CircularPad1d, CircularPad2d, CircularPad3d = _pads("CircularPad", "circular", "Entries of the other end")
