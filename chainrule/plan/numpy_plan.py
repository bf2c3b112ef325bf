"""A plan on NumPy's arrays: a straight line of kernel calls on named buffers that are there before it runs.

Compiled kernels that follow one another are run by one call; what has no compiled kernel is called from Python, with
`out=`. Replaying builds no graph and makes no buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from chainrule.backends.native.calls import NativeCall, runner
from chainrule.backends.native.library import loaded
from chainrule.core.stack import stack
from chainrule.plan.buffers import ALIGNMENT, allotted
from chainrule.plan.lowering import joins, lowered
from chainrule.plan.passes import prepared
from chainrule.plan.places import array_of_home
from chainrule.plan.program import Act, Call, Chain, Check, Draw, Instruction, Program, Store, Value

Line = Callable[[], Any]


class NumpyPlan:
    """A program made ready to run; `run()` computes from what stands in `inputs`, `array_of` shows any value."""

    def __init__(self, program: Program, without: Collection[str] = ()) -> None:
        self.native = loaded() is not None
        self.program = prepared(program, joins if self.native else None, without)
        self.buffers = allotted(self.program, reuse="reuse" not in without)
        self.memory = aligned(self.buffers.size)
        self.roots: dict[Value, np.ndarray] = {v: np.empty(v.shape, v.dtype) for v in program.inputs}
        self.inputs = [self.roots[v] for v in program.inputs]
        self.scratch = 0  # bytes that kernels keep for themselves
        self.first: list[Line] = []  # checks of the arguments, the numbers of an optimiser's step
        self.last: list[Line] = []
        self.lines = self._lines()
        self.first.insert(0, _fetched([(v.home, a) for v, a in self.roots.items() if v.kind == "buffer"]))
        self.last.append(_flagged(program.flags))
        self.run = _straight([*self.first, *self.lines, *self.last])

    def array_of(self, value: Value) -> np.ndarray:
        """The array of a value, as it is or as the view that it is; after a run, what the run left there."""
        place = self.program.places[value]
        root = self._root(place.root)
        if place.root is value:
            return root
        flat = (
            np.lib.stride_tricks.as_strided(root, (1,), (root.itemsize,)) if place.offset == 0 else _from(root, place)
        )
        return np.lib.stride_tricks.as_strided(flat, value.shape, [s * root.itemsize for s in place.strides])

    def _root(self, root: Value) -> np.ndarray:
        if root not in self.roots:
            self.roots[root] = self._found(root)
        return self.roots[root]

    def _found(self, root: Value) -> np.ndarray:
        home = array_of_home(root)
        if root.kind == "buffer":  # its module may replace the array
            return np.array(home)
        if home is not None:
            return np.asarray(home)
        at = self.buffers.offsets[root]
        return self.memory[at : at + root.nbytes].view(root.dtype).reshape(root.shape)

    # Lines.

    def _lines(self) -> list[Line]:
        lines: list[Line] = []
        waiting: list[NativeCall] = []
        for instruction in self.program:
            found = self._compiled(instruction)
            waiting += found or []
            self.scratch += sum(call.scratch for call in found or [])
            if found is None:
                if waiting:
                    lines.append(runner(waiting))
                    waiting = []
                lines += self._in_python(instruction)
        return [*lines, runner(waiting)] if waiting else lines

    def _compiled(self, instruction: Instruction) -> list[NativeCall] | None:
        """The instruction as calls of compiled kernels; None where there are none."""
        if not self.native:
            return None
        if isinstance(instruction, Act):
            return self._compiled_act(instruction)
        call = lowered(instruction, self.array_of, self.program.places)
        return None if call is None else [call]

    def _compiled_act(self, act: Act) -> list[NativeCall] | None:
        whole = hasattr(act.owner, "compiled_step") and act.act == act.owner.step and all(f for _, f in act.flags)
        step = act.owner.compiled_step() if whole else None
        if step is None:
            return None
        self.first.append(step.before)
        self.last.append(step.after)
        return step.calls

    def _in_python(self, line: Instruction) -> list[Line]:
        reads, writes = [self.array_of(v) for v in line.reads], [self.array_of(v) for v in line.writes]
        if isinstance(line, Act):
            return [_flagged(line.flags), line.act]
        if isinstance(line, Check):
            return self._check(line, reads[0])
        if isinstance(line, Draw):
            return [_draw(line, writes[0])]
        if isinstance(line, Store):
            return [_store(line, reads, writes[0])]
        calls = line.calls if isinstance(line, Chain) else [line] if isinstance(line, Call) else []
        return [_call(c, [self.array_of(v) for v in c.reads], [self.array_of(v) for v in c.writes]) for c in calls]

    def _check(self, line: Check, array: np.ndarray) -> list[Line]:
        """A check of an argument comes first, so that nothing is lost; one of a result where it stands."""
        check = _verified(line, array) if not self.native else _checked(line, array)
        if self.program.places[line.reads[0]].root.kind == "input":
            self.first.append(check)
            return []
        return [check]


def _from(root: np.ndarray, place: Any) -> np.ndarray:
    """One entry of an array, `offset` entries from its first."""
    start = np.ndarray((1,), root.dtype, root, 0) if root.flags.c_contiguous else root
    whole = start.reshape(-1) if root.flags.c_contiguous else root
    if root.flags.c_contiguous:
        return root.reshape(-1)[place.offset :]
    return np.lib.stride_tricks.as_strided(whole, (place.offset + 1,), (root.itemsize,))[place.offset :]


def aligned(size: int) -> np.ndarray:
    """Bytes whose first one lies at a cache line's begin."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]


