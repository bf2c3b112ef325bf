"""PyTorch, on the CPU and on GPUs. Nothing of torch.autograd is used: kernels see tensors without a history."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch

from chainrule.backends import torch_attention, torch_graphs, torch_lstm, torch_norms, torch_pooling
from chainrule.backends.dtypes import bfloat16
from chainrule.backends.interface import Backend, backend_of, is_array
from chainrule.backends.torch_kernels import KERNELS
from chainrule.backends.torch_names import Names, torch_dtype
from chainrule.backends.torch_updates import UPDATES
from chainrule.base.errors import OptionError


def asarray(values: Any, dtype: Any = None, device: str | None = None) -> torch.Tensor:
    """Values of any library as a tensor, which shares no memory with NumPy's."""
    wanted = None if dtype is None else torch_dtype(dtype)
    if isinstance(values, torch.Tensor):
        return values.detach().to(device=device, dtype=wanted)
    if is_array(values):
        values = backend_of(values).to_numpy(values)
    return _from_numpy(np.array(values, order="C")).to(device=device, dtype=wanted)


def _from_numpy(array: np.ndarray) -> torch.Tensor:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch_dtype("bfloat16"))
    return torch.from_numpy(array)


def repeated(values: np.ndarray, device: str | None) -> torch.Tensor:
    """One number of NumPy's, repeated without memory; of a 0 it is noted that it is one."""
    first = values[(0,) * values.ndim]
    x = _from_numpy(np.array(first).reshape(1)).to(device).expand(values.shape)
    x.is_nothing = not first  # type: ignore[attr-defined]
    return x


def to_numpy(x: torch.Tensor) -> np.ndarray:
    """The numbers on the host; on the CPU a view of the same memory."""
    x = x.detach().cpu()
    if x.dtype == torch.bfloat16:
        return x.contiguous().view(torch.int16).numpy().view(bfloat16())
    return x.resolve_neg().numpy()


def device_named(name: str | None) -> str:
    """A device of this machine under its full name.

    Raises:
        OptionError: PyTorch knows no such device, or this machine has none.
    """
    try:
        device = torch.device(name or "cpu")
    except RuntimeError:
        raise OptionError(f"PyTorch has no device {name!r}.", known="cpu, cuda, cuda:1, mps") from None
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        found = f"{count} GPUs" if count else "no GPU that PyTorch can use"
        raise OptionError(
            f"There is no device {name!r}: this machine has {found}.",
            torch=torch.__version__ + ("" if torch.version.cuda else ", built without CUDA"),
            fix='device="cpu", or a build of PyTorch for your GPU: https://pytorch.org/get-started',
        )
    return f"cuda:{device.index or torch.cuda.current_device()}" if device.type == "cuda" else str(device)


def strided(root: torch.Tensor, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> torch.Tensor:
    """A view of a tensor's memory, counted in entries from its first."""
    return torch.as_strided(root, shape, strides, root.storage_offset() + offset)


def chain_writer(device: str) -> Callable[[], Any] | None:
    """What writes chains as kernels in Triton, on a GPU."""
    if not device.startswith("cuda"):
        return None
    from chainrule.backends import triton_chains

    return triton_chains.TritonWriter if triton_chains.available() else None


def prepared(kernel: Callable[..., Any], primitive: Any) -> Callable[..., Any]:
    """A kernel that sees no history: a result of tensors that require no gradient has none."""

    @wraps(kernel)
    def without_history(*args: torch.Tensor, **params: Any) -> Any:
        for a in args:
            if a.requires_grad:
                return kernel(*(x.detach() for x in args), **params)
        return kernel(*args, **params)

    return without_history


TORCH = Backend(
    name="torch",
    array_types=(torch.Tensor,),
    xp=Names,
    asarray=asarray,
    to_numpy=to_numpy,
    kernels=KERNELS,
    device_of=lambda x: str(x.device),
    device_named=device_named,
    prepared=prepared,
    vendor={
        **torch_attention.VENDOR,
        **torch_lstm.VENDOR,
        **torch_norms.VENDOR,
        "max_pool_spread": torch_pooling.max_pool_spread,
    },
    repeated=repeated,
    strided=strided,
    updates=UPDATES,
    chain_writer=chain_writer,
    has_graphs=torch_graphs.has_graphs,
    captured=torch_graphs.Captured,
    looking=torch_graphs.Looking,
)
