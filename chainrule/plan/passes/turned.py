"""Make a transposed product as the product that it is: (a b)ᵀ = bᵀ aᵀ, so that nothing has to be turned around."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from chainrule.core.primitive import PRIMITIVES
from chainrule.plan.program import Call, Instruction, Program, Value


def with_turned_products(program: Program) -> Program:
    """Products of two matrices that are only used transposed, made transposed."""
    uses = Counter(v for line in program for v in line.reads)
    uses.update([*program.returned, *program.pinned])
    makers = {v: line for line in program if _is_product(line) for v in line.writes if uses[v] == 1}
    turned = {line.reads[0]: line for line in program if _turns(line) and line.reads[0] in makers}
    dropped = {makers[v] for v in turned}
    lines: list[Instruction] = []
    for line in program:
        if line in dropped:
            continue
        made_turned = line in turned.values()
        lines += _instead(makers[line.reads[0]], line) if made_turned else [line]
    return program.having(lines)


def _is_product(line: Instruction) -> bool:
    return isinstance(line, Call) and line.name == "matmul" and len(line.writes[0].shape) == 2


def _turns(line: Instruction) -> bool:
    return isinstance(line, Call) and line.name == "permute" and line.params["axes"] == (1, 0)


def _instead(product: Instruction, turn: Instruction) -> list[Instruction]:
    """bᵀ aᵀ in the place where the product was turned."""
    a, b = product.reads
    left, right = (Value(v.shape[::-1], v.dtype) for v in (b, a))
    permute, matmul = PRIMITIVES["permute"], PRIMITIVES["matmul"]
    base = Call((), (), product.path, product.source, product.phase)
    return [
        replace(base, reads=(b,), writes=(left,), primitive=permute, params={"axes": (1, 0)}),
        replace(base, reads=(a,), writes=(right,), primitive=permute, params={"axes": (1, 0)}),
        replace(base, reads=(left, right), writes=turn.writes, primitive=matmul, params={}),
    ]
