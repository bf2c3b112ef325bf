"""Convolution by XLA; see `chainrule.ops.conv`. Settings have an entry for each spatial axis."""

from __future__ import annotations

from typing import Any

import jax
from jax import lax


def conv(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: int, out: Any = None) -> Any:
    """Cross-correlation."""
    return lax.conv_general_dilated(
        x, w, stride, padding, rhs_dilation=dilation, feature_group_count=groups, precision=lax.Precision.HIGHEST
    )


def conv_transpose(y: Any, w: Any, *, size: tuple[int, ...], out: Any = None, **settings: Any) -> Any:
    """Transposed convolution: the transpose of `conv` in x."""
    x = jax.ShapeDtypeStruct((y.shape[0], w.shape[1] * settings["groups"], *size), y.dtype)
    return jax.linear_transpose(lambda v: conv(v, w, **settings), x)(y)[0]


def conv_weight(x: Any, y: Any, *, kernel: tuple[int, ...], out: Any = None, **settings: Any) -> Any:
    """Weight gradient: the transpose of `conv` in w."""
    w = jax.ShapeDtypeStruct((y.shape[1], x.shape[1] // settings["groups"], *kernel), y.dtype)
    return jax.linear_transpose(lambda v: conv(x, v, **settings), w)(y)[0]


KERNELS = {"conv": conv, "conv_transpose": conv_transpose, "conv_weight": conv_weight}
