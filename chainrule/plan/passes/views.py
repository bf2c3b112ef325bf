"""Find the views: instructions that only say how to look at what is there."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.plan.places import Place, own_place, views_of
from chainrule.plan.program import Call, Instruction, Program, Value


def with_places(program: Program, own: Mapping[Value, Place] | None = None) -> Program:
    """Every value's place; instructions that only make views are left out.

    `own` gives places to values that are made in the memory of others; a joining of parts that all lie in its result
    is a view of them.
    """
    given = own or {}
    places: dict[Value, Place] = {}

    def place(value: Value) -> Place:
        if value not in places:
            places[value] = given[value] if value in given else own_place(value)
        return places[value]

    work: list[Instruction] = []
    for instruction in program:
        known = [place(v) for v in instruction.reads]
        if isinstance(instruction, Call) and known and _is_joined(instruction, known, place(instruction.writes[0])):
            continue
        found = views_of(instruction, known[0]) if isinstance(instruction, Call) and known else None
        if found is None:
            work.append(instruction)
            for value in instruction.writes:
                place(value)
        else:
            places.update(zip(instruction.writes, found, strict=True))
    for value in (*program.inputs, *program.returned, *program.pinned):
        place(value)
    return program.having(work, places)


def _is_joined(call: Call, parts: list[Place], whole: Place) -> bool:
    """Whether the parts that a call joins lie side by side in its result already."""
    if call.name != "concatenate":
        return False
    axis, start = call.params["axis"], 0
    for value, part in zip(call.reads, parts, strict=True):
        at = whole.offset + start * whole.strides[axis]
        same = all(n == 1 or a == b for n, a, b in zip(value.shape, part.strides, whole.strides, strict=True))
        if part.root is not whole.root or part.offset != at or not same:
            return False
        start += value.shape[axis]
    return True
