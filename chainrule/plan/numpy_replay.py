"""The plan of a step on NumPy's arrays: a straight line of kernel calls on buffers that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native.calls import runner
from chainrule.backends.native.library import loaded
from chainrule.plan import lowering
from chainrule.plan.buffers import ALIGNMENT, allotted
from chainrule.plan.passes.affine import cut_affine
from chainrule.plan.passes.chains import with_chains
from chainrule.plan.passes.dead_code import without_dead_code
from chainrule.plan.passes.gradients import with_direct_stores
from chainrule.plan.passes.views import with_places
from chainrule.plan.program import Act, Call, Instruction, Program, Store, Value


class Replay:
    def __init__(self, program: Program) -> None:
        program = without_dead_code(program)
        if loaded() is not None:
            program = cut_affine(program)
        program = with_places(program)
        if loaded() is not None:
            program = with_chains(program, lowering.joins)
        program = with_direct_stores(program)
        self.program = program
        self.buffers = allotted(program)
        self.memory = _aligned(self.buffers.size)
        self.roots: dict[Value, np.ndarray] = {}
        self.inputs = [np.empty(v.shape, v.dtype) for v in program.inputs]
        self.roots.update(zip(program.inputs, self.inputs, strict=True))
        self.before, self.after = [], []
        self.lines = self._lines()
        self.source = "def replay():\n" + "\n".join(f"    {name}()" for name, _, _ in self.lines)
        space = {name: f for name, f, _ in self.lines}
        exec(compile(self.source, "<plan>", "exec"), space)
        self.replay = space["replay"]

    def __call__(self, *arrays: Any) -> list[Any]:
        for place, array in zip(self.inputs, arrays, strict=True):
            np.copyto(place, array)
        for f in self.before:
            f()
        self.replay()
        for f in self.after:
            f()
        return [self.bind(v) for v in self.program.outputs]

    def bind(self, value: Value) -> np.ndarray:
        place = self.program.places[value]
        root = self._root(place.root)
        if root.shape == value.shape and place.root is value:
            return root
        item = root.itemsize
        base = root.reshape(-1)[place.offset :] if root.flags.c_contiguous else root
        return np.lib.stride_tricks.as_strided(base, value.shape, [s * item for s in place.strides])

    def _root(self, root: Value) -> np.ndarray:
        if root not in self.roots:
            if root.kind == "constant":
                self.roots[root] = np.asarray(root.home)
            elif root.kind in ("parameter", "buffer"):
                self.roots[root] = root.home.value
            elif root.kind == "gradient":
                self.roots[root] = root.home.buffer
            else:
                at = self.buffers.offsets[root]
                self.roots[root] = self.memory[at : at + root.nbytes].view(root.dtype).reshape(root.shape)
        return self.roots[root]

    def _lines(self) -> list[tuple[str, Callable[[], Any], str]]:
        lines, natives = [], []
        native = loaded() is not None

        def flush() -> None:
            if natives:
                lines.append((f"native_{len(lines)}", runner(list(natives)), ""))
                natives.clear()

        for instruction in self.program:
            step = instruction.owner.compiled_step() if native and isinstance(instruction, Act) else None
            if step is not None:
                natives.extend(step.calls)
                self.before.append(step.before)
                self.after.append(step.after)
                continue
            call = lowering.lowered(instruction, self.bind, self.program.places) if native else None
            if call is not None:
                natives.append(call)
            else:
                flush()
                lines.append((f"{instruction.name}_{len(lines)}".replace("+", "_"), self._python(instruction), ""))
        flush()
        return lines

    def _python(self, instruction: Instruction) -> Callable[[], Any]:
        reads, writes = [self.bind(v) for v in instruction.reads], [self.bind(v) for v in instruction.writes]
        if isinstance(instruction, Act):
            return instruction.act
        if isinstance(instruction, Store):
            if instruction.add:
                return lambda: np.add(writes[0], reads[0], out=writes[0])
            return lambda: np.copyto(writes[0], reads[0])
        assert isinstance(instruction, Call)
        kernel = instruction.primitive.kernel_for(np.ndarray, writes[0])
        out = (
            writes[0]
            if len(writes) == 1
            and type(instruction.primitive.spec(*instruction.reads, **instruction.params)) is not tuple
            else tuple(writes)
        )
        params = instruction.params
        return lambda: kernel(*reads, **params, out=out)


def _aligned(size: int) -> np.ndarray:
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]
