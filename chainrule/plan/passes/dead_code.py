"""Leave out what nobody reads."""

from __future__ import annotations

from chainrule.plan.program import Program


def without_dead_code(program: Program, kept: set = frozenset()) -> Program:  # type: ignore[assignment]
    """The instructions whose results are returned, kept, stored, or read by one that stays."""
    read = set(program.outputs) | set(kept)
    alive = []
    for instruction in reversed(program.instructions):
        if instruction.has_effect or read.intersection(instruction.writes):
            alive.append(instruction)
            read.update(instruction.reads)
    return program.having(alive[::-1])
