"""From instructions to compiled kernels, for NumPy's arrays and for those of a GPU; None where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.backends.chain_rules import MOST_REGISTERS, Register, Writer, covers
from chainrule.backends.chain_rules import RULES as ENTRYWISE
from chainrule.backends.native.calls import NativeCall
from chainrule.backends.native.chains import NativeWriter, fits
from chainrule.backends.native.kernels import RULES, SINGLE
from chainrule.plan.places import Place
from chainrule.plan.program import Call, Chain, Instruction, Value

Bind = Callable[[Value], Any]


def joins(*calls: Call) -> bool:
    """Whether calls can be a chain of compiled kernels."""
    kinds = {v.dtype for call in calls for v in (*call.reads, *call.writes)}
    known = all(map(_is_entrywise, calls)) and kinds <= {SINGLE, np.dtype(bool)}
    return known and all(fits(v) for call in calls for v in call.reads) and _has_room(calls)


def joins_on_gpu(*calls: Call) -> bool:
    """Whether calls can be a chain on a GPU, which knows numbers of 16 bits too."""
    kinds = {v.dtype.name for call in calls for v in (*call.reads, *call.writes)}
    known = all(_is_entrywise(c) or (c.name == "astype" and covers(c.name, c.params)) for c in calls)
    known = known and kinds <= {"float32", "bool", "bfloat16", "float16"}
    return known and all(v.size > 0 for call in calls for v in call.writes) and _has_room(calls)


def _has_room(calls: Sequence[Call]) -> bool:
    """Whether a chain has registers for these calls: an input for what none of them makes, and what they consist of."""
    writer = Writer()
    made: dict[Value, Register] = {}
    for call in calls:
        for v in call.reads:
            made[v] = made[v] if v in made else writer.input(v)
        made[call.writes[0]] = ENTRYWISE[call.name](writer, *(made[v] for v in call.reads), **call.params)
    return writer.registers <= MOST_REGISTERS


def _is_entrywise(call: Call) -> bool:
    known = call.primitive.family == "elementwise" or call.name == "choose"
    return known and covers(call.name, call.params)


def lowered(instruction: Instruction, bind: Bind, places: dict[Value, Place]) -> NativeCall | None:
    """The compiled call for an instruction, if there is one."""
    if isinstance(instruction, Chain):
        return chain(instruction.calls, instruction.writes, bind, places, NativeWriter())
    if not isinstance(instruction, Call):
        return None
    copies = instruction.name == "reshape" and instruction.reads[0].dtype == SINGLE and fits(instruction.reads[0])
    if joins(instruction) or copies:
        return chain([instruction], instruction.writes, bind, places, NativeWriter())
    rule = RULES.get(instruction.name)
    arrays = map(bind, (*instruction.reads, *instruction.writes))
    return rule(*arrays, **instruction.params) if rule else None


def lowered_on_gpu(
    instruction: Instruction, bind: Bind, places: dict[Value, Place], writer: Any
) -> Callable[[], Any] | None:
    """A kernel of Triton's for a chain; None where it is one of PyTorch's anyway."""
    if not isinstance(instruction, Chain) or [c.name for c in instruction.calls] in ALONE:
        return None
    return chain(instruction.calls, instruction.writes, bind, places, writer)


ALONE = [
    [name]
    for name in (
        *("add", "subtract", "multiply", "divide", "negative", "abs", "sqrt", "exp", "log", "tanh", "sigmoid"),
        *("relu", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "choose"),
    )
]


def chain(calls: list[Call], writes: Any, bind: Bind, places: dict[Value, Place], writer: Any) -> Any:
    """Elementwise operations in one pass; what one makes and another reads stays in registers."""
    if not all(writer.can_write(bind(v)) for v in writes):
        return None
    made: dict[Value, Register] = {}
    given: dict[Value, Register] = {}

    def register(v: Value) -> Register:
        root = places[v].root
        if root in made:
            return made[root]
        if v not in given:
            given[v] = writer.given(bind(v), _number(root))
        return given[v]

    for call in calls:
        made[call.writes[0]] = ENTRYWISE[call.name](writer, *map(register, call.reads), **call.params)
    return writer.call([(made[v], bind(v)) for v in writes])


def _number(root: Value) -> float | None:
    """The number that a constant repeats, which is part of the code of a chain."""
    home = root.home
    constant = root.kind == "constant" and isinstance(home, np.ndarray) and home.dtype == SINGLE
    return float(home.flat[0]) if constant and not home.flags.writeable and not any(home.strides) else None
