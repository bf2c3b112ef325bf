"""Kernels that PyTorch has in one call, or that it writes otherwise than NumPy. Each equals the generic one."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from chainrule.backends import torch_attention, torch_convolution, torch_indexing, torch_rnn
from chainrule.backends.interface import into
from chainrule.backends.torch_names import torch_dtype


def astype(x: Any, *, dtype: Any, out: Any = None) -> Any:
    """The same numbers in another dtype."""
    return into(out, x.to(torch_dtype(dtype)))


def sigmoid(x: Any, *, out: Any = None) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return torch.sigmoid(x, out=out)


def relu(x: Any, *, out: Any = None) -> Any:
    """max(0, x)."""
    return torch.clamp(x, min=0, out=out)


def choose(a: Any, b: Any, condition: Any, *, out: Any = None) -> Any:
    """a where the condition holds, else b."""
    return torch.where(condition, a, b) if out is None else torch.where(condition, a, b, out=out)


def gelu(x: Any, *, out: Any = None) -> Any:
    """x Φ(x)."""
    if out is None or not out.is_contiguous():  # PyTorch 2.13 leaves an `out` with gaps as it was
        return into(out, functional.gelu(x))
    return torch.ops.aten.gelu.out(x, out=out)


def gelu_slope(x: Any, *, out: Any = None) -> Any:
    """Φ(x) + x φ(x), as the derivative for a cotangent of ones."""
    ones = x.new_ones(()).expand(x.shape)
    if out is None or not out.is_contiguous():
        return into(out, torch.ops.aten.gelu_backward(ones, x))
    return torch.ops.aten.gelu_backward.grad_input(ones, x, grad_input=out)


def raise_to(x: Any, *, exponent: float, out: Any = None) -> Any:
    """xⁿ for a number n."""
    return torch.pow(x, exponent, out=out)


def step(x: Any, *, out: Any = None) -> Any:
    """1 where x ≥ 0, else 0."""
    return into(out, (x >= 0).to(x.dtype))


def step_strict(x: Any, *, out: Any = None) -> Any:
    """1 where x > 0, else 0."""
    return into(out, (x > 0).to(x.dtype))


def softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    """Softmax along an axis."""
    return torch.softmax(x, axis, out=out)


def log_softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    """ln of softmax along an axis."""
    return torch.log_softmax(x, axis, out=out)


def affine(x: Any, w: Any, b: Any, *, out: Any = None) -> Any:
    """x wᵀ + b, in one call of the BLAS."""
    return torch.addmm(b, x, w.T, out=out)


def pick(x: Any, labels: Any, *, out: Any = None) -> Any:
    """The entry of each row at its label."""
    return into(out, torch.take_along_dim(x, labels.long().unsqueeze(-1), -1).squeeze(-1))


def place(y: Any, labels: Any, *, n: int, out: Any = None) -> Any:
    """Rows of zeros with y at the label."""
    rows = torch.zeros((*labels.shape, n), dtype=y.dtype, device=y.device)
    return into(out, rows.scatter_(-1, labels.long().unsqueeze(-1), y.unsqueeze(-1)))


def softmax_cross_entropy(z: Any, labels: Any, *, out: Any = None) -> Any:
    """ln Σ eᶻ − z at the label, a row."""
    rows = functional.cross_entropy(z.reshape(-1, z.shape[-1]), labels.reshape(-1).long(), reduction="none")
    return into(out, rows.reshape(labels.shape))


def softmax_cross_entropy_back(y_bar: Any, z: Any, labels: Any, *, out: Any = None) -> Any:
    """(softmax z − 1 at the label) ȳ."""
    p = torch.softmax(z, -1, out=out)
    places = labels.long().unsqueeze(-1)
    return p.scatter_add_(-1, places, p.new_full((1,), -1.0).expand(places.shape)).mul_(y_bar.unsqueeze(-1))


def clamped_log(x: Any, *, out: Any = None) -> Any:
    """max(ln x, −100)."""
    return torch.clamp(torch.log(x), min=-100.0, out=out)


def logcumsumexp(x: Any, *, axis: int, out: Any = None) -> Any:
    """ln Σ eˣ of the entries so far."""
    return torch.logcumsumexp(x, axis, out=out)


def top_positions(x: Any, *, k: int, axis: int, out: Any = None) -> Any:
    """Positions of the k largest entries, the largest first."""
    return into(out, torch.topk(x, k, axis).indices)


def rfft(x: Any, *, out: Any = None) -> Any:
    """The spectrum of a real signal along the last axis, as pairs; of no signals, which MKL refuses, no spectra."""
    if not x.numel():
        return x.new_empty((*x.shape[:-1], x.shape[-1] // 2 + 1, 2)) if out is None else out
    return into(out, torch.view_as_real(torch.fft.rfft(x)))


def irfft(X: Any, *, n: int, out: Any = None) -> Any:
    """The real signal of a spectrum given as pairs; of no spectra no signals."""
    if not X.numel():
        return X.new_empty((*X.shape[:-2], n)) if out is None else out
    return into(out, torch.fft.irfft(torch.view_as_complex(X.contiguous()), n))


KERNELS = {
    "astype": astype,
    "discretise": astype,
    "sigmoid": sigmoid,
    "relu": relu,
    "choose": choose,
    "gelu": gelu,
    "gelu_slope": gelu_slope,
    "raise_to": raise_to,
    "step": step,
    "step_strict": step_strict,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "affine": affine,
    "pick": pick,
    "place": place,
    "softmax_cross_entropy": softmax_cross_entropy,
    "softmax_cross_entropy_back": softmax_cross_entropy_back,
    "clamped_log": clamped_log,
    "logcumsumexp": logcumsumexp,
    "top_positions": top_positions,
    "rfft": rfft,
    "irfft": irfft,
    **torch_convolution.KERNELS,
    **torch_indexing.KERNELS,
    **torch_rnn.KERNELS,
    **torch_attention.KERNELS,
}
