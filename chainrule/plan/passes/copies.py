"""Make values where they are copied to later: heads of attention side by side, parts of what is joined.

Reshaping what was permuted, and joining parts, are copies. Where the kernel that makes a part can write with any
strides, it writes into the place of the copy at once, and the copy is a view.
"""

from __future__ import annotations

from collections.abc import Callable

from chainrule.plan.passes.views import with_places
from chainrule.plan.places import Place, contiguous
from chainrule.plan.program import Call, Instruction, Program, Value

Own = dict[Value, Place]


def with_direct_copies(program: Program, writes_strided: Callable[[Instruction], bool]) -> Program:
    """The program with its places, in which copies are left out where their sources can be made in place.

    `writes_strided` says of which instructions the results may lie with any strides.
    """
    own: Own = {}
    best = with_places(program, own)
    while True:
        copies = [line for line in best if isinstance(line, Call) and line.name in ("reshape", "concatenate")]
        for copy in reversed(copies):  # the last first, for what is joined may itself be moved
            more = own | _moved(best, copy, writes_strided)
            tried = with_places(program, more) if len(more) > len(own) else best
            if len(tried) == len(best) - 1:
                own, best = more, tried
                break
        else:
            return best


def _moved(program: Program, copy: Call, writes_strided: Callable[[Instruction], bool]) -> Own:
    """Places for what a copy reads, inside of what it writes; nothing where one of them cannot be moved."""
    makers = {v: line for line in program for v in line.writes}
    (result,) = copy.writes
    target = program.places[result]
    found: Own = {}
    start = 0
    for value in copy.reads:
        root = program.places[value].root
        maker = makers.get(root)
        joined = isinstance(maker, Call) and maker.name == "concatenate"
        if maker is None or root in program.pinned or root in program.returned or root in found:
            return {}
        if not (writes_strided(maker) or joined):
            return {}
        strides, offset = contiguous(value.shape), target.offset
        if copy.name == "concatenate":
            axis = copy.params["axis"]
            strides, offset = target.strides, target.offset + start * target.strides[axis]
            start += value.shape[axis]
        elif target.strides != contiguous(result.shape) or target.root is not result:
            return {}
        place = _of_root(root, value, program.places[value], strides)
        if place is None:
            return {}
        found[root] = Place(target.root, offset, place)
    return found


def _of_root(root: Value, value: Value, place: Place, strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of a root that give a permuted view of all of it these strides; None where it is no such view."""
    if place.offset or value.size != root.size or place.root is not root:
        return None
    wanted = {s: new for n, s, new in zip(value.shape, place.strides, strides, strict=True) if n > 1}
    own = contiguous(root.shape)
    axes = {s for n, s in zip(root.shape, own, strict=True) if n > 1}
    if len(wanted) != sum(n > 1 for n in value.shape) or axes != set(wanted):
        return None
    return tuple(wanted.get(s, 0) if n > 1 else 0 for n, s in zip(root.shape, own, strict=True))
