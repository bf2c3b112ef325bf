"""Standardisation on a GPU by PyTorch's kernels of layer and batch norm; see `chainrule.ops.normalisation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from chainrule.backends.interface import into_each
from chainrule.backends.torch_sequences import is_nothing

Kernel = Callable[..., Any]
Axes = tuple[int, ...]


def _is_layer(x: Any, axis: Axes) -> bool:
    """Whether the axes are the last ones, as in layer norm."""
    return axis == tuple(range(x.ndim - len(axis), x.ndim))


def _is_batch(x: Any, axis: Axes) -> bool:
    """Whether they are all but the second one, as in batch norm."""
    return x.ndim > 1 and axis == (0, *range(2, x.ndim))


def _serves(x: Any, axis: Axes) -> bool:
    known = _is_layer(x, axis) or _is_batch(x, axis)
    return bool(axis) and known and x.is_cuda and x.dtype == torch.float32 and x.numel() > 0


def standardise(generic: Kernel) -> Kernel:
    """(x − μ)/√(σ² + ε), μ and σ²."""

    def kernel(x: Any, *, axis: Axes, eps: float, out: Any = None) -> Any:
        if not _serves(x, axis):
            return generic(x, axis=axis, eps=eps, out=out)
        kept = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
        if _is_layer(x, axis):
            y, mu, r = torch.native_layer_norm(x, [x.shape[a] for a in axis], None, None, eps)
        else:
            y, mu, r = torch.native_batch_norm(x, None, None, None, None, True, 0.0, eps)
        return into_each(out, (y, mu.reshape(kept), (r.pow(-2) - eps).reshape(kept)))

    return kernel


def standardise_back(generic: Kernel) -> Kernel:
    """The cotangent of x: that of PyTorch's norms, for y is what x − μ is with σ = 1."""

    def kernel(
        y_bar: Any, mu_bar: Any, variance_bar: Any, y: Any, variance: Any, *, axis: Axes, eps: float, out: Any = None
    ) -> Any:
        if not (_serves(y, axis) and is_nothing(mu_bar) and is_nothing(variance_bar)):
            return generic(y_bar, mu_bar, variance_bar, y, variance, axis=axis, eps=eps, out=out)
        zeros, ones = torch.zeros_like(variance), torch.ones_like(variance)
        if _is_layer(y, axis):
            shape, wanted = [y.shape[a] for a in axis], [True, False, False]
            x_bar = torch.ops.aten.native_layer_norm_backward(y_bar, y, shape, zeros, ones, None, None, wanted)[0]
        else:
            given = y_bar, y, None, None, None, zeros.reshape(-1), ones.reshape(-1)
            x_bar = torch.ops.aten.native_batch_norm_backward(*given, True, eps, [True, False, False])[0]
        return torch.mul(x_bar, torch.rsqrt(variance + eps), out=out)

    return kernel


VENDOR = {"standardise": standardise, "standardise_back": standardise_back}
