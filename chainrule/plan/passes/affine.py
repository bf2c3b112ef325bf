"""Cut x wᵀ + b into a product and an addition, so that the addition can join the activation behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.core.primitive import PRIMITIVES
from chainrule.plan.program import Call, Instruction, Program, Value


def cut_affine(program: Program) -> Program:
    """Every affine map as a product and an addition."""
    return program.having([part for instruction in program for part in _parts(instruction)])


def _parts(instruction: Instruction) -> Iterator[Instruction]:
    if not isinstance(instruction, Call) or instruction.name != "affine":
        yield instruction
        return
    x, w, b = instruction.reads
    (y,) = instruction.writes
    turned, product, wide = (Value(s, y.dtype) for s in (w.shape[::-1], y.shape, y.shape))
    yield _like(instruction, "permute", (w,), (turned,), axes=(1, 0))
    yield _like(instruction, "matmul", (x, turned), (product,))
    yield _like(instruction, "broadcast_to", (b,), (wide,), shape=y.shape)
    yield _like(instruction, "add", (product, wide), (y,))


def _like(call: Call, name: str, reads: Any, writes: Any, **params: Any) -> Call:
    return Call(reads, writes, call.path, call.source, call.phase, PRIMITIVES[name], params)
