"""A plan compiled by the library itself: one function of the state and the arguments, for arrays that never change.

Draws and checks are made before it. The step of an optimiser is part of the function where it can be one (Adam, AdamW,
SGD); other things that are done in Python stand between two functions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from chainrule.backends import Place
from chainrule.core.stack import stack
from chainrule.core.vocabulary import words
from chainrule.plan.buffers import allotted
from chainrule.plan.passes import prepared
from chainrule.plan.passes.dead_code import without_dead_code
from chainrule.plan.places import array_of_home
from chainrule.plan.program import Act, Call, Check, Draw, Instruction, Program, Store, Value


class Jitted:
    """A program as compiled functions; `run` computes from what `take` was given, `array_of` shows what is kept."""

    is_static = False
    scratch = passing = 0

    def __init__(self, program: Program, place: Place, without: Collection[str] = ()) -> None:
        self.place, self.program = place, prepared(program, None, without)
        self.buffers = allotted(self.program)
        self.source = program if "dead code" in without else without_dead_code(program)
        self.values: dict[Value, Any] = {}
        self.segments = self._segments()

    def take(self, arrays: Sequence[Any]) -> None:
        """Take the arguments of a step."""
        self.values = dict(zip(self.source.inputs, map(self.place.array, arrays), strict=True))

    def run(self) -> None:
        """One step."""
        for line in self.source:
            if isinstance(line, Check) and line.reads[0].kind == "input":
                line.verify(self.values[line.reads[0]])
            elif isinstance(line, Draw):
                path, count = line.tail
                key = stack.key / path / (stack.draws + count)
                self.values[line.writes[0]] = self.place.array(line.draw(key))
        for segment in self.segments:
            segment.run(self)
        for leaf, filled in self.source.flags:
            leaf.filled = filled
        stack.draws += self.source.draws

    def given(self, result: Any) -> Any:
        """A result as the step returns it: JAX's arrays never change."""
        return result

    def array_of(self, value: Value) -> Any:
        """What the last run left of a value; state as it is now."""
        if value in self.values:
            return self.values[value]
        home = array_of_home(value)
        return self.place.array(home)

    @property
    def results(self) -> list[Any]:
        """What the step returned."""
        return [self.array_of(v) if isinstance(v, Value) else v for v in self.source.outputs]

    def _segments(self) -> list[Segment | Aside]:
        """Stretches that are compiled, and what is done in Python between them."""
        found: list[Segment | Aside] = []
        waiting: list[Instruction] = []
        for line in self.source:
            if isinstance(line, Draw) or (isinstance(line, Check) and line.reads[0].kind == "input"):
                continue
            aside = isinstance(line, Check) or (isinstance(line, Act) and _rule(line) is None)
            if aside or _steps_again(line, waiting):
                found += [Segment(waiting, self)] if waiting else []
                waiting = []
            if aside:
                found.append(Aside(line))
            else:
                waiting.append(line)
        return [*found, Segment(waiting, self)] if waiting else found

    def needed_later(self, lines: list[Instruction]) -> set[Value]:
        """The values that are read outside of some lines: by others, by the caller, by a watch."""
        inside = set(lines)
        outside = {v for line in self.source if line not in inside for v in line.reads}
        return outside | {*self.source.returned, *self.source.pinned}


class Aside:
    """Something that is done in Python: an optimiser's step, a check of a result."""

    def __init__(self, line: Instruction) -> None:
        self.line = line

    def run(self, plan: Jitted) -> None:
        """Do it."""
        if isinstance(self.line, Check):
            self.line.verify(plan.array_of(self.line.reads[0]))
        elif isinstance(self.line, Act):
            for leaf, filled in self.line.flags:
                leaf.filled = filled
            self.line.act()


