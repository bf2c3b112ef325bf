"""A recorded step as data: values, and the instructions that make them, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.core.spec import Spec


@dataclass(frozen=True, eq=False)
class Value(Spec):
    """One array of a step that need not exist yet: shape and dtype, where it comes from, its name.

    `kind` is "input" (an argument of the step), "constant", "parameter", "gradient", "buffer" or "result"; `home` is
    the array of a constant, and for parameters, gradients and buffers the object that holds it.
    """

    kind: str = "result"
    home: Any = None
    names: list[str] = field(default_factory=list)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    @property
    def is_state(self) -> bool:
        """Whether it outlives the step and may change in it."""
        return self.kind in ("parameter", "gradient", "buffer")

    def __repr__(self) -> str:
        return f"<{self.names[0] if self.names else self.kind} {self.shape}>"


@dataclass(eq=False)
class Instruction:
    """One line of a step: what it reads, what it writes, where in the model and in whose code it was asked for."""

    reads: tuple[Value, ...]
    writes: tuple[Value, ...]
    path: str = ""
    source: str = ""
    phase: str = "forward"

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def has_effect(self) -> bool:
        """Whether it does more than make new values, so that it stays even if nobody reads them."""
        return any(v.is_state for v in self.writes)


@dataclass(eq=False)
class Call(Instruction):
    """A primitive applied."""

    primitive: Any = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.primitive.name


@dataclass(eq=False)
class Store(Instruction):
    """A value put in a place that outlives the step: a gradient (added to what is there, with `add`) or a buffer."""

    add: bool = False


@dataclass(eq=False)
class Draw(Instruction):
    """Random numbers by the key of the step: `draw(generator) -> array`, for the key of this path and count."""

    draw: Callable[[Any], Any] = lambda generator: None
    tail: tuple[Any, ...] = ()


@dataclass(eq=False)
class Act(Instruction):
    """Something done in Python with the state: an optimiser's step, a clip. `act()` does it."""

    act: Callable[[], Any] = lambda: None
    title: str = "act"
    owner: Any = None

    @property
    def name(self) -> str:
        return self.title

    @property
    def has_effect(self) -> bool:
        return True


@dataclass(eq=False)
class Chain(Instruction):
    """Elementwise calls one after the other, run block by block; it writes only what others read."""

    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "+".join(call.name for call in self.calls)


@dataclass(eq=False)
class Program:
    """A whole step: its inputs, its instructions in order, and the values that it returns."""

    inputs: list[Value]
    instructions: list[Instruction]
    outputs: list[Any]
    flags: list[tuple[Any, bool]] = field(default_factory=list)
    pinned: set[Value] = field(default_factory=set)
    places: dict[Value, Any] = field(default_factory=dict)

    def having(self, instructions: list[Instruction], places: dict[Value, Any] | None = None) -> Program:
        """The same program with other instructions, and other places of its values where given."""
        return replace(self, instructions=instructions, places=self.places if places is None else places)

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    def __len__(self) -> int:
        return len(self.instructions)

    def __str__(self) -> str:
        numbers: dict[Value, str] = {}
        for value in self.inputs:
            numbers[value] = f"x{len(numbers)}"
        lines = []
        for line in self.instructions:
            reads = ", ".join(_called(v, numbers) for v in line.reads)
            writes = ", ".join(_called(v, numbers) for v in line.writes)
            params = ", ".join(f"{k}={v}" for k, v in getattr(line, "params", {}).items())
            lines.append(f"{writes:24} = {line.name}({reads}{'; ' + params if params else ''})   {line.path}")
        return "\n".join(lines)


def _called(value: Value, numbers: dict[Value, str]) -> str:
    if value.kind == "constant":
        return f"const{value.shape}"
    if value.names:
        return value.names[0]
    return numbers.setdefault(value, f"v{len(numbers)}")
