"""Convolution by PyTorch's own kernels; see `chainrule.ops.conv`. Settings have an entry for each spatial axis."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from chainrule.backends.interface import into


def _surrounded(x: Any, padding: Any) -> Any:
    ends = [n for pair in reversed(padding) for n in pair]
    return functional.pad(x, ends) if any(ends) else x


def conv(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: int, out: Any = None) -> Any:
    """Cross-correlation."""
    zeros = [0] * len(stride)
    y = torch.convolution(_surrounded(x, padding), w, None, stride, zeros, dilation, False, zeros, groups)
    return into(out, y)


def _backward(y: Any, x: Any, w: Any, settings: dict[str, Any], which: int) -> Any:
    """What the cotangent y of a convolution of x with w gives for x (which = 0) or w (1); x is padded already."""
    zeros = [0] * len(settings["stride"])
    mask = [which == i for i in range(3)]
    stride, dilation, groups = settings["stride"], settings["dilation"], settings["groups"]
    return torch.ops.aten.convolution_backward(y, x, w, None, stride, zeros, dilation, False, zeros, groups, mask)[
        which
    ]


def conv_transpose(y: Any, w: Any, *, size: tuple[int, ...], padding: Any, out: Any = None, **settings: Any) -> Any:
    """Transposed convolution."""
    around = [n + low + high for n, (low, high) in zip(size, padding, strict=True)]
    x = y.new_empty((1,)).expand(y.shape[0], w.shape[1] * settings["groups"], *around)
    x = _backward(y, x, w, settings, 0)
    inner = tuple(slice(low, low + n) for n, (low, _) in zip(size, padding, strict=True))
    return into(out, x[(..., *inner)])


def conv_weight(x: Any, y: Any, *, kernel: tuple[int, ...], padding: Any, out: Any = None, **settings: Any) -> Any:
    """Weight gradient."""
    w = y.new_empty((1,)).expand(y.shape[1], x.shape[1] // settings["groups"], *kernel)
    return into(out, _backward(y, _surrounded(x, padding), w, settings, 1))


KERNELS = {"conv": conv, "conv_transpose": conv_transpose, "conv_weight": conv_weight}
