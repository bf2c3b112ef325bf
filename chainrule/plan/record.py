"""Recording: a step is run once on values without numbers, and every operation on them becomes an instruction.

The recorder is a transformation below all others. Reverse mode, forward mode and vmap lower their tensors until
nothing is left but arrays; here they are left with `Recorded` tensors, and what would have run a kernel is noted. So
a plan holds the derivatives that define-by-run computes, by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.backends import is_array
from chainrule.core import tree
from chainrule.core.primitive import Primitive
from chainrule.core.spec import spec_of
from chainrule.core.stack import Trace, stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.plan.program import Act, Call, Instruction, Program, Store, Value


class Recorded(Tensor):
    """A tensor without numbers; its value is a `Value` of the program."""

    __slots__ = ()


class Recorder(Trace):
    """Writes a step down. It stands on the stack while the step runs, and is told of operations and of state."""

    level = -1
    lasting = True

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.inputs: list[Value] = []
        self.constants: dict[int, Value] = {}
        self.gradients: dict[Any, Value] = {}
        self.taken: list[tuple[Tensor, Any]] = []  # tensors of state, with the arrays that belong in them
        self.flags: list[tuple[Any, bool]] = []  # leaves, with whether they held a gradient before the step
        self.above: Any = None
        self.phase = "forward"

    # Operations.

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not primitive.is_recorded:
            return primitive.kernel_for(Value, None)(*args, **params)
        reads = tuple(map(self.value_of, args))
        specs = primitive.spec(*reads, **params)
        several = type(specs) is tuple
        writes = tuple(Value(s.shape, s.dtype) for s in (specs if several else (specs,)))
        self.note(Call(reads, writes, primitive=primitive, params=params))
        tensors = tuple(Recorded(v, self) for v in writes)
        return tensors if several else tensors[0]

    def note(self, instruction: Instruction) -> None:
        """Add an instruction, with the place in the model where it arose."""
        instruction.path = stack.path[-1] if stack.path else ""
        instruction.phase = self.phase
        self.instructions.append(instruction)

    def operand(self, a: Any) -> Any:
        """An operand as the step should see it: state without its numbers. (The stack asks before every operation.)"""
        if self.above is not None:
            a = self.above.operand(a)
        if not isinstance(a, Tensor):
            return a
        if a.trace is None:
            return a.value if isinstance(a.value, Recorded) else a
        if not isinstance(a.value, Tensor) and a.trace is not self and a.is_leaf and not a.trace.level:
            self.take(a, "parameter")
        return a

    def value_of(self, a: Any) -> Value:
        """The value that an operand stands for; an array from outside is a constant."""
        while isinstance(a, Tensor):
            a = a.value
        if isinstance(a, Value):
            return a
        if id(a) not in self.constants:
            spec = spec_of(a)
            self.constants[id(a)] = Value(spec.shape, spec.dtype, "constant", a)  # keeps a, and so its id
        return self.constants[id(a)]

    def given(self, array: Any, name: str) -> Tensor:
        """A tensor for an argument of the step."""
        spec = spec_of(array)
        value = Value(spec.shape, spec.dtype, "input", None, [name])
        self.inputs.append(value)
        return Tensor(Recorded(value, self))

    # State.

    def meet(self, module: Any) -> None:
        """Take the parameters and buffers of a model, and learn their names."""
        for kind, parts in (("parameter", module.named_parameters()), ("buffer", module.named_buffers())):
            for name, part in parts:
                if not isinstance(part.value, Tensor):
                    self.take(part, kind, name)

    def take(self, part: Tensor, kind: str, name: str = "") -> None:
        """Put a value without numbers in the place of the array in a tensor that outlives the step."""
        spec = spec_of(part.value)
        self.taken.append((part, part.value))
        part.value = Recorded(Value(spec.shape, spec.dtype, kind, part, [name] if name else []), self)
        if kind == "parameter" and hasattr(part.node, "filled"):
            self.flags.append((part.node, part.node.filled))
            part.node.filled = int(part.node.filled)  # not a bool: nobody has set it in this step

    def accumulate(self, leaf: Any, bar: Any) -> None:
        """A gradient arrives at a parameter."""
        if leaf not in self.gradients:
            spec = spec_of(leaf.buffer)
            self.gradients[leaf] = Value(spec.shape, spec.dtype, "gradient", leaf)
        place, value = self.gradients[leaf], self.value_of(bar)
        self.note(Store((value, place) if leaf.filled else (value,), (place,), add=bool(leaf.filled)))
        leaf.filled = True

    def assign(self, buffer: Tensor, new: Any) -> None:
        """A buffer takes new values."""
        place = next(value for part, value in self._values_taken() if part is buffer)
        new = words.astype(new, buffer.dtype)
        self.note(Store((self.value_of(new),), (place,)))
        buffer.value = new if isinstance(new, Recorded) else Recorded(self.value_of(new), self)

    def _values_taken(self) -> Any:
        return ((part, part.value.value) for part, _ in self.taken)

    def act(self, title: str, owner: Any, act: Callable[[], Any], parameters: list[Any]) -> None:
        """Something changes parameters and gradients in a way of its own: an optimiser's step, a clip."""
        values = [p.value.value for p in parameters if isinstance(p.value, Recorded)]
        grads = [self.gradients[p.node] for p in parameters if p.node in self.gradients]
        changed = (*values, *grads)
        self.note(Act(changed, changed, act=act, title=title, owner=owner))

    def give_back(self) -> list[tuple[Any, bool]]:
        """Restore the arrays and flags of all state; the flags as the step left them."""
        left = [(leaf, bool(leaf.filled)) for leaf, _ in self.flags]
        for part, array in self.taken:
            part.value = array
        for leaf, filled in self.flags:
            leaf.filled = filled
        return left


def record(step: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Program, Callable[[list[Any]], Any]]:
    """A step as a program, and how the tree that it returns is built from the outputs."""
    recorder = Recorder()
    leaves, rebuild = tree.flatten(args)
    given = [recorder.given(leaf, f"input{i}") if _is_data(leaf) else leaf for i, leaf in enumerate(leaves)]
    recorder.above, stack.watcher, stack.recorder = stack.watcher, recorder, recorder
    try:
        result, build = tree.flatten(step(*rebuild(given)))
    finally:
        stack.watcher, stack.recorder = recorder.above, None
        flags = recorder.give_back()
    outputs = [recorder.value_of(r) if isinstance(r, Tensor) or is_array(r) else r for r in result]
    return Program(recorder.inputs, recorder.instructions, outputs, flags), build


def _is_data(leaf: Any) -> bool:
    return is_array(leaf) or isinstance(leaf, Tensor)
