"""Convolution by PyTorch's own kernels; see `chainrule.ops.conv`. Settings have an entry for each spatial axis."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from chainrule.backends.interface import into


def _sides(padding: Any) -> list[int] | None:
    """How wide PyTorch shall pad both sides of each axis; None where the sides differ."""
    return [low for low, _ in padding] if all(low == high >= 0 for low, high in padding) else None


def _surrounded(x: Any, padding: Any) -> tuple[Any, list[int]]:
    """x, and what is left for PyTorch to pad."""
    sides = _sides(padding)
    if sides is not None:
        return x, sides
    return functional.pad(x, [n for pair in reversed(padding) for n in pair]), [0] * len(padding)


def conv(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: int, out: Any = None) -> Any:
    """Cross-correlation."""
    x, sides = _surrounded(x, padding)
    y = torch.convolution(x, w, None, stride, sides, dilation, False, [0] * len(stride), groups)
    return into(out, y)


def _backward(y: Any, x: Any, w: Any, sides: list[int], settings: dict[str, Any], which: int) -> Any:
    """What the cotangent y of a convolution of x with w gives for x (which = 0) or w (1)."""
    zeros, mask = [0] * len(sides), [which == i for i in range(3)]
    stride, dilation, groups = settings["stride"], settings["dilation"], settings["groups"]
    bars = torch.ops.aten.convolution_backward(y, x, w, None, stride, sides, dilation, False, zeros, groups, mask)
    return bars[which]


def conv_transpose(y: Any, w: Any, *, size: tuple[int, ...], padding: Any, out: Any = None, **settings: Any) -> Any:
    """Transposed convolution."""
    sides, channels = _sides(padding), w.shape[1] * settings["groups"]
    around = size if sides else [n + low + high for n, (low, high) in zip(size, padding, strict=True)]
    like = y.new_empty((1,)).expand(y.shape[0], channels, *around)
    x = _backward(y, like, w, sides or [0] * len(size), settings, 0)
    inner = tuple(slice(low, low + n) for n, (low, _) in zip(size, padding, strict=True))
    return into(out, x if sides else x[(..., *inner)])


def conv_weight(x: Any, y: Any, *, kernel: tuple[int, ...], padding: Any, out: Any = None, **settings: Any) -> Any:
    """Weight gradient."""
    w = y.new_empty((1,)).expand(y.shape[1], x.shape[1] // settings["groups"], *kernel)
    x, sides = _surrounded(x, padding)
    return into(out, _backward(y, x, w, sides, settings, 1))


KERNELS = {"conv": conv, "conv_transpose": conv_transpose, "conv_weight": conv_weight}
