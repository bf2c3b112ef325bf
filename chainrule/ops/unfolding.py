"""Windows taken out of an image as an array of their own, and put back."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import into
from chainrule.base.errors import ShapeError
from chainrule.core.families import linear
from chainrule.core.spec import Spec
from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand
from chainrule.ops.shapes import reshape
from chainrule.ops.windows import contract, each_axis, over_axes, places


@linear
def unfold_(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any = None) -> Any:
    """Windows of x (n, c, *size) as (n, c, *kernel, *places); padding is 0. The adjoint adds them back."""
    windows = over_axes(x.shape[2:], kernel, stride, padding, dilation)
    return into(out, contract("ncS->ncKP", x, windows=windows))


@linear
def fold_(y: Any, *, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any = None) -> Any:
    """Windows y (n, c, *kernel, *places) added up where they came from: (n, c, *size)."""
    return into(out, contract("ncKP->ncS", y, windows=over_axes(size, kernel, stride, padding, dilation)))


def _windows_shape(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    if x.ndim != len(kernel) + 2:
        raise ShapeError(f"Windows of {kernel} are taken from (n, c, *size) with {len(kernel)} sizes, got {x.shape}.")
    counts = tuple(places(*axis) for axis in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True))
    if min(counts) < 1:
        raise ShapeError(f"A window of {kernel} does not fit into {x.shape[2:]} with padding {padding}.")
    return (*x.shape[:2], *kernel, *counts)


def _folded_shape(y: Any, *, size: Any, **settings: Any) -> tuple[int, ...]:
    shape = (*y.shape[:2], *size)
    wanted = _windows_shape(Spec(shape, y.dtype), **settings)
    if wanted != tuple(y.shape):
        raise ShapeError(f"Windows of shape {y.shape} do not come from the size {size}, which gives {wanted}.")
    return shape


def _merged(primitive: Any) -> Any:
    def rule(size: int, args: Any, flags: Any, /, **settings: Any) -> Any:
        (x,) = args
        y = primitive(reshape(x, size * x.shape[1], *x.shape[2:]), **settings)
        return reshape(y, size, x.shape[1], *y.shape[1:])

    return rule


unfold_.adjoint(lambda y_bar, x, **settings: fold_(y_bar, size=tuple(x.shape[2:]), **settings))
unfold_.shape(_windows_shape)
unfold_.batching(_merged(unfold_))
unfold_.cost(lambda y, x, **settings: 0)
unfold_.formula(r"y_{ckp} = x_{c,\,ps + kd}", r"\bar x_{ci} = \sum_{ps + kd = i} \bar y_{ckp}")
fold_.adjoint(lambda x_bar, y, *, size, **settings: unfold_(x_bar, **settings))
fold_.shape(_folded_shape)
fold_.batching(_merged(fold_))
fold_.cost(lambda x, y, **settings: y.size)
fold_.formula(r"x_{ci} = \sum_{ps + kd = i} y_{ckp}", r"\bar y_{ckp} = \bar x_{c,\,ps + kd}")


def _settings(axes: int, kernel: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "kernel": each_axis(kernel, axes, "kernel_size"),
        "dilation": each_axis(dilation, axes, "dilation"),
        "padding": tuple((p, p) for p in each_axis(padding, axes, "padding", 0)),
        "stride": each_axis(stride, axes, "stride"),
    }


@words.define
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Windows as columns (im2col). Shapes: x (n, c, *size), result (n, c · kernel, places), as in PyTorch.

    A convolution is the product of its weights, (c_out, c · kernel), with these columns.

    Raises:
        ShapeError: x is not (n, c, *size), or the kernel does not fit in.
    """
    x = operand(x)
    settings = _settings(max(1, len(x.shape) - 2), kernel_size, dilation, padding, stride)
    _windows_shape(x, **settings)
    y = unfold_(x, **settings)
    kernel = y.shape[2 : len(x.shape)]
    return reshape(y, y.shape[0], y.shape[1] * prod(kernel), prod(y.shape[len(x.shape) :]))


@words.define
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added up where they came from (col2im), the adjoint of `unfold`; entries of several windows add up.

    Shapes: x (n, c · kernel, places), result (n, c, *output_size). One number is a square image, as in PyTorch.

    Raises:
        ShapeError: the columns are not those of this size.
        OptionError: the size is no whole number of 1 or more, nor several of them.
    """
    x = operand(x)
    size = each_axis(output_size, len(output_size) if isinstance(output_size, (tuple, list)) else 2, "output_size")
    settings = _settings(len(size), kernel_size, dilation, padding, stride)
    along = zip(size, settings["kernel"], settings["stride"], settings["padding"], settings["dilation"], strict=True)
    counts = tuple(places(*axis) for axis in along)
    kernel = settings["kernel"]
    if len(x.shape) != 3 or x.shape[1] % prod(kernel) or x.shape[2] != prod(counts):
        raise ShapeError(
            f"fold takes columns (n, c · {prod(kernel)}, {prod(counts)}) for the size {size}, got {tuple(x.shape)}."
        )
    windows = reshape(x, x.shape[0], x.shape[1] // prod(kernel), *kernel, *counts)
    return fold_(windows, size=size, **settings)
