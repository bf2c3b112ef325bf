"""Memory for what a step makes on the way: values that are not alive at the same time share it."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.plan.program import Chain, Instruction, Program, Value

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


@dataclass
class Lifetime:
    """From the instruction that makes a value to the last that reads it or a view of it."""

    value: Value
    start: int
    end: int

    @property
    def size(self) -> int:
        return -(-self.value.nbytes // ALIGNMENT) * ALIGNMENT


@dataclass
class Buffers:
    """Where in one piece of memory each value lies, in bytes, and how large the piece is."""

    offsets: dict[Value, int]
    size: int
    lifetimes: list[Lifetime]


def lifetimes(program: Program) -> list[Lifetime]:
    """The lifetime of every value that a step makes; what is returned or watched lives to the end."""
    found: dict[Value, Lifetime] = {}
    places = program.places
    for number, instruction in enumerate(program):
        for value in (*instruction.reads, *instruction.writes):
            root = places[value].root
            if root.kind == "result":
                found.setdefault(root, Lifetime(root, number, number)).end = number
    for value in (*program.returned, *program.pinned):
        if places[value].root in found:
            found[places[value].root].end = len(program)
    return list(found.values())


def allotted(program: Program, reuse: bool = True) -> Buffers:
    """An offset for every value: the largest first, each at the lowest place that is free while it lives."""
    all_ = lifetimes(program)
    offsets: dict[Value, int] = {}
    laid: list[Lifetime] = []
    top = 0
    for life in sorted(all_, key=lambda life: (-life.size, life.start)):
        busy = sorted((offsets[o.value], o.size) for o in laid if not reuse or _meet(program, life, o))
        at = 0
        for start, size in busy:
            if at + life.size <= start:
                break
            at = max(at, start + size)
        offsets[life.value] = at
        laid.append(life)
        top = max(top, at + life.size)
    return Buffers(offsets, top, all_)


def _meet(program: Program, a: Lifetime, b: Lifetime) -> bool:
    """Whether two values are alive at once; one may end where a chain of its own size makes the other."""
    first, second = (a, b) if a.start <= b.start else (b, a)
    if first.end != second.start or first.start == second.start:
        return second.start <= first.end
    return not _in_place(program, program.instructions[second.start], first.value, second.value)


def _in_place(program: Program, instruction: Instruction, old: Value, new: Value) -> bool:
    """Whether an instruction may write a value over one that it reads for the last time."""
    if not isinstance(instruction, Chain) or old.size != new.size or old.dtype != new.dtype:
        return False
    looks = [v for v in instruction.reads if program.places[v].root is old]
    return all(program.places[v].is_whole(v) for v in looks)
