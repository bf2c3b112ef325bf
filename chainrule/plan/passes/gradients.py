"""Write gradients where they belong: a product whose only use is to be stored is made in the buffer itself."""

from __future__ import annotations

from collections import Counter

from chainrule.plan.places import Place, contiguous
from chainrule.plan.program import Instruction, Program, Store, Value


def with_direct_stores(program: Program) -> Program:
    """Without the stores whose value can be made in its place at once."""
    places, kept = dict(program.places), []
    made = {v: i for i in program for v in i.writes if not isinstance(i, Store)}
    stores = Counter(i.writes[0] for i in program if isinstance(i, Store))
    moved: dict[Value, Value] = {}
    for instruction in program:
        if not isinstance(instruction, Store) or not _is_direct(instruction, places, made, stores, moved):
            kept.append(instruction)
            continue
        moved[places[instruction.reads[0]].root] = instruction.writes[0]
    for value, place in places.items():
        if place.root in moved:
            places[value] = Place(moved[place.root], place.offset, place.strides)
    return program.having(kept, places)


def _is_direct(
    store: Store,
    places: dict[Value, Place],
    made: dict[Value, Instruction],
    stores: Counter[Value],
    moved: dict[Value, Value],
) -> bool:
    value, (target,) = store.reads[0], store.writes
    root = places[value].root
    alone = stores[target] == 1 and root in made and root not in moved
    fits = places[value].is_whole(value) and places[target].strides == contiguous(target.shape)
    return not store.add and target.kind == "gradient" and alone and fits and root.dtype == target.dtype


__all__ = ["with_direct_stores"]
