"""A recorded step as data: values, and the instructions that make them, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.core.spec import Spec


@dataclass(frozen=True, eq=False)
class Value(Spec):
    """One array of a step that need not exist yet: shape and dtype, where it comes from, what it is called.

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
    """One line of a step: what it reads and writes, where in the model and in whose code it was asked for.

    `phase` is "forward", "backward" or "update".
    """

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
class Chain(Instruction):
    """Elementwise calls one after the other, run block by block; it writes only what others read."""

    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " + ".join(call.name for call in self.calls)


@dataclass(eq=False)
class Store(Instruction):
    """A value put in a place that outlives the step: a gradient (added to what is there, with `add`) or a buffer."""

    add: bool = False


@dataclass(eq=False)
class Draw(Instruction):
    """Random numbers: `draw(key) -> array`, with the key of the stream at the time, `tail` behind it."""

    draw: Callable[[Any], Any] = lambda key: None
    tail: tuple[Any, ...] = ()


@dataclass(eq=False)
class Check(Instruction):
    """What define-by-run would refuse: `verify(*arrays)` raises. `within` is set where numbers must lie between two."""

    verify: Callable[..., Any] = lambda *arrays: None
    within: tuple[float, float] | None = None

    @property
    def has_effect(self) -> bool:
        return True


@dataclass(eq=False)
class Act(Instruction):
    """Something done to the state in Python: an optimiser's step, a clip. `act()` does it, for `owner`.

    `flags` says of each parameter's leaf whether it held a gradient at this point of the step.
    """

    act: Callable[[], Any] = lambda: None
    flags: list[tuple[Any, bool]] = field(default_factory=list)
    title: str = "act"
    owner: Any = None

    @property
    def name(self) -> str:
        return self.title

    @property
    def is_full_step(self) -> bool:
        """Whether it is the step of an optimiser, and all its parameters have a gradient."""
        own = getattr(self.act, "__self__", None) is self.owner and getattr(self.act, "__name__", "") == "step"
        return own and hasattr(self.owner, "compiled_step") and all(filled for _, filled in self.flags)

    @property
    def has_effect(self) -> bool:
        return True


@dataclass(eq=False)
class Program:
    """A whole step: its inputs, its instructions in order, and the values that it returns.

    `flags` says of every parameter's leaf whether it holds a gradient after the step; `draws` how many random draws
    the step makes; `places` where values lie (see `places`); `pinned` what is watched, and so kept to the end.
    """

    inputs: list[Value]
    instructions: list[Instruction]
    outputs: list[Any]
    flags: list[tuple[Any, bool]] = field(default_factory=list)
    draws: int = 0
    places: dict[Value, Any] = field(default_factory=dict)
    pinned: frozenset[Value] = frozenset()

    def having(self, instructions: list[Instruction], places: dict[Value, Any] | None = None) -> Program:
        """The same program with other instructions, and other places of its values where given."""
        return replace(self, instructions=instructions, places=self.places if places is None else places)

    @property
    def returned(self) -> list[Value]:
        """The outputs that are values; a step may return other things too."""
        return [v for v in self.outputs if isinstance(v, Value)]

    def named(self) -> dict[str, Value]:
        """Every value that has a name, by all its names."""
        found: dict[str, Value] = {}
        for value in self.values():
            for name in value.names:
                found.setdefault(name, value)
        return found

    def values(self) -> Iterator[Value]:
        """Every value, once, in the order in which it is met."""
        lines = [self.inputs, *([*line.reads, *line.writes] for line in self.instructions), self.returned]
        return iter(dict.fromkeys(v for values in lines for v in values))

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    def __len__(self) -> int:
        return len(self.instructions)

    def __str__(self) -> str:
        labels = Labels()
        rows = [labels.row(line) for line in self.instructions]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows)


class Labels:
    """What values are called when a program is printed: their name, or a number."""

    def __init__(self) -> None:
        self.numbers: dict[Value, str] = {}

    def of(self, value: Value) -> str:
        """The name of a value, or a number of its own."""
        if value.names:
            return value.names[0]
        if value.kind == "constant":
            return f"constant {value.shape}"
        return self.numbers.setdefault(value, f"v{len(self.numbers)}")

    def row(self, line: Instruction) -> tuple[str, str, str, str]:
        """An instruction in four columns: what it writes, what it does with what, the shape, its place."""
        place = f"{line.phase} {line.path} {line.source}".rstrip()
        if isinstance(line, Act):
            return "", line.name, "", place
        params = "".join(f", {k}={v}" for k, v in getattr(line, "params", {}).items())
        written = ", ".join(map(self.of, line.writes))
        return written, f"{line.name}({', '.join(map(self.of, line.reads))}{params})", _shapes(line.writes), place


def _shapes(values: tuple[Value, ...]) -> str:
    return " ".join(str(v.shape) for v in values)
