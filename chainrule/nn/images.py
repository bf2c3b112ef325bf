"""What layers on images (and signals, and volumes) ask of their input: (n, channels, *sizes), and say if not."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import ShapeError

SIZES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def refuse_other_axes(layer: Any, x: Any, axes: int, channels: int | str = "channels") -> None:
    """Check the number of axes.

    Raises:
        ShapeError: there are more or fewer than the batch, the channels and the sizes.
    """
    shape = tuple(x.shape)
    if len(shape) == axes + 2:
        return
    raise ShapeError(
        f"{type(layer).__name__} expects (n, {channels}, {SIZES[axes]}), got {shape}.",
        input=f"{shape}   {len(shape)} {'axis' if len(shape) == 1 else 'axes'}",
        fix=_axes_wanted(shape, axes, channels),
    )


def _axes_wanted(shape: tuple[int, ...], axes: int, channels: int | str) -> str:
    if len(shape) == axes + 1:
        if channels == 1 and shape[0] != 1:
            return "x[:, None] adds the axis of the one channel"
        return "x[None] adds the axis of the batch (one example)"
    if len(shape) == 2 and axes == 2:
        return f"x.reshape(len(x), {channels}, height, width): rows of pixels are no images"
    return f"x.reshape(n, {channels}, {SIZES[axes]})"


def channel_mismatch(layer: Any, x: Any, channels: int, otherwise: str) -> ShapeError:
    """The error of an input whose axis 1 is not the channels."""
    shape = tuple(x.shape)
    last = len(shape) - 1
    fix = otherwise
    if shape[-1] == channels and (last == 2 or shape[-2] != channels):
        order = ", ".join(map(str, (0, last, *range(1, last))))
        fix = f"x.transpose({order}) (channels are axis 1, not the last)"
    elif shape[0] == channels:
        fix = f"x.transpose(1, 0, {', '.join(map(str, range(2, last + 1)))}) (the batch is axis 0, channels are axis 1)"
    return ShapeError(
        f"{type(layer).__name__} expects {channels} {'channel' if channels == 1 else 'channels'}, got {shape[1]}.",
        input=f"{shape}   axis 1 = {shape[1]}",
        fix=fix,
    )
