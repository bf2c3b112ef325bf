"""Pooling: one number for each window of an image, its largest entry or its mean.

Shapes: x (n, c, *size) over any number of axes, result (n, c, *places).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.max_pooling import max_pool_
from chainrule.ops.operands import operand
from chainrule.ops.resampling import resample_all
from chainrule.ops.windows import Windows, adaptive, each_axis, places, regular


@words.define
def max_pool(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest entry of every window; `stride` is the kernel unless said otherwise, 1 for un-strided pooling.

    Padding is −∞. Tied entries share the derivative equally, as in `cr.max`; PyTorch gives it to the first.
    002 A.11 (whose window has one entry too many: the last index is (k + 1) p − 1), 000 (12.11).

    Raises:
        ShapeError: x is not (n, c, *size), or the kernel does not fit in.
        OptionError: a setting has the wrong size or value.
    """
    x = operand(x)
    settings = _settings("max_pool", x, kernel_size, stride, padding, dilation, ceil_mode)
    return max_pool_(x, windows=tuple(regular(*axis) for axis in settings))


@words.define
def avg_pool(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window; `stride` is the kernel unless said otherwise. 000 (12.12).

    Zeros of the padding count as entries, unless `count_include_pad` is False.

    Raises:
        ShapeError: x is not (n, c, *size), or the kernel does not fit in.
        OptionError: a setting has the wrong size or value.
    """
    x = operand(x)
    settings = _settings("avg_pool", x, kernel_size, stride, padding, 1, ceil_mode)
    return resample_all(x, [_means(*axis, count_include_pad) for axis in settings])


@words.define
def adaptive_avg_pool(x: Any, output_size: Any) -> Any:
    """Means over windows that share the image out into `output_size` places, whatever its size.

    `output_size` is a number for every axis; None keeps an axis as it is.

    Raises:
        ShapeError: x is not (n, c, *size).
    """
    x = operand(x)
    return resample_all(x, [_shares(n, m) for n, m in _targets("adaptive_avg_pool", x, output_size)])


@words.define
def adaptive_max_pool(x: Any, output_size: Any) -> Any:
    """Largest entries of windows that share the image out into `output_size` places, whatever its size.

    Raises:
        ShapeError: x is not (n, c, *size).
    """
    x = operand(x)
    targets = _targets("adaptive_max_pool", x, output_size)
    return max_pool_(x, windows=tuple(adaptive(n, m) for n, m in targets))


@words.define
def global_avg_pool(x: Any) -> Any:
    """The mean of every channel, over all places: (n, c, *size) → (n, c). Lin et al. (2014)."""
    x = operand(x)
    _refuse_unbatched("global_avg_pool", x)
    return words.mean(x, tuple(range(2, len(x.shape))))


@words.define
def global_max_pool(x: Any) -> Any:
    """The largest entry of every channel, over all places: (n, c, *size) → (n, c)."""
    x = operand(x)
    _refuse_unbatched("global_max_pool", x)
    return words.max(x, tuple(range(2, len(x.shape))))


def _refuse_unbatched(name: str, x: Any) -> None:
    if len(x.shape) < 3:
        raise ShapeError(f"{name} takes (n, c, *size), got {tuple(x.shape)}.", fix="x[None] adds the axis of the batch")


def _settings(name: str, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
    """Size, kernel, stride, padding, dilation and number of windows, axis by axis."""
    _refuse_unbatched(name, x)
    axes = len(x.shape) - 2
    kernel, padding = each_axis(kernel, axes, "kernel_size"), each_axis(padding, axes, "padding", 0)
    stride = kernel if stride is None else each_axis(stride, axes, "stride")
    dilation = each_axis(dilation, axes, "dilation")
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise OptionError(f"Padding is at most half of the kernel {kernel}, got {padding}.")
    return [
        (n, k, s, (p, p), d, _count(name, x, n, k, s, p, d, ceil_mode))
        for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    ]


def _count(name: str, x: Any, n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    count = places(n, k, s, (p, p), d)
    if ceil_mode:
        count = places(n + s - 1, k, s, (p, p), d)
        count -= (count - 1) * s >= n + p  # a window that begins in the padding on the right is none
    if count < 1:
        raise ShapeError(
            f"{name}: a window of {d * (k - 1) + 1} does not fit into an axis of {n} with padding {p}.",
            input=tuple(x.shape),
            fix="a smaller kernel, padding, or fewer pooling layers before",
        )
    return int(count)


@lru_cache(maxsize=4096)
def _means(n: int, k: int, s: int, padding: tuple[int, int], d: int, count: int, count_include_pad: bool) -> Windows:
    """Windows with weights that make means; entries beyond the padding (with ceil_mode) never count."""
    windows = regular(n, k, s, padding, d, count)
    counted = windows.index < n + padding[1] if count_include_pad else windows.weight > 0
    return Windows(n, windows.index, windows.weight / counted.sum(1, keepdims=True))


@lru_cache(maxsize=4096)
def _shares(n: int, m: int) -> Windows:
    windows = adaptive(n, m)
    return Windows(n, windows.index, windows.weight / windows.weight.sum(1, keepdims=True))


def _targets(name: str, x: Any, output_size: Any) -> list[tuple[int, int]]:
    _refuse_unbatched(name, x)
    axes = len(x.shape) - 2
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    filled = tuple(n if m is None else m for n, m in zip(x.shape[2:], wanted, strict=False))
    if len(wanted) != axes:
        raise OptionError(f"output_size has a number for each of {axes} axes, got {output_size}.")
    if not all(x.shape[2:]):
        raise ShapeError(f"{name}: there are no entries in {tuple(x.shape)}.")
    return list(zip(x.shape[2:], each_axis(filled, axes, "output_size"), strict=True))
