"""A plan replayed: a straight line of kernel calls on named buffers that are there before it runs.

On NumPy's arrays, compiled kernels that follow one another are run by one call; what has no compiled kernel is called
from Python, with `out=`. PyTorch's tensors on the CPU are seen as NumPy's arrays in the same memory, where compiled
kernels serve their dtypes. Elsewhere PyTorch's own kernels are called, without autograd; on a GPU those that follow one
another are recorded as one graph, which is started by one call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import groupby
from typing import Any

import numpy as np

from chainrule.backends import NUMPY, Place, backend_of, copied, on_host, put, readable
from chainrule.backends.native.calls import NativeCall, runner, share_scratch
from chainrule.backends.native.library import loaded
from chainrule.backends.native.memory import make_room
from chainrule.core.stack import stack
from chainrule.plan.buffers import allotted
from chainrule.plan.lowering import joins, joins_on_gpu, lowered, lowered_on_gpu
from chainrule.plan.passes import prepared
from chainrule.plan.places import array_of_home
from chainrule.plan.program import Act, Call, Chain, Check, Draw, Instruction, Program, Store, Value

Line = Callable[[], Any]
HOST = Place(NUMPY, "cpu")


class Launch:
    """A call of a library's own kernel on arrays that stay; on a GPU it can be part of a graph."""

    def __init__(self, run: Line) -> None:
        self.run = run


