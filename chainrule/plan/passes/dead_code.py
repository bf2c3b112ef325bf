"""Leave out what nobody reads."""

from __future__ import annotations

from chainrule.plan.program import Instruction, Program, Value


def without_dead_code(program: Program) -> Program:
    """The instructions whose results are returned, watched, stored, or read by one that stays."""
    read: set[Value] = {*program.returned, *program.pinned}
    alive: list[Instruction] = []
    for instruction in reversed(program.instructions):
        if instruction.has_effect or read.intersection(instruction.writes):
            alive.append(instruction)
            read.update(instruction.reads)
    return program.having(alive[::-1])
