"""Bilinear maps of two inputs."""

from __future__ import annotations

from typing import Any

from chainrule.ops.einsum import einsum
from chainrule.ops.operands import operand


def bilinear(a: Any, b: Any, weight: Any, bias: Any = None) -> Any:
    """yₖ = aᵀ Wₖ b + cₖ. Shapes: a (…, m), b (…, n), weight (out, m, n), bias (out,), result (…, out)."""
    y = einsum("...i,kij,...j->...k", a, weight, b)
    return y if bias is None else y + operand(bias)
