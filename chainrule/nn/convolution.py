"""Convolution layers, and transposed ones, over 1, 2 and 3 axes."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.nn import init
from chainrule.nn.images import channel_mismatch, refuse_other_axes
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.sizes import check_whole
from chainrule.ops import conv, conv_transpose
from chainrule.ops.convolution import padding_pairs
from chainrule.ops.padding import ENDS
from chainrule.ops.windows import each_axis

Each = int | tuple[int, ...]


class Convolution(Module):
    """What convolution layers share: sizes, weight (out, in/groups, *kernel), bias (out), errors."""

    result_name = "z"

    axes: int

    def _set_up(
        self, channels: tuple[int, int], kernel_size: Each, stride: Each, dilation: Each, groups: int, bias: bool
    ) -> None:
        self.in_channels, self.out_channels = channels
        check_whole(type(self).__name__, in_channels=channels[0], out_channels=channels[1], groups=groups)
        name = f"{type(self).__name__}({self.in_channels}, {self.out_channels}, ...)"
        if min(channels) < 1:
            raise OptionError(f"{type(self).__name__} needs one channel or more in and out, got {name}.")
        if groups < 1 or self.in_channels % groups or self.out_channels % groups:
            raise OptionError(
                f"{groups} groups do not divide the channels of {name}.",
                fix=f"groups={_largest_divisor(*channels, groups)}",
            )
        self.kernel_size = each_axis(kernel_size, self.axes, "kernel_size")
        self.stride = each_axis(stride, self.axes, "stride")
        self.dilation = each_axis(dilation, self.axes, "dilation")
        self.groups = groups
        self._with_bias = bias

    def _draw(self, shape: tuple[int, ...], start: Any) -> None:
        self.weight = Parameter(init.draw(start or "fan_in_uniform", shape))
        bound = 1 / sqrt(prod(shape[1:]))
        of_bias = init.zeros if start else init.uniform(-bound, bound)
        self.bias = Parameter(init.draw(of_bias, (self.out_channels,))) if self._with_bias else None

    def _check(self, x: Any) -> None:
        refuse_other_axes(self, x, self.axes, self.in_channels)
        if x.shape[1] != self.in_channels:
            raise channel_mismatch(self, x, self.in_channels, self._advice(x.shape[1]))

    def _advice(self, channels: int) -> str:
        kernel = self.kernel_size[0] if len(set(self.kernel_size)) == 1 else self.kernel_size
        return f"{type(self).__name__}({channels}, {self.out_channels}, {kernel})"

    def __repr__(self) -> str:
        settings = [f"kernel {_by(self.kernel_size)}", *self._settings()]
        settings += [f"dilation {_by(self.dilation)}"] if set(self.dilation) != {1} else []
        settings += [f"{self.groups} groups"] if self.groups > 1 else []
        settings += ["no bias"] if self.bias is None else []
        return f"{type(self).__name__}({self.in_channels} → {self.out_channels}, {', '.join(settings)})"

    def _settings(self) -> list[str]:
        return [f"stride {_by(self.stride)}"] if set(self.stride) != {1} else []


class _Conv(Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Each,
        stride: Each = 1,
        padding: Each | str | tuple[tuple[int, int], ...] = 0,
        dilation: Each = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        init: init.Initializer | str | None = None,
    ) -> None:
        self._set_up((in_channels, out_channels), kernel_size, stride, dilation, groups, bias)
        if padding_mode != "zeros" and padding_mode not in ENDS:
            raise OptionError(f"There is no padding_mode {padding_mode!r}.", known=", ".join(["zeros", *ENDS]))
        padding_pairs(padding, self.kernel_size, self.stride, self.dilation)
        self.padding, self.padding_mode = padding, padding_mode
        self._draw((out_channels, in_channels // groups, *self.kernel_size), init)

    def forward(self, x: Any) -> Any:
        """w ⋆ x + b."""
        self._check(x)
        return conv(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            padding_mode=self.padding_mode,
        )

    def _settings(self) -> list[str]:
        padding = f"padding {self.padding}" if self.padding not in (0, "valid") else ""
        mode = f" {self.padding_mode}" if self.padding_mode != "zeros" else ""
        return [*super()._settings(), *([padding + mode] if padding else [])]


class _ConvTranspose(Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Each,
        stride: Each = 1,
        padding: Each = 0,
        output_padding: Each = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Each = 1,
        init: init.Initializer | str | None = None,
    ) -> None:
        self._set_up((in_channels, out_channels), kernel_size, stride, dilation, groups, bias)
        self.padding = each_axis(padding, self.axes, "padding", 0)
        self.output_padding = each_axis(output_padding, self.axes, "output_padding", 0)
        if any(e >= s for e, s in zip(self.output_padding, self.stride, strict=True)):
            raise OptionError(
                f"output_padding is less than the stride, got {output_padding} with stride {stride}.",
                fix="output_padding=stride - 1 at most: it tells apart the sizes that a stride rounds together",
            )
        self._draw((in_channels, out_channels // groups, *self.kernel_size), init)

    def forward(self, x: Any) -> Any:
        """wᵀ ⋆ x + b."""
        self._check(x)
        settings = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return conv_transpose(x, self.weight, self.bias, *settings)

    def _settings(self) -> list[str]:
        settings = super()._settings()
        settings += [f"padding {_by(self.padding)}"] if any(self.padding) else []
        return settings + ([f"output_padding {_by(self.output_padding)}"] if any(self.output_padding) else [])


CONV = """Convolution layer over {axes}: y[n, o] = b[o] + Σ w[o, c] ⋆ x[n, c], w shared by all places.

    Shapes: x (n, in_channels, {sizes}), weight (out_channels, in_channels/groups, *kernel_size), bias
    (out_channels). What each setting means stands in `cr.conv`. Weights and bias start uniform on
    ±1/√(in_channels/groups · kernel), as in PyTorch, unless `init` says otherwise. 000 §12.1, 002 A.5-A.7.

    Raises:
        OptionError: a setting has the wrong size or value, or groups do not divide the channels.
        ShapeError: x has other axes or channels, or the kernel does not fit in.
    """

TRANSPOSED = """Transposed convolution layer over {axes}, which makes images larger: the adjoint of a convolution.

    Shapes: x (n, in_channels, {sizes}), weight (in_channels, out_channels/groups, *kernel_size), bias
    (out_channels); the size of the result stands in `cr.conv_transpose`. Starts as PyTorch's.

    Raises:
        OptionError: a setting has the wrong size or value, or groups do not divide the channels.
        ShapeError: x has other axes or channels.
    """

AXES = {1: ("one axis", "length"), 2: ("two axes", "height, width"), 3: ("three axes", "depth, height, width")}


def _layer(base: type, name: str, text: str, axes: int) -> Any:
    words = text.format(axes=AXES[axes][0], sizes=AXES[axes][1])
    return type(name, (base,), {"axes": axes, "__doc__": words, "__module__": __name__})


Conv1d, Conv2d, Conv3d = (_layer(_Conv, f"Conv{d}d", CONV, d) for d in AXES)
ConvTranspose1d, ConvTranspose2d, ConvTranspose3d = (
    _layer(_ConvTranspose, f"ConvTranspose{d}d", TRANSPOSED, d) for d in AXES
)


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes)) if len(set(sizes)) > 1 else str(sizes[0])


def _largest_divisor(a: int, b: int, most: int) -> int:
    return max(g for g in range(1, max(1, min(most, a, b)) + 1) if not (a % g or b % g))