class Replay:
    """A program made ready to run; `array_of` shows any value, `run` computes from what `take` was given.

    `home` is where the parameters are, and what the step returns; `place` where its kernels work.
    """

    is_static = True
    """Whether a value has the same array in every run."""

    def __init__(self, program: Program, home: Place, without: Collection[str] = ()) -> None:
        self.home = home
        self.place = HOST if "shared memory" not in without and _shares_memory(program, home) else home
        self.native = self.place.backend.name == "numpy" and loaded() is not None
        self.in_graphs = self.place.backend.has_graphs(self.place.device)
        self.writer = None if self.native else self.place.backend.chain_writer(self.place.device)
        self.program = self._prepared(program, without)
        self.buffers = allotted(self.program, reuse="reuse" not in without)
        self.memory = self._reserved(self.buffers.size)
        self.roots: dict[Value, Any] = {v: self._input(v) for v in program.inputs}
        self.fetched: list[tuple[Any, Any]] = []  # buffers of modules with the arrays that they are in here
        self.inputs = [self.roots[v] for v in program.inputs]
        self.arguments: list[Any] = []  # as they were given, where they are looked at before a graph
        self.acts = _fused_steps(self.program)
        self.scratch = 0  # bytes that compiled kernels work in
        self.passing = 0  # bytes that NumPy's kernels take and give back, at the peak of one call
        self.steps: list[Any] = []  # of optimisers by few calls: each has numbers to be put in place, and is counted
        self.first: list[Line] = []  # checks of the arguments, random draws
        self.last: list[Line] = []  # what happens in Python at the end
        self.calls: list[NativeCall] = []
        self.aside: list[Instruction] = []  # what no compiled kernel does
        self.pieces = self._pieces()
        self.fetch, self.flag = _fetched(self.fetched), _flagged(program.flags)
        if program.draws:
            self.last.append(_counted(program.draws))
        self.results = [self.array_of(v) if isinstance(v, Value) else v for v in program.outputs]
        self.lines = _joined(self.pieces, self._launched)
        first = [self.fetch, *self.first, *(step.before for step in self.steps)]
        last = [*(step.after for step in self.steps), *self.last, self.flag]
        self.run = _straight([*first, *self.lines, *last])

    def _prepared(self, program: Program, without: Collection[str]) -> Program:
        """The program after the passes that suit its kernels; PyTorch's affine map has its addition in it anyway."""
        if self.writer is not None:
            return prepared(program, joins_on_gpu, (*without, "affine"))
        return prepared(program, joins if self.native else None, without)

    def take(self, arrays: Collection[Any]) -> None:
        """Put the arguments of a step into its input buffers."""
        if self.place.backend.name == "numpy":
            for buffer, array in zip(self.inputs, arrays, strict=True):
                np.copyto(buffer, array if type(array) is np.ndarray else self.place.array(array))
        else:
            self.arguments[:] = arrays if self.in_graphs else ()
            for buffer, array in zip(self.inputs, arrays, strict=True):
                put(buffer, array)

    def given(self, result: Any) -> Any:
        """A result in memory of its own, for the next run overwrites it, and in the library of the parameters."""
        return copied(result) if self.place is self.home else self.home.array(result)

    def array_of(self, value: Value) -> Any:
        """The array of a value, as it is or as the view that it is; after a run, what the run left there."""
        place = self.program.places[value]
        root = self._root(place.root)
        if place.root is value:
            return root
        return self.place.backend.strided(root, value.shape, place.strides, place.offset)  # type: ignore[misc]

    def _root(self, root: Value) -> Any:
        if root not in self.roots:
            self.roots[root] = self._found(root)
        return self.roots[root]

    def _found(self, root: Value) -> Any:
        home = array_of_home(root)
        if root.kind == "buffer":  # its module may replace the array
            array = self.home.backend.xp.array(self.home.array(home))
            self.fetched.append((root.home, array))
            return self.place.array(array)
        if home is not None:
            here = root.is_state and self.place is self.home
            return home if here else readable(home, self.place.backend, self.place.device)
        at = self.buffers.offsets[root]
        part = self.memory[at : at + root.nbytes]
        if self.place.backend.name == "numpy":
            return part.view(root.dtype).reshape(root.shape)
        return part.view(self.place.array(np.empty(0, root.dtype)).dtype).reshape(root.shape)

    def _input(self, value: Value) -> Any:
        return self.place.backend.flat_like(self.place.array(np.empty(1, value.dtype)), value.size).reshape(value.shape)

    def _reserved(self, size: int) -> Any:
        """Bytes for everything that is made on the way."""
        make_room(size)
        return self.place.backend.flat_like(self.place.array(np.empty(1, np.uint8)), size)

    @property
    def is_one_call(self) -> bool:
        """Whether a run is one call of the compiled library, beside which nothing must be done each time."""
        owners = {id(step.optimizer) for step in self.steps}
        compiled = all(type(piece) is NativeCall for piece in self.pieces)
        return compiled and len(owners) == len(self.steps) and not self.first and not self.last

    # Lines.

    def _pieces(self) -> list[Any]:
        """All calls, in order; those that follow one another can be joined."""
        pieces: list[Any] = []
        for instruction in self.program:
            found = self._compiled(instruction)
            if found is None:
                self.aside.append(instruction)
            pieces += self._in_python(instruction) if found is None else found
            self.calls += found or []
        self.scratch = share_scratch(self.calls)
        return pieces

    def _launched(self, runs: list[Line]) -> list[Line]:
        """Kernels of a library that follow one another: as they are, or as one graph of the device."""
        return [self.place.backend.captured(_straight(runs), self.memory)] if self.in_graphs else runs

    def addresses(self, value: Value) -> list[tuple[np.ndarray, int, int]] | None:
        """Where compiled calls are told of an input: table, place, and the bytes behind its beginning.

        Who puts another address there lets the plan read its input elsewhere. None where not only they read it.
        """
        places = self.program.places
        others = [*self.program.returned, *self.program.pinned, *(v for line in self.aside for v in line.reads)]
        if any(places[v].root is value for v in others if v in places):
            return None
        array = self.roots[value]
        spots = [spot for call in self.calls for spot in call.places if np.may_share_memory(spot[2], array)]
        return [(table, i, a.ctypes.data - array.ctypes.data) for table, i, a in spots]

    def _compiled(self, instruction: Instruction) -> list[NativeCall] | None:
        """The instruction as calls of compiled kernels; None where there are none."""
        if not self.native:
            return None
        if isinstance(instruction, Act):
            return self._compiled_act(instruction)
        call = lowered(instruction, self.array_of, self.program.places)
        return None if call is None else [call]

    def _compiled_act(self, act: Act) -> list[NativeCall] | None:
        step = self.acts.get(act)
        if step is None:
            return None
        self.steps.append(step)
        return step.calls

    def _in_python(self, line: Instruction) -> list[Any]:
        reads, writes = [self.array_of(v) for v in line.reads], [self.array_of(v) for v in line.writes]
        if isinstance(line, Act):
            return self._acted(line)
        if isinstance(line, Check):
            return self._check(line, reads[0])
        if isinstance(line, Draw):
            self.first.append(_draw(line, writes[0]))
            return []
        if isinstance(line, Store):
            return [Launch(_store(line, reads, writes[0]))]
        fused = lowered_on_gpu(line, self.array_of, self.program.places, self.writer()) if self.writer else None
        if fused is not None:
            return [Launch(fused)]
        calls = line.calls if isinstance(line, Chain) else [line] if isinstance(line, Call) else []
        if self.place.backend.name == "numpy":
            self.passing = max(self.passing, *(c.primitive.workspace_bytes(*c.reads, **c.params) for c in calls), 0)
        bound = [(c, [self.array_of(v) for v in c.reads], [self.array_of(v) for v in c.writes]) for c in calls]
        return [Launch(_call(*call)) for call in bound]

    def _acted(self, act: Act) -> list[Any]:
        """An optimiser's step by one call of the library, or by its own `step`; what is at the end comes last."""
        step = self.acts.get(act)
        if step is not None:
            self.steps.append(step)
            return [Launch(step.run)]
        lines = [_flagged(act.flags), act.act]
        if act is not self.program.instructions[-1]:
            return lines
        self.last += lines
        return []

    def _check(self, line: Check, array: Any) -> list[Line]:
        """A check of an argument comes first, so that nothing is lost; one of a result where it stands."""
        check = _verified(line, array) if not self.native else _checked(line, array)
        place = self.program.places[line.reads[0]]
        if place.root.kind != "input":
            return [check]
        if self.in_graphs and place.root is line.reads[0]:
            check = self._argument_checked(line, self.program.inputs.index(place.root))
        self.first.append(check)
        return []

    def _argument_checked(self, line: Check, number: int) -> Line:
        """A check of an argument as it was given, which need not wait for the device where it has seen it."""
        look, arguments = self.place.backend.looking(line.verify), self.arguments
        return lambda: look(arguments[number])