def _straight(lines: list[Line]) -> Line:
    """One function that calls others in order, without a loop."""
    names = {f"line{i}": line for i, line in enumerate(lines)}
    body = "\n".join(f"    {name}()" for name in names) or "    pass"
    exec(f"def run():\n{body}", names)
    return names["run"]


def _fetched(buffers: list[tuple[Any, np.ndarray]]) -> Line:
    """Let the buffers of modules be arrays of the plan, which change in place, with the values they have now."""

    def fetch() -> None:
        for buffer, array in buffers:
            if buffer.value is not array:
                array[...] = buffer.value
                buffer.value = array

    return fetch


def _flagged(flags: list[tuple[Any, bool]]) -> Line:
    """Tell the leaves of parameters which of them hold a gradient."""

    def tell() -> None:
        for leaf, filled in flags:
            leaf.filled = filled

    return tell


def _call(call: Call, reads: list[np.ndarray], writes: list[np.ndarray]) -> Line:
    kernel = call.primitive.kernel_for(np.ndarray, np.empty(0))
    several = type(call.primitive.spec(*call.reads, **call.params)) is tuple
    out, params = tuple(writes) if several else writes[0], call.params
    return lambda: kernel(*reads, **params, out=out)


def _store(line: Store, reads: list[np.ndarray], place: np.ndarray) -> Line:
    if line.add:
        return lambda: np.add(reads[0], place, out=place)
    return lambda: np.copyto(place, reads[0])


def _draw(line: Draw, place: np.ndarray) -> Line:
    draw, tail = line.draw, line.tail

    def fill() -> None:
        key = stack.key
        for part in tail:
            key = key / part
        place[...] = draw(key)

    return fill


def _verified(line: Check, array: np.ndarray) -> Line:
    verify = line.verify
    return lambda: verify(array)


def _checked(line: Check, array: np.ndarray) -> Line:
    """A range checked by a compiled kernel; the message is made only where it is needed."""
    if line.below is None or array.dtype != np.int64 or not array.flags.c_contiguous:
        return _verified(line, array)
    flag = np.zeros(1, np.int64)
    look = runner([NativeCall("check_below", array.size, array, line.below, flag)])

    def check() -> None:
        look()
        if flag[0]:
            flag[0] = 0
            line.verify(array)

    return check
