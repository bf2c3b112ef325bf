"""Find the views: instructions that only say how to look at what is there."""

from __future__ import annotations

from chainrule.plan.places import Place, own_place, views_of
from chainrule.plan.program import Call, Instruction, Program


def with_places(program: Program) -> Program:
    """Every value's place; instructions that only make views are left out."""
    places: dict = {value: own_place(value) for value in program.inputs}
    work: list[Instruction] = []
    for instruction in program:
        for value in instruction.reads:
            places.setdefault(value, own_place(value))
        found = views_of(instruction, places[instruction.reads[0]]) if isinstance(instruction, Call) else None
        if found is None:
            work.append(instruction)
            found = [own_place(v) for v in instruction.writes]
        places.update(zip(instruction.writes, found, strict=True))
    for value in program.outputs:
        places.setdefault(value, own_place(value))
    return program.having(work, places)


def root_of(places: dict, value: object) -> object:
    """The value in whose memory another one lies."""
    place: Place = places[value]
    return place.root
