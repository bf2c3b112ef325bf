"""Find the views: instructions that only say how to look at what is there."""

from __future__ import annotations

from chainrule.plan.places import Place, own_place, views_of
from chainrule.plan.program import Call, Instruction, Program, Value


def with_places(program: Program) -> Program:
    """Every value's place; instructions that only make views are left out."""
    places: dict[Value, Place] = {}

    def place(value: Value) -> Place:
        return places.setdefault(value, own_place(value))

    work: list[Instruction] = []
    for instruction in program:
        known = [place(v) for v in instruction.reads]
        found = views_of(instruction, known[0]) if isinstance(instruction, Call) and known else None
        if found is None:
            work.append(instruction)
            found = [own_place(v) for v in instruction.writes if v not in places]
            places.update(zip([v for v in instruction.writes if v not in places], found, strict=True))
        else:
            places.update(zip(instruction.writes, found, strict=True))
    for value in (*program.inputs, *program.returned, *program.pinned):
        place(value)
    return program.having(work, places)