def _shares_memory(program: Program, home: Place) -> bool:
    """Whether the step can be computed by compiled kernels in the memory of another library's arrays."""
    if home.backend is NUMPY or home.device != "cpu" or loaded() is None:
        return False
    values = list(program.values())
    known = all(v.dtype == np.float32 or v.dtype.kind in "biu" for v in values)
    return known and all(on_host(array_of_home(v)) for v in values if v.is_state)


def _fused_steps(program: Program) -> dict[Act, Any]:
    """The steps of optimisers as few calls: of those that can make all their steps so."""
    acts: dict[Any, list[Act]] = {}
    for line in program:
        if isinstance(line, Act):
            acts.setdefault(line.owner, []).append(line)
    found: dict[Act, Any] = {}
    for owner, own in acts.items():
        steps = [owner.compiled_step(ahead) if act.is_full_step else None for ahead, act in enumerate(own)]
        if all(steps):
            found |= zip(own, steps, strict=True)
    return found


def _joined(pieces: list[Any], launched: Callable[[list[Line]], list[Line]]) -> list[Line]:
    """Calls that follow one another together: those of compiled kernels by one call, those of a library `launched`."""
    lines: list[Line] = []
    for kind, same in groupby(pieces, type):
        group: list[Any] = list(same)
        if kind is NativeCall:
            lines.append(runner(group))
        else:
            lines += launched([piece.run for piece in group]) if kind is Launch else group
    return lines


def _straight(lines: list[Line]) -> Line:
    """One function that calls others in order, without a loop."""
    names = {f"line{i}": line for i, line in enumerate(lines)}
    body = "\n".join(f"    {name}()" for name in names) or "    pass"
    exec(f"def run():\n{body}", names)
    return names["run"]


def _fetched(buffers: list[tuple[Any, Any]]) -> Line:
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


def _call(call: Call, reads: list[Any], writes: list[Any]) -> Line:
    example = (reads or writes)[0]
    kernel = call.primitive.kernel_for(type(example), example)
    several = type(call.primitive.spec(*call.reads, **call.params)) is tuple
    out, params = tuple(writes) if several else writes[0], call.params
    return lambda: kernel(*reads, **params, out=out)


def _store(line: Store, reads: list[Any], place: Any) -> Line:
    if line.add:
        add = backend_of(place).xp.add
        return lambda: add(reads[0], place, out=place)
    return lambda: put(place, reads[0])


def _counted(draws: int) -> Line:
    """Let the stream of random numbers go on as if the step had drawn from it."""

    def count() -> None:
        stack.draws += draws

    return count


def _draw(line: Draw, place: Any) -> Line:
    draw, (path, count) = line.draw, line.tail

    def fill() -> None:
        put(place, draw(stack.key / path / (stack.draws + count)))

    return fill


def _verified(line: Check, array: Any) -> Line:
    verify = line.verify
    return lambda: verify(array)


def _checked(line: Check, array: np.ndarray) -> Line:
    """A range checked by a compiled kernel; the message is made only where it is needed."""
    kernel = CHECKS.get(array.dtype)
    if line.within is None or kernel is None or not array.flags.c_contiguous:
        return _verified(line, array)
    flag = np.zeros(1, np.int64)
    look = runner([NativeCall(kernel, array.size, array, *map(float, line.within), flag)])

    def check() -> None:
        look()
        if flag[0]:
            flag[0] = 0
            line.verify(array)

    return check


CHECKS = {np.dtype(np.int64): "check_whole", np.dtype(np.float32): "check_single"}
"""The kernels that look whether numbers are within a range."""
