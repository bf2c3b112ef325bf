"""Pooling layers: the largest entry or the mean of every window."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.nn.images import SIZES, refuse_other_axes
from chainrule.nn.module import Module

Each = int | tuple[int, ...]


class _Pool(Module):
    """What pooling layers share."""

    axes: int
    kernel_size: Each
    stride: Each | None
    padding: Each

    def extra_repr(self) -> str:
        stride = self.stride if self.stride is not None else self.kernel_size
        shown = [f"kernel {self.kernel_size}", f"stride {stride}"]
        return ", ".join(shown + ([f"padding {self.padding}"] if self.padding else []))


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Each,
        stride: Each | None = None,
        padding: Each = 0,
        dilation: Each = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode

    def forward(self, x: Any) -> Any:
        """The largest entries."""
        refuse_other_axes(self, x, self.axes)
        return ops.max_pool(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Each,
        stride: Each | None = None,
        padding: Each = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        """The means."""
        refuse_other_axes(self, x, self.axes)
        settings = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return ops.avg_pool(x, *settings)


class _LPPool(_Pool):
    padding = 0

    def __init__(self, norm_type: float, kernel_size: Each, stride: Each | None = None) -> None:
        self.norm_type, self.kernel_size, self.stride = norm_type, kernel_size, stride

    def forward(self, x: Any) -> Any:
        """The norms."""
        refuse_other_axes(self, x, self.axes)
        return ops.lp_pool(x, self.norm_type, self.kernel_size, self.stride)


class _Adaptive(Module):
    axes: int
    function: Any

    def __init__(self, output_size: int | tuple[int | None, ...] | None) -> None:
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        """One number for each of output_size windows."""
        refuse_other_axes(self, x, self.axes)
        return type(self).function(x, self.output_size)

    def extra_repr(self) -> str:
        return str(self.output_size)


class GlobalAvgPool(Module):
    """The mean of every channel: (n, c, *size) → (n, c), whatever the size. Lin et al. (2014)."""

    def forward(self, x: Any) -> Any:
        """Means over all places."""
        return ops.global_avg_pool(x)


MAX = """The largest entry of every window, over {axes}. Shapes: x (n, c, {sizes}), result (n, c, *places).

    `stride` is the kernel unless said otherwise. Tied entries share the derivative equally, where PyTorch gives
    all of it to the first. 002 A.11, 000 (12.11).

    Raises:
        ShapeError: x has other axes, or the kernel does not fit in.
    """
AVG = """The mean of every window, over {axes}. Shapes: x (n, c, {sizes}), result (n, c, *places).

    `stride` is the kernel unless said otherwise. 000 (12.12).

    Raises:
        ShapeError: x has other axes, or the kernel does not fit in.
    """
LP = """The p-norm (Σ |x|ᵖ)^(1/p) of every window, p = norm_type, over {axes}. x (n, c, {sizes}).

    `stride` is the kernel unless said otherwise.

    Raises:
        ShapeError: x has other axes, or the kernel does not fit in.
    """
ADAPTIVE = """{what} of windows that share an image out into output_size places. x (n, c, {sizes}).

    Raises:
        ShapeError: x has other axes.
    """
AXES = {1: "one axis", 2: "two axes", 3: "three axes"}


def _pool(base: type, name: str, text: str, axes: int) -> Any:
    words = text.format(axes=AXES[axes], sizes=SIZES[axes])
    return type(name, (base,), {"axes": axes, "__doc__": words, "__module__": __name__})


def _adaptive(name: str, function: Any, what: str, axes: int) -> Any:
    words = ADAPTIVE.format(what=what, sizes=SIZES[axes])
    facets = {"axes": axes, "function": staticmethod(function), "__doc__": words, "__module__": __name__}
    return type(name, (_Adaptive,), facets)


MaxPool1d, MaxPool2d, MaxPool3d = (_pool(_MaxPool, f"MaxPool{d}d", MAX, d) for d in AXES)
AvgPool1d, AvgPool2d, AvgPool3d = (_pool(_AvgPool, f"AvgPool{d}d", AVG, d) for d in AXES)
LPPool1d, LPPool2d, LPPool3d = (_pool(_LPPool, f"LPPool{d}d", LP, d) for d in AXES)
AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d = (
    _adaptive(f"AdaptiveAvgPool{d}d", ops.adaptive_avg_pool, "Means", d) for d in AXES
)
AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d = (
    _adaptive(f"AdaptiveMaxPool{d}d", ops.adaptive_max_pool, "Largest entries", d) for d in AXES
)