class Segment:
    """Instructions compiled as one function of all that they read, to all that they change or make for others."""

    def __init__(self, lines: list[Instruction], plan: Jitted) -> None:
        self.lines = lines
        made = [v for line in lines for v in line.writes]
        read = [v for line in lines for v in line.reads if v.kind != "constant"]
        self.reads = [v for v in dict.fromkeys(read) if v.is_state or v not in made]
        wanted = plan.needed_later(lines)
        self.writes = [v for v in dict.fromkeys(made) if v.is_state or v in wanted]
        self.acts = [line for line in lines if isinstance(line, Act)]
        self.constants = {v: plan.place.array(v.home) for line in lines for v in line.reads if v.kind == "constant"}
        self.function = plan.place.backend.jit(self._compute)  # type: ignore[misc]

    def run(self, plan: Jitted) -> None:
        """Compute, and put the new state where it belongs."""
        groups = [group for act in self.acts for group in act.owner.groups]
        moments = [list(group.moments.values()) for group in groups]
        numbers = [_numbers(act.owner, group) for act in self.acts for group in act.owner.groups]
        arrays = [plan.array_of(v) for v in self.reads]
        results, moments = self.function(arrays, moments, numbers)
        for value, array in zip(self.writes, results, strict=True):
            _settle(plan, value, array)
        for group, new in zip(groups, moments, strict=True):
            group.moments = dict(zip(group.moments, new, strict=True))
        for act in self.acts:
            act.owner.count_steps()

    def _compute(self, arrays: Any, moments: Any, numbers: Any) -> Any:
        """What is compiled: the lines, one after the other."""
        env = self.constants | dict(zip(self.reads, arrays, strict=True))
        kept, given, new = list(moments), list(numbers), []
        for line in self.lines:
            if isinstance(line, Call):
                y = line.primitive(*(env[v] for v in line.reads), **line.params)
                env.update(zip(line.writes, y if isinstance(y, tuple) else (y,), strict=True))
            elif isinstance(line, Store):
                (place,) = line.writes
                env[place] = words.add(env[line.reads[0]], env[place]) if line.add else env[line.reads[0]]
            elif isinstance(line, Act):
                for group in line.owner.groups:
                    new.append(_updated(line, group, env, kept.pop(0), given.pop(0)))
        return [env[v] for v in self.writes], new


def _steps_again(line: Instruction, before: list[Instruction]) -> bool:
    """Whether it is the step of an optimiser that has stepped before: its numbers are known after that."""
    return isinstance(line, Act) and any(isinstance(b, Act) and b.owner is line.owner for b in before)


def _rule(act: Act) -> Any:
    """The update of an optimiser as a function; None where it has none, or a parameter has no gradient."""
    owner = act.owner
    if not act.is_full_step:
        return None
    groups = owner.groups
    known = all(g.backend.jit and owner.kernel in g.backend.updates for g in groups)
    in_step = all(len(set(g.counts.tolist())) == 1 for g in groups)
    return groups[0].backend.updates[owner.kernel] if known and in_step and _numbers(owner, groups[0]) else None


def _numbers(owner: Any, group: Any) -> Any:
    return owner.compiled(int(group.counts[0]) + 1, **group.settings, lr=owner.lr * group.factor)


def _updated(act: Act, group: Any, env: dict[Value, Any], moments: Any, numbers: Any) -> list[Any]:
    """The new parameters of a group, put into `env`, and its new moments."""
    parameters = {v.home: v for v in act.reads if v.kind == "parameter"}
    gradients = {v.home: v for v in act.reads if v.kind == "gradient"}
    values = [parameters[p] for p in group.flat.parameters]
    flat = [words.concatenate([words.reshape(env[v], -1) for v in vs]) for vs in
            (values, [gradients[p.node] for p in group.flat.parameters])]  # fmt: skip
    theta, *new = _rule(act)(*flat, moments, numbers)
    for v, place in zip(values, group.flat.places, strict=True):
        env[v] = words.reshape(theta[place], v.shape)
    return new


def _settle(plan: Jitted, value: Value, array: Any) -> None:
    """A new array for a piece of state, or for a value that is asked for."""
    if value.kind == "gradient":
        value.home.buffer = array
    elif value.is_state:
        value.home.value = array
    else:
        plan.values[value] = array
