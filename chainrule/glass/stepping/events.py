"""A step of training as a list of events: every operation forwards, every one backwards, every update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np

from chainrule.core.reverse import EAGER, Arrivals, shares
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.glass.ledgers.one_step import Tape, array
from chainrule.glass.stepping.frames import Frame, Frames
from chainrule.glass.stepping.names import Names, kept


@dataclass(frozen=True, eq=False)
class Value:
    """An array of the step: what an operation calls it (`w`), its own name (`fc1.weight`), its numbers."""

    role: str
    name: str
    array: np.ndarray
    key: Any = None
    is_parameter: bool = False


@dataclass(frozen=True, eq=False)
class Share(Value):
    """What an operation passes back to an operand, and what has arrived there by now.

    `total` is the sum of the first `arrived` of `of` shares, this one included; with the last it is ∂L/∂operand.
    """

    _: KW_ONLY
    total: np.ndarray
    arrived: int = 1
    of: int = 1

    @property
    def complete(self) -> bool:
        """Whether nothing more arrives."""
        return self.arrived == self.of


@dataclass(frozen=True, eq=False)
class Event:
    """One operation forwards or backwards, or the update of one parameter.

    `frames` are the calls of layers around it, outermost first. Backwards, `cotangents` are ∂L/∂result, and `shares`
    what is passed on. An update has the parameter and its gradient as operands, and the parameter behind it as result.
    """

    phase: str
    path: str
    frames: tuple[Frame, ...]
    name: str
    source: str
    settings: str
    latex: tuple[str, ...]
    operands: tuple[Value, ...]
    results: tuple[Value, ...]
    cotangents: tuple[Value, ...] = ()
    shares: tuple[Share, ...] = ()


def events(tape: Tape, y: Any, optimizer: Any, changes: Mapping[Any, np.ndarray]) -> list[Event]:
    """All events of a step that was run, in the order of time."""
    names, frames = Names(tape, y), Frames(tape)
    held: dict[Any, np.ndarray] = {}
    forward = {n: _forward(n, names, frames, held) for n in tape.nodes if n.primitive is not None}
    backward = list(_backward(tape, forward))
    sent = Counter(share.key for event in backward for share in event.shares)
    return [*forward.values(), *(_counted(e, sent) for e in backward), *_updates(tape, optimizer, changes, names)]


def _forward(node: Any, names: Names, frames: Frames, held: dict[Any, np.ndarray]) -> Event:
    operands, results = [], []
    for role, a in zip(names.roles(node), node.args, strict=True):
        known = isinstance(a, Tensor) and a.node is not None
        key = (a.node, a.index) if known else (node, role)
        if key not in held:
            held[key] = names.numbers(a)
        operands.append(Value(role, names.of(a, held[key]), held[key], key, known and a.node in names.parameters))
    for i, value in enumerate(node.value if type(node.value) is tuple else (node.value,)):
        numbers = held[node, i] = kept(array(value))
        results.append(Value("y", names.of_result(node, i), numbers, (node, i)))
    path, around = frames.of(node)
    settings = ", ".join(f"{name}={value}" for name, value in node.params.items())
    latex = node.primitive.latex[:1]
    return Event(
        "forward", path, around, node.name, node.source, settings, latex, tuple(operands), tuple(results)
    )  # fmt: skip


def _backward(tape: Tape, forward: Mapping[Any, Event]) -> Iterator[Event]:
    """Reverse mode as `core.reverse.pull_back` does it, with every partial sum noted."""
    arrivals, arrived = Arrivals(), Counter[Any]()
    arrivals.add(tape.loss, words.ones_like(tape.loss.data))
    while arrivals:
        node, bar = arrivals.latest()
        if node.primitive is None:
            continue
        event, passed = forward[node], []
        waiting = list(event.operands)
        for operand, share in shares(EAGER, node, bar, record=False):
            arrivals.add(operand, share)
            key, total = (operand.node, operand.index), arrivals.bars[operand.node]
            total = total[operand.index] if type(total) is tuple else total
            arrived[key] += 1
            of = next(value for value in waiting if value.key == key)
            waiting.remove(of)
            passed.append(
                Share(
                    of.role,
                    of.name,
                    kept(array(share)),
                    key,
                    of.is_parameter,
                    total=kept(array(total)),
                    arrived=arrived[key],
                )
            )
        bars = bar if type(bar) is tuple else (bar,)
        cotangents = [
            replace(y, array=np.zeros_like(y.array) if b is None else kept(array(b)))
            for y, b in zip(event.results, bars, strict=True)
        ]
        latex = _of(passed, node.primitive.latex[1:], event.operands)
        yield replace(event, phase="backward", latex=latex, cotangents=tuple(cotangents), shares=tuple(passed))


def _of(passed: list[Share], latex: tuple[str, ...], operands: tuple[Value, ...]) -> tuple[str, ...]:
    """The derivatives for those operands that get a share, where there is one for each operand."""
    if len(latex) != len(operands):
        return latex
    roles = {share.role for share in passed}
    return tuple(line for line, operand in zip(latex, operands, strict=True) if operand.role in roles)


def _counted(event: Event, sent: Mapping[Any, int]) -> Event:
    """The event, with how many shares each operand gets in all."""
    return replace(event, shares=tuple(replace(share, of=sent[share.key]) for share in event.shares))


def _updates(tape: Tape, optimizer: Any, changes: Mapping[Any, np.ndarray], names: Names) -> Iterator[Event]:
    frames = Frames(tape)
    for p in tape.model.parameters():
        if p.node in changes:
            name, before = names.parameters[p.node], tape.numbers(p)
            path, around = frames.of_parameter(name)
            change, gradient = changes[p.node], kept(tape.gradient(p))
            operands = (
                Value("θ", name, before, (p.node, 0), True),
                Value("g", f"∂L/∂{name}", gradient),
                Value("Δθ", f"Δ{name}", change),
            )
            result = Value("θ", f"{name}.new", before + change, ("new", p.node))
            latex = (r"\theta \leftarrow \theta + \Delta\theta",)
            kind = type(optimizer).__name__
            yield Event("update", path, around, kind, "", f"lr={optimizer.lr:g}", latex, operands, (result,))
