"""Recording: a step is run once on values without numbers, and every operation on them becomes an instruction.

The recorder is a transformation below all others. Reverse mode, forward mode and vmap lower their tensors until
nothing is left but arrays; here they are left with `Recorded` tensors, and what would have run a kernel is noted. So
a plan holds the derivatives that define-by-run computes, by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.backends import is_array
from chainrule.base.source import caller
from chainrule.core import tree
from chainrule.core.primitive import Primitive
from chainrule.core.spec import UnknownNumbersError, spec_of
from chainrule.core.stack import Trace, stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.plan.naming import Naming
from chainrule.plan.program import Act, Call, Check, Draw, Instruction, Program, Store, Value


class Recorded(Tensor):
    """A tensor without numbers; its value is a `Value` of the program."""

    __slots__ = ()


class Recorder(Trace):
    """Writes a step down. It stands on the stack while the step runs, and is told of operations and of state."""

    level = -1
    lasting = True

    def __init__(self, checks: bool = True) -> None:
        self.checks = checks
        self.instructions: list[Instruction] = []
        self.inputs: list[Value] = []
        self.constants: dict[int, Value] = {}
        self.gradients: dict[Any, Value] = {}
        self.taken: list[tuple[Tensor, Any]] = []  # tensors of state, with the arrays that belong in them
        self.state: dict[int, Value] = {}  # by the id of a tensor of state
        self.flags: dict[Any, bool] = {}  # leaves, with whether they held a gradient before the step
        self.depends: list[tuple[Any, bool]] = []  # those of them whose flag decided what the step does
        self.modules: list[Any] = []
        self.owners: list[Any] = []
        self.naming = Naming()
        self.node: Any = None  # whose derivative is being taken
        self.above: Any = None

    # Operations.

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not primitive.is_recorded:
            return primitive.kernel_for(Value, None)(*args, **params)
        reads = tuple(map(self.value_of, args))
        specs = primitive.spec(*reads, **params)
        several = type(specs) is tuple
        writes = tuple(Value(s.shape, s.dtype) for s in (specs if several else (specs,)))
        call = Call(reads, writes, primitive=primitive, params=params)
        self.note(call)
        self.naming.call(call)
        tensors = tuple(Recorded(v, self) for v in writes)
        return tensors if several else tensors[0]

    def note(self, line: Instruction) -> None:
        """Add an instruction, with the place in the model and in the user's code where it arose."""
        node = self.node
        if node is None:
            line.path = stack.path[-1] if stack.path else ""
            line.source, line.phase = caller(), line.phase if line.phase == "update" else "forward"
        else:
            line.path, line.source, line.phase = node.path, node.source, "backward"
        self.instructions.append(line)

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

    # Random numbers and checks.

    def drawn(self, draw: Callable[[Any], Any], shape: tuple[int, ...], dtype: Any) -> Recorded:
        """Random numbers by the key of the stream: `draw(key)` makes them, in each run anew."""
        stack.draws += 1
        value = Value(shape, dtype)
        self.note(Draw((), (value,), draw=draw, tail=(".".join(stack.path), stack.draws - self.drawn_before)))
        return Recorded(value, self)

    def holds(self, values: Any) -> bool:
        """Whether a value has no numbers yet, because the step makes it or is given it."""
        while isinstance(values, Tensor):
            values = values.value
        return isinstance(values, Value) and values.kind != "constant"

    def check(self, verify: Callable[..., Any], value: Any, within: tuple[float, float] | None = None) -> None:
        """What define-by-run would look at is looked at in every step; arguments only where that was asked for."""
        read = self.value_of(value)
        if self.checks or read.kind != "input":
            self.note(Check((read,), (), verify=verify, within=within))

    # Modules and derivatives.

    def meet(self, module: Any) -> None:
        """Take the parameters and buffers of a model, and learn their names."""
        if module in self.modules:
            return
        self.modules.append(module)
        for kind, parts in (("parameter", module.named_parameters()), ("buffer", module.named_buffers())):
            for name, part in parts:
                if not isinstance(part.value, Tensor):
                    self.take(part, kind, name)

    def left(self, module: Any, path: str, result: Any) -> None:
        """A layer has given its result."""
        if isinstance(result, Tensor) and self.node is None:
            self.naming.result(module, path, self.value_of(result))

    def arrived(self, node: Any, bar: Any) -> None:
        """The cotangent of a node is complete, and its derivative is taken next; None at the end."""
        self.node = node if node is not None and node.primitive is not None else None
        if node is not None and bar is not None and not isinstance(bar, tuple) and hasattr(node, "value"):
            self.naming.cotangent(self.value_of(node.value), self.value_of(bar))

    # State.

    def take(self, part: Tensor, kind: str, name: str = "") -> None:
        """Put a value without numbers in the place of the array in a tensor that outlives the step."""
        spec = spec_of(part.value)
        value = self.state[id(part)] = Value(spec.shape, spec.dtype, kind, part, [name] if name else [])
        self.taken.append((part, part.value))
        part.value = Recorded(value, self)
        if kind == "parameter" and hasattr(part.node, "filled") and part.node not in self.flags:
            self.flags[part.node] = part.node.filled
            part.node.filled = int(part.node.filled)  # not a bool: nobody has set it in this step

    def cleared(self, leaf: Any) -> None:
        """The gradient of a parameter is forgotten."""
        self.flags.setdefault(leaf, bool(leaf.filled))

    def accumulate(self, leaf: Any, bar: Any) -> None:
        """A gradient arrives at a parameter."""
        if leaf not in self.gradients:
            spec = spec_of(leaf.buffer)
            self.gradients[leaf] = Value(spec.shape, spec.dtype, "gradient", leaf)
        if type(leaf.filled) is int:
            self.depends.append((leaf, bool(leaf.filled)))
        place, value = self.gradients[leaf], self.value_of(bar)
        line = Store((value, place) if leaf.filled else (value,), (place,), add=bool(leaf.filled))
        self.note(line)
        line.phase = "backward"
        leaf.filled = True

    def assign(self, buffer: Tensor, new: Any) -> None:
        """A buffer takes new values."""
        if id(buffer) not in self.state:
            self.take(buffer, "buffer")
        new = self.value_of(words.astype(new, buffer.dtype))
        self.note(Store((new,), (self.state[id(buffer)],)))
        buffer.value = Recorded(new, self)

    def act(self, title: str, owner: Any, act: Callable[[], Any], parameters: list[Any]) -> None:
        """Something changes parameters and gradients in a way of its own: an optimiser's step, a clip."""
        for p in parameters:
            if id(p) not in self.state:
                self.take(p, "parameter")
        self.owners.append(owner)
        values = [self.state[id(p)] for p in parameters]
        grads = [self.gradients[p.node] for p in parameters if p.node in self.gradients]
        changed = (*values, *grads)
        flags = [(p.node, bool(p.node.filled)) for p in parameters]
        self.note(Act(changed, changed, phase="update", act=act, flags=flags, title=title, owner=owner))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside the block, what happens is recorded; after it all state is as it was, `left_filled` as it was left."""
        self.above, stack.watcher, stack.recorder = stack.watcher, self, self
        before = self.drawn_before = stack.draws
        try:
            yield
            self.naming.finish(self.gradients, {part.node: self.state[id(part)] for part, _ in self.taken})
        finally:
            stack.watcher, stack.recorder = self.above, None
            self.draws, stack.draws = stack.draws - before, before
            self.left_filled = [(leaf, bool(leaf.filled)) for leaf in self.flags]
            for part, array in self.taken:
                part.value = array
            for leaf, filled in self.flags.items():
                leaf.filled = filled


class Recording:
    """A step as a program, how the tree that it returns is built from the outputs, and what it depended on."""

    def __init__(self, step: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], checks: bool) -> None:
        recorder = Recorder(checks)
        leaves, rebuild = tree.flatten((args, kwargs))
        names = [f"input{i}" for i in range(len(leaves))]
        given = [recorder.given(leaf, n) if is_data(leaf) else leaf for leaf, n in zip(leaves, names, strict=True)]
        new_args, new_kwargs = rebuild(given)
        with recorder.at_work():
            result, self.build = tree.flatten(step(*new_args, **new_kwargs))
        _refuse_kept(recorder.modules)
        outputs = [recorder.value_of(r) if isinstance(r, Tensor) or is_array(r) else r for r in result]
        self.program = Program(recorder.inputs, recorder.instructions, outputs, recorder.left_filled, recorder.draws)
        self.recorder = recorder


def _refuse_kept(models: list[Any]) -> None:
    """Nothing of the step stays behind in a layer: in a plan it would be kept only once.

    Raises:
        UnknownNumbersError: a `forward` method has put a tensor into an attribute.
    """
    for model in models:
        for path, module in model.named_modules():
            for name, value in vars(module).items():
                inner = value
                while isinstance(inner, Tensor):
                    inner = inner.value
                if isinstance(inner, Value):
                    raise UnknownNumbersError(
                        f"A layer keeps a result of the step in its attribute {name!r}, which a plan would not renew.",
                        layer=f"{path} = {type(module).__name__}" if path else type(module).__name__,
                        fix="return it from the step, or plan.watch(...)",
                    )


def is_data(leaf: Any) -> bool:
    """Whether an argument is an array or a tensor, and so may differ from step to step without a new plan."""
    return isinstance(leaf, Tensor) or is_array(leaf)
