"""Convolution and transposed convolution over 1, 2 and 3 axes, with PyTorch's arguments."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.conv import conv_, conv_shape, conv_transpose_
from chainrule.ops.operands import operand, promote
from chainrule.ops.padding import pad
from chainrule.ops.windows import Pairs, each_axis

Each = int | tuple[int, ...]
Padding = int | str | tuple[Any, ...]


def conv(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Each = 1,
    padding: Padding = 0,
    dilation: Each = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Any:
    """y[n, o, p] = b[o] + Σ x[n, c, p·stride + k·dilation − padding] w[o, c, k], over any number of axes.

    What deep learning calls convolution: the kernel is not turned around (`cr.convolve` is the true one).
    Shapes: x (n, c_in, *size), weight (c_out, c_in/groups, *kernel), bias (c_out) or None, result
    (n, c_out, *places) with ⌊(size + 2 padding − dilation (kernel − 1) − 1)/stride⌋ + 1 places.

    `padding`: a number, one an axis, a pair (before, after) an axis, "valid" (none) or "same" (as many places
    as entries; the odd one goes after). `padding_mode`: "zeros", "circular", "reflect" or "replicate".
    000 (12.1)-(12.10), 002 A.5-A.7.

    Raises:
        ShapeError: axes or channels do not fit, groups do not divide them, or the kernel does not fit in.
        OptionError: a setting has the wrong size or value.
    """
    x, weight = _alike(operand(x), operand(weight))
    axes = len(weight.shape) - 2
    stride, dilation = each_axis(stride, axes, "stride"), each_axis(dilation, axes, "dilation")
    pairs = padding_pairs(padding, tuple(weight.shape[2:]), stride, dilation)
    if padding_mode != "zeros" and any(map(any, pairs)) and len(x.shape) == axes + 2:
        x, pairs = pad(x, pairs, padding_mode), ((0, 0),) * axes
    settings = {"stride": stride, "padding": pairs, "dilation": dilation, "groups": groups}
    conv_shape(tuple(x.shape), tuple(weight.shape), **settings)
    return _with_bias(conv_(x, weight, **settings), bias)


def conv_transpose(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Each = 1,
    padding: Each = 0,
    output_padding: Each = 0,
    groups: int = 1,
    dilation: Each = 1,
) -> Any:
    """The transpose of `conv`, as a matrix: it leads from the places back to the entries; not its inverse.

    Shapes: x (n, c_in, *places), weight (c_in, c_out/groups, *kernel), bias (c_out) or None, result
    (n, c_out, *size) with size = (places − 1) stride − 2 padding + dilation (kernel − 1) + output_padding + 1.
    `output_padding` (below the stride) chooses among the sizes that a convolution with this stride makes alike.
    000 §18.2.2.

    Raises:
        ShapeError: axes or channels do not fit.
        OptionError: a setting has the wrong size or value.
    """
    x, weight = _alike(operand(x), operand(weight))
    axes = len(weight.shape) - 2
    stride, dilation = each_axis(stride, axes, "stride"), each_axis(dilation, axes, "dilation")
    both, extra = each_axis(padding, axes, "padding", 0), each_axis(output_padding, axes, "output_padding", 0)
    if any(e >= s for e, s in zip(extra, stride, strict=True)):
        raise OptionError(f"output_padding is less than the stride, got {output_padding} with stride {stride}.")
    if len(x.shape) != axes + 2 or x.shape[1] != weight.shape[0]:
        sizes = ", ".join(["n", str(weight.shape[0]), *["size"] * axes])
        raise ShapeError(
            f"Transposed convolution with weights {tuple(weight.shape)} takes an input ({sizes}), got {tuple(x.shape)}."
        )
    along = zip(x.shape[2:], weight.shape[2:], stride, both, extra, dilation, strict=True)
    size = tuple((p - 1) * s - 2 * b + d * (k - 1) + e + 1 for p, k, s, b, e, d in along)
    if min(size) < 1:
        raise ShapeError(f"A padding of {padding} cuts everything off: the result would have the size {size}.")
    pairs = tuple((b, b) for b in both)
    y = conv_transpose_(x, weight, size=size, stride=stride, padding=pairs, dilation=dilation, groups=groups)
    return _with_bias(y, bias)


def padding_pairs(padding: Padding, kernel: tuple[int, ...], stride: Any, dilation: Any) -> Pairs:
    """Padding before and after every axis.

    Raises:
        OptionError: it is no padding, or "same" with a stride.
    """
    axes = len(kernel)
    if padding == "valid":
        return ((0, 0),) * axes
    if padding == "same":
        if set(stride) != {1}:
            raise OptionError(f'padding="same" has no meaning with a stride of {stride}.', fix="padding=kernel // 2")
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((r // 2, r - r // 2) for r in reach)
    if isinstance(padding, str):
        raise OptionError(f"There is no padding {padding!r}.", known='"valid", "same", or numbers')
    if isinstance(padding, (tuple, list)) and all(isinstance(p, (tuple, list)) for p in padding):
        ends = tuple(each_axis(p, 2, "padding", 0) for p in padding)
        if len(ends) == axes:
            return tuple((a, b) for a, b in ends)
        raise OptionError(f"padding has a pair for each of {axes} axes, got {padding}.")
    return tuple((p, p) for p in each_axis(padding, axes, "padding", 0))  # type: ignore[arg-type]


def _alike(*arrays: Any) -> list[Any]:
    dtype = promote(*(a.dtype for a in arrays))
    return [a if a.dtype == dtype else words.astype(a, dtype=dtype) for a in arrays]


def _with_bias(y: Any, bias: Any) -> Any:
    if bias is None:
        return y
    bias = operand(bias)
    if tuple(bias.shape) != (y.shape[1],):
        raise ShapeError(f"Expected a bias of shape ({y.shape[1]},), got {tuple(bias.shape)}.")
    return y + words.reshape(bias, -1, *[1] * (len(y.shape) - 2))


def _over(axes: int, general: Any, name: str) -> Any:
    """The same function for one number of axes, refusing any other."""

    def function(x: Any, weight: Any, *args: Any, **settings: Any) -> Any:
        weight = operand(weight)
        if len(weight.shape) != axes + 2:
            raise ShapeError(f"{name} takes weights of {axes + 2} axes, got {tuple(weight.shape)}.")
        return general(x, weight, *args, **settings)

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = f"`{general.__name__}` over {axes} {'axis' if axes == 1 else 'axes'}."
    return function


conv1d, conv2d, conv3d = (_over(d, conv, f"conv{d}d") for d in (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = (
    _over(d, conv_transpose, f"conv_transpose{d}d") for d in (1, 2, 3)
)
