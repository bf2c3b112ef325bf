"""Attention in PyTorch; see `chainrule.ops.blockwise_attention` and `chainrule.ops.scores`.

Full and causal attention of one width, without a mask, is PyTorch's own kernel and its backward pass: the flash kernel
of the CPU, the memory-efficient one of a GPU. Everything else goes by the generic kernel, block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch.nn import functional

from chainrule.backends.interface import into_each
from chainrule.backends.torch_sequences import is_nothing

Band = tuple[int | None, int | None]

BANDS = ((None, None), (None, 0))
"""Those that PyTorch's kernels know: no bound, and causal."""

SERVED = {
    "cpu": {torch.float32: 1, torch.float64: 1},
    "cuda": {torch.float32: 4, torch.bfloat16: 8, torch.float16: 8},
}
"""By device the dtypes that have a kernel, and what the width must be a multiple of."""

NARROW = (torch.bfloat16, torch.float16)
"""PyTorch keeps the logarithms of these in float32, which ours, in the dtype of the rest, cannot say."""

ROUND = 32
"""The kernel of a GPU has room for logarithms in multiples of this."""


def _serves(q: Any, v: Any, mask: Any, band: Band) -> bool:
    unit = SERVED.get(q.device.type, {}).get(q.dtype)
    fits = unit is not None and q.shape[-1] == v.shape[-1] and q.shape[-1] % unit == 0
    return fits and not mask and band in BANDS and q.numel() > 0 and v.numel() > 0


def _heads(x: Any) -> Any:
    """(…, T, d) as (batch, heads, T, d), with the entries of a row side by side: the kernel takes no other."""
    x = x if x.ndim == 4 else x.reshape(1, prod(x.shape[:-2]), *x.shape[-2:])
    return x if x.stride(-1) == 1 else x.contiguous()


def attention(generic: Callable[..., Any]) -> Callable[..., Any]:
    """softmax(scale · q kᵀ) v and the logarithm ln Σ e^S of each query."""

    def kernel(q: Any, k: Any, v: Any, *mask: Any, scale: float, band: Band, block: int, out: Any = None) -> Any:
        if not _serves(q, v, mask, band):
            return generic(q, k, v, *mask, scale=scale, band=band, block=block, out=out)
        y, logarithm = _forward(_heads(q), _heads(k), _heads(v), scale, band)
        return into_each(out, (y.reshape(*q.shape[:-1], -1), logarithm.to(q.dtype).reshape(q.shape[:-1])))

    return kernel


def _forward(q: Any, k: Any, v: Any, scale: float, band: Band) -> tuple[Any, Any]:
    """The result and the logarithms (batch, heads, T), which are in float32 where the rest is narrower."""
    if q.is_cpu:
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, band == (None, 0), scale=scale)
    efficient = torch.ops.aten._scaled_dot_product_efficient_attention
    y, logarithm, *_ = efficient(q, k, v, None, True, 0.0, band == (None, 0), scale=scale)
    return y, logarithm[..., : q.shape[-2]]


def attention_back(generic: Callable[..., Any]) -> Callable[..., Any]:
    """The cotangents of q, k and v."""

    def kernel(
        y_bar: Any, log_bar: Any, y: Any, logarithm: Any, q: Any, k: Any, v: Any, *mask: Any,
        scale: float, band: Band, block: int, out: Any = None,
    ) -> Any:  # fmt: skip
        if not _serves(q, v, mask, band) or not is_nothing(log_bar):
            given = (y_bar, log_bar, y, logarithm, q, k, v, *mask)
            return generic(*given, scale=scale, band=band, block=block, out=out)
        q_, k_, v_ = _heads(q), _heads(k), _heads(v)
        logarithm = _forward(q_, k_, v_, scale, band)[1] if q.dtype in NARROW else logarithm.reshape(q_.shape[:-1])
        bars = _backward(_heads(y_bar), q_, k_, v_, _heads(y), logarithm, scale, band)
        return into_each(out, tuple(bar.reshape(x.shape) for bar, x in zip(bars, (q, k, v), strict=True)))

    return kernel


def _backward(y_bar: Any, q: Any, k: Any, v: Any, y: Any, logarithm: Any, scale: float, band: Band) -> Any:
    """The cotangents of q, k and v, each (batch, heads, T, d)."""
    causal = band == (None, 0)
    if q.is_cpu:
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
        return flash(y_bar, q, k, v, y, logarithm, 0.0, causal, scale=scale)
    rows = functional.pad(logarithm, (0, -logarithm.shape[-1] % ROUND), value=torch.inf)
    seed = torch.empty((), dtype=torch.int64, device=q.device)  # of dropout, which there is none of
    efficient = torch.ops.aten._scaled_dot_product_efficient_attention_backward
    wanted = [True, True, True, False]
    return efficient(y_bar, q, k, v, None, y, rows, seed, seed, 0.0, wanted, causal, scale=scale)[:3]


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
