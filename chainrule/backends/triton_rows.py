"""Kernels for GPUs that pass once over rows or columns, in Triton: standardisation, its derivative, sums of rows."""

from __future__ import annotations

from typing import Any

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]

WIDEST = 16384
"""Entries of a row: one program holds it."""
TALL, WIDE = 256, 8
"""Rows and columns that a program sums at once."""


@triton.jit
def _standardise(x, y, mu, variance, eps, n: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    i = tl.arange(0, BLOCK)
    inside = i < n
    a = tl.load(x + row * n + i, mask=inside, other=0.0).to(tl.float32)
    m = tl.sum(a, 0) / n
    d = tl.where(inside, a - m, 0.0)
    v = tl.sum(d * d, 0) / n
    tl.store(y + row * n + i, d / tl.sqrt_rn(v + eps), mask=inside)
    tl.store(mu + row, m)
    tl.store(variance + row, v)


@triton.jit
def _standardise_back(y_bar, y, variance, x_bar, eps, n: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    i = tl.arange(0, BLOCK)
    inside = i < n
    g = tl.load(y_bar + row * n + i, mask=inside, other=0.0).to(tl.float32)
    a = tl.load(y + row * n + i, mask=inside, other=0.0).to(tl.float32)
    v = tl.load(variance + row).to(tl.float32)
    inner = g - tl.sum(g, 0) / n - a * (tl.sum(g * a, 0) / n)
    tl.store(x_bar + row * n + i, inner / tl.sqrt_rn(v + eps), mask=inside)


@triton.jit
def _sum_rows(x, y, rows, n, TALL: tl.constexpr, WIDE: tl.constexpr):
    column = tl.program_id(0) * WIDE + tl.arange(0, WIDE)
    inside = column < n
    total = tl.zeros((TALL, WIDE), tl.float32)
    for first in range(0, rows, TALL):
        row = first + tl.arange(0, TALL)
        place = row.to(tl.int64)[:, None] * n + column[None, :]
        total += tl.load(x + place, mask=(row < rows)[:, None] & inside[None, :], other=0.0).to(tl.float32)
    tl.store(y + column, tl.sum(total, 0), mask=inside)


def standardise(x: torch.Tensor, n: int, eps: float, y: Any, mu: Any, variance: Any) -> None:
    """Rows of n entries with mean 0 and variance 1 in `y`, and the mean and variance of each; all contiguous."""
    kernel: Any = _standardise
    with torch.cuda.device_of(x):
        kernel[(x.numel() // n,)](x, y, mu, variance, eps, n, triton.next_power_of_2(n))


def standardise_back(y_bar: torch.Tensor, y: Any, variance: Any, n: int, eps: float, x_bar: Any) -> None:
    """(ȳ − mean ȳ − y · mean(ȳ ⊙ y)) / √(σ² + ε) of rows of n entries; all contiguous."""
    kernel: Any = _standardise_back
    with torch.cuda.device_of(y):
        kernel[(y.numel() // n,)](y_bar, y, variance, x_bar, eps, n, triton.next_power_of_2(n))


def sum_rows(x: torch.Tensor, n: int, y: Any) -> None:
    """The sum of rows of n entries, both contiguous, in float32."""
    kernel: Any = _sum_rows
    with torch.cuda.device_of(x):
        kernel[(triton.cdiv(n, WIDE),)](x, y, x.numel() // n, n, TALL, WIDE, num_warps=8)
