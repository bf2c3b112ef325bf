"""Normalisation within each sample: over groups of channels, single channels, or by the root mean square."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn.images import channel_mismatch, refuse_other_axes
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.sizes import nearest_divisor
from chainrule.ops import mean, reshape, sqrt, square
from chainrule.ops.normalisation import standardise


def _by_groups(x: Any, groups: int, eps: float) -> Any:
    """(x − μ)/√(σ² + ε) with statistics over each group of channels and all places."""
    rows = reshape(x, x.shape[0], groups, -1) if x.size else x
    return reshape(standardise(rows, -1, eps)[0], tuple(x.shape))


def _scaled(x: Any, scale: Any, shift: Any) -> Any:
    places = [1] * (len(x.shape) - 2)
    return x if scale is None else x * reshape(scale, -1, *places) + reshape(shift, -1, *places)


class GroupNorm(Module):
    """Group normalisation: y = γ (z − μ)/√(σ² + ε) + β, statistics over num_groups groups of channels.

    Shapes: z (n, num_channels, *size); γ (weight) and β (bias) have a number a channel. With one group it is layer
    norm over channels and places, with a group a channel instance norm. Wu & He (2018); 000 (14.7).

    Raises:
        OptionError: the groups do not divide the channels.
        ShapeError: axis 1 is not the channels.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        if num_groups < 1 or num_channels < 1 or num_channels % num_groups:
            raise OptionError(
                f"GroupNorm: {num_groups} groups do not divide {num_channels} channels.",
                fix=f"num_groups={nearest_divisor(num_channels, num_groups)}"
                if num_channels > 0
                else "one channel or more",
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = Parameter(np.ones(num_channels, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, np.float32)) if affine else None

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        if len(x.shape) < 2:
            raise ShapeError(
                f"GroupNorm expects (n, {self.num_channels}, *size), got {tuple(x.shape)}.", input=tuple(x.shape)
            )
        if x.shape[1] != self.num_channels:
            raise channel_mismatch(self, x, self.num_channels, f"GroupNorm({self.num_groups}, {x.shape[1]})")
        return _scaled(_by_groups(x, self.num_groups, self.eps), self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.num_groups} groups of {self.num_channels} channels"


class _InstanceNorm(Module):
    axes: int

    def __init__(self, num_features: int, eps: float = 1e-5, *, affine: bool = False) -> None:
        if num_features < 1:
            raise OptionError(f"{type(self).__name__} needs one channel or more, got {num_features}.")
        self.num_features, self.eps = num_features, eps
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine else None

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        refuse_other_axes(self, x, self.axes, self.num_features)
        if x.shape[1] != self.num_features:
            raise channel_mismatch(self, x, self.num_features, f"{type(self).__name__}({x.shape[1]})")
        if prod(x.shape[2:]) < 2:
            raise ShapeError(
                f"{type(self).__name__} needs two places a channel or more, got {prod(x.shape[2:])}.",
                input=tuple(x.shape),
                fix="fewer pooling layers before it, or GroupNorm",
            )
        return _scaled(_by_groups(x, self.num_features, self.eps), self.weight, self.bias)

    def extra_repr(self) -> str:
        return str(self.num_features)


INSTANCE = """Instance normalisation: y = (z − μ)/√(σ² + ε), statistics over the places of each channel of each sample.

    Shapes: z (n, num_features, {sizes}). With `affine`, γ y + β with a number a channel. It keeps no running
    statistics: training and evaluation are the same. Ulyanov et al. (2016); 000 (14.8).

    Raises:
        OptionError: num_features is less than 1.
        ShapeError: x has other axes or channels, or one place only.
    """


def _instance(axes: int, sizes: str) -> Any:
    facets = {"axes": axes, "__doc__": INSTANCE.format(sizes=sizes), "__module__": __name__}
    return type(f"InstanceNorm{axes}d", (_InstanceNorm,), facets)


InstanceNorm1d = _instance(1, "length")
InstanceNorm2d = _instance(2, "height, width")
InstanceNorm3d = _instance(3, "depth, height, width")


class RMSNorm(Module):
    """y = γ z / √(mean z² + ε) over the last axes: layer norm without the mean. Zhang & Sennrich (2019).

    Shapes: z (…, *normalized_shape), γ (weight) normalized_shape. ε is the rounding unit of z's dtype unless
    said otherwise, as in PyTorch.

    Raises:
        OptionError: normalized_shape has no axis, or a size less than 1.
        ShapeError: the last axes of z are not normalized_shape.
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not sizes or min(sizes) < 1:
            raise OptionError(f"RMSNorm needs sizes of 1 or more, got {normalized_shape}.")
        self.normalized_shape, self.eps = sizes, eps
        self.weight = Parameter(np.ones(sizes, np.float32)) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """γ x / √(mean x² + ε)."""
        k = len(self.normalized_shape)
        if tuple(x.shape[-k:]) != self.normalized_shape:
            last = "the last axis" if k == 1 else f"the last {k} axes"
            raise ShapeError(
                f"RMSNorm expects {self.extra_repr()} in {last}, got {', '.join(map(str, x.shape[-k:])) or 'no axis'}.",
                input=tuple(x.shape),
            )
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        y = x / sqrt(mean(square(x), tuple(range(-k, 0)), keepdims=True) + eps)
        return y if self.weight is None else y * self.weight

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))
