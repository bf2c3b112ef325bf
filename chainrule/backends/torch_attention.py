"""Attention in PyTorch; see `chainrule.ops.blockwise_attention` and `chainrule.ops.scores`.

On a CPU, full and causal attention of one width, without a mask, is PyTorch's flash kernel and its backward pass.
Everything else goes by the generic kernel, block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch

from chainrule.backends.interface import into_each
from chainrule.backends.torch_sequences import is_nothing

Band = tuple[int | None, int | None]

BANDS = ((None, None), (None, 0))
"""Those that PyTorch's kernel knows: no bound, and causal."""

PRECISE = (torch.float32, torch.float64)
"""Of narrower numbers PyTorch keeps the logarithms in float32, which ours, in the dtype of the rest, cannot say."""


def _serves(q: Any, v: Any, mask: Any, band: Band) -> bool:
    same_width = q.shape[-1] == v.shape[-1]
    return same_width and not mask and band in BANDS and q.is_cpu and q.dtype in PRECISE and q.numel() and v.numel()


def _heads(x: Any) -> Any:
    """(…, T, d) as (batch, heads, T, d), with the entries of a row side by side: the kernel takes no other."""
    x = x if x.ndim == 4 else x.reshape(1, prod(x.shape[:-2]), *x.shape[-2:])
    return x if x.stride(-1) == 1 else x.contiguous()


def attention(generic: Callable[..., Any]) -> Callable[..., Any]:
    """softmax(scale · q kᵀ) v and the logarithm ln Σ e^S of each query."""

    def kernel(q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int, out: Any = None) -> Any:
        if not _serves(q, v, mask, band):
            return generic(q, k, v, *mask, scale=scale, band=band, block=block, out=out)
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        y, logarithm = flash(*map(_heads, (q, k, v)), 0.0, band == (None, 0), scale=scale)
        return into_each(out, (y.reshape(*q.shape[:-1], -1), logarithm.reshape(q.shape[:-1])))

    return kernel


def attention_back(generic: Callable[..., Any]) -> Callable[..., Any]:
    """The cotangents of q, k and v."""

    def kernel(
        y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
        scale: float, band: Band, block: int, out: Any = None,
    ) -> Any:  # fmt: skip
        if not _serves(q, v, mask, band) or not is_nothing(log_bar):
            given = (y_bar, log_bar, y, logarithm, q, k, v, *mask)
            return generic(*given, scale=scale, band=band, block=block, out=out)
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
        q_, k_, v_, y_, y_bar_ = map(_heads, (q, k, v, y, y_bar))
        bars = flash(y_bar_, q_, k_, v_, y_, logarithm.reshape(q_.shape[:-1]), 0.0, band == (None, 0), scale=scale)
        return into_each(out, tuple(bar.reshape(x.shape) for bar, x in zip(bars, (q, k, v), strict=True)))

    return kernel


def masked_softmax(s: Any, *mask: Any, scale: float, band: Band, out: Any = None) -> Any:
    """softmax(scale · s) over what each query sees; 0 where it sees nothing."""
    visible = list(mask)
    if band not in BANDS[:1]:
        inside = s.new_ones(s.shape[-2:], dtype=torch.bool)
        inside = inside if band[0] is None else inside.triu_(band[0])
        visible.append(inside if band[1] is None else inside.tril_(band[1]))
    z = s * scale
    for v in visible:
        z.masked_fill_(~v, -torch.inf)
    y = torch.softmax(z, -1, out=out)
    if mask or band not in BANDS:
        y.masked_fill_(torch.isneginf(z).all(-1, keepdim=True), 0)
    return y


VENDOR = {"attention": attention, "attention_back": attention_back}
KERNELS = {"masked_softmax": masked_softmax}
