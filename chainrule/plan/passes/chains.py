"""Join operations entry by entry into chains that pass over memory once.

A chain is open while nobody but its own members has read what it makes. An operation of the same size joins all open
chains whose results it reads; the chain then stands where that operation stood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.plan.places import Place
from chainrule.plan.program import Call, Chain, Instruction, Program, Value

LONGEST = 24
"""Members of a chain: the registers of all of them should stay in the first-level cache."""

Joins = Callable[..., bool]
"""`joins(*calls)`: whether these calls, in this order, can be a chain."""


def with_chains(program: Program, joins: Joins) -> Program:
    """The program with its elementwise calls in chains; `joins` says which calls can be one."""
    joining = Joining(program.places, joins)
    for instruction in program:
        joining.take(instruction)
    return program.having(joining.lines(program))


class Joining:
    """The lines of the program so far, and the chains among them that may still grow."""

    def __init__(self, places: dict[Value, Place], joins: Joins) -> None:
        self.places, self.joins = places, joins
        self.order: dict[Call, int] = {}
        self.slots: list[Instruction | Links | None] = []
        self.open: list[Links] = []

    def take(self, instruction: Instruction) -> None:
        """The next line: a member of a chain, or a reader that closes those it reads of."""
        roots = {self.places[v].root for v in instruction.reads}
        if isinstance(instruction, Call) and self._may_join(instruction):
            joined = self._joined_by(instruction, roots)
            self._close(lambda links: links not in joined and bool(links.made & roots))
            self._grow(joined, instruction)
        else:
            changed = {v for v in instruction.writes if v.is_state}
            self._close(lambda links: bool(links.made & roots or links.read & changed))
            self.slots.append(instruction)

    def _may_join(self, call: Call) -> bool:
        return self.joins(call) and all(self.places[v].is_whole(v) for v in call.writes)

    def _joined_by(self, call: Call, roots: set[Value]) -> list[Links]:
        """The open chains that a call continues, the latest first, as long as all together are not too long."""
        size, chosen = call.writes[0].size, []
        calls = [call]
        for links in reversed(self.open):
            entries = [v for v in call.reads if self.places[v].root in links.made]
            as_made = all(self.places[v].is_whole(v) and v.size == size for v in entries)
            longer = [*links.calls, *calls]
            if entries and as_made and len(longer) <= LONGEST and self.joins(*longer):
                chosen.append(links)
                calls = longer
        return chosen

    def _grow(self, joined: list[Links], call: Call) -> None:
        self.order[call] = len(self.order)
        for links in joined:
            self.open.remove(links)
            self.slots[self.slots.index(links)] = None
        calls = sorted([call, *(c for links in joined for c in links.calls)], key=self.order.__getitem__)
        self.open.append(Links(calls, self.places))
        self.slots.append(self.open[-1])

    def _close(self, wanted: Callable[[Any], bool]) -> None:
        self.open = [links for links in self.open if not wanted(links)]

    def lines(self, program: Program) -> list[Instruction]:
        """The program: a chain writes what others read, what is returned, and what is watched."""
        slots = [slot for slot in self.slots if slot is not None]
        outside = {self.places[v].root for v in [*program.returned, *program.pinned]}
        for slot in slots:
            outside |= {self.places[v].root for v in slot.reads} if isinstance(slot, Instruction) else slot.read
        return [slot if isinstance(slot, Instruction) else slot.chain(outside) for slot in slots]


class Links:
    """Calls that make a chain; `made` are the values that they write, `read` the memory that they read besides."""

    def __init__(self, calls: list[Call], places: dict[Value, Place]) -> None:
        self.calls = calls
        self.made = {v for c in calls for v in c.writes}
        self.operands = [v for c in calls for v in c.reads if places[v].root not in self.made]
        self.read = {places[v].root for v in self.operands}

    def chain(self, outside: set[Value]) -> Chain:
        """The finished chain."""
        first, last = self.calls[0], self.calls[-1]
        writes = tuple(v for c in self.calls for v in c.writes if v in outside)
        reads = tuple(dict.fromkeys(self.operands))
        return Chain(reads, writes, last.path or first.path, last.source, last.phase, self.calls)
