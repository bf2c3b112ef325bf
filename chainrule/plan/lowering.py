"""From instructions to calls of compiled kernels on NumPy's arrays; None where there is no such kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.chains import RULES as ENTRYWISE
from chainrule.backends.native.chains import Register, Writer, covers, fits
from chainrule.backends.native.kernels import RULES, SINGLE
from chainrule.plan.places import Place
from chainrule.plan.program import Call, Chain, Instruction, Value

Bind = Callable[[Value], np.ndarray]


def joins(call: Call) -> bool:
    """Whether a call can be a member of a chain."""
    kinds = {v.dtype for v in (*call.reads, *call.writes)}
    entrywise = call.primitive.family == "elementwise" or call.name == "choose"
    return (
        entrywise
        and kinds <= {SINGLE, np.dtype(bool)}
        and covers(call.name, call.params)
        and all(map(fits, call.reads))
    )


def lowered(instruction: Instruction, bind: Bind, places: dict[Value, Place]) -> NativeCall | None:
    """The compiled call for an instruction, if there is one."""
    if isinstance(instruction, Chain):
        return chain(instruction.calls, instruction.writes, bind, places)
    if not isinstance(instruction, Call):
        return None
    copies = instruction.name == "reshape" and instruction.reads[0].dtype == SINGLE and fits(instruction.reads[0])
    if joins(instruction) or copies:
        return chain([instruction], instruction.writes, bind, places)
    rule = RULES.get(instruction.name)
    arrays = map(bind, (*instruction.reads, *instruction.writes))
    return rule(*arrays, **instruction.params) if rule else None


def chain(calls: list[Call], writes: Any, bind: Bind, places: dict[Value, Place]) -> NativeCall | None:
    """Elementwise operations in one pass; what one makes and another reads stays in registers."""
    if not all(bind(v).flags.c_contiguous for v in writes):
        return None
    writer = Writer()
    made: dict[Value, Register] = {}
    given: dict[Value, Register] = {}

    def register(v: Value) -> Register:
        root = places[v].root
        if root in made:
            return made[root]
        if v not in given:
            given[v] = _input(writer, bind(v))
        return given[v]

    for call in calls:
        made[call.writes[0]] = ENTRYWISE[call.name](writer, *map(register, call.reads), **call.params)
    return writer.call([(made[v], bind(v)) for v in writes])


def _input(writer: Writer, array: np.ndarray) -> Register:
    """An array that the chain reads; one constant number is part of its code."""
    constant = not array.flags.writeable and not any(array.strides) and array.dtype == SINGLE
    return writer.number(float(array.flat[0])) if constant else writer.input(array)
