"""The stepper: a step of training walked through one operation at a time, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.glass.explanation.problem import loss_named
from chainrule.glass.ledgers.one_step import run
from chainrule.glass.ledgers.update import updates
from chainrule.glass.stepping.conditions import Condition, condition
from chainrule.glass.stepping.events import Event, events
from chainrule.glass.stepping.frames import LOSS, Frame, above
from chainrule.glass.stepping.stop import Stop
from chainrule.nn import Module


def stepper(model: Module, x: Any, y: Any, loss: str | Callable[..., Any], optimizer: Any = None) -> Stepper:
    """The next step of training, to be walked through: forwards, backwards and, with an optimiser, the updates.

    The step is run once and recorded; walking through it only looks, so that `back` is exact. Forwards every operation
    is shown with its operands and its result. Backwards, node v hands each operand u its share (∂v/∂u)ᵀ v̄, and ū is
    the sum of the shares that have arrived by then: complete with the last, and only then handed on. 000 (10.3).

    x is what the model takes, a tuple for several inputs; y is what the loss compares with. Model, optimiser,
    gradients and random stream stay as they are, bit for bit.

    Raises:
        OptionError: the model is none, the loss is not one number, or the optimiser is another model's.
        GradientError: the loss does not depend on the parameters.

    >>> import chainrule as cr
    >>> cr.seed(0)
    >>> model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act1=cr.nn.Tanh(), fc2=cr.nn.Linear(3, 1))
    >>> walk = cr.stepper(model, [[1.0, 2.0]], [[1.0]], "half-squared")
    >>> walk.next(), walk.next()
    (<Stop 1 of 16: forward affine in fc1>, <Stop 2 of 16: forward tanh in act1>)
    >>> stop = walk.run_until("any |delta| of act1 > 0")
    >>> stop.formula, sorted(stop.shares), stop.cotangent.shape
    ('x̄ = (1 − y²) ⊙ ȳ', ['fc1.z'], (1, 3))
    """
    if not isinstance(model, Module):
        raise OptionError(f"A stepper is of a model made of modules, got {type(model).__name__}.")
    tape = run(model, x, y, loss_named(loss), asker="A stepper")
    changes = updates(tape, optimizer, asker="A stepper") if optimizer is not None else {}
    labels = {path: repr(module).split("\n")[0].rstrip("(") for path, module in model.named_modules()}
    return Stepper(events(tape, y, optimizer, changes), labels | {LOSS[0]: "loss"})


class Stepper:
    """A walk through the operations of a step; `here` is the operation at hand, None before the first.

    `next` goes over whole layers, `into` goes into them, `out` to their end, `back` undoes a `next`; `run_until` and
    `continue_` go on until a condition holds. `len` is the number of operations in all passes.
    """

    def __init__(self, events: list[Event], labels: dict[str, str]) -> None:
        self.events, self.labels = events, labels
        self.here: Stop | None = None
        self.condition: Condition | None = None

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Stop]:
        """Every operation from the first to the last; where the stepper stands does not change."""
        return (self._one(i) for i in range(len(self.events)))

    @property
    def position(self) -> int:
        """Operations behind us, 0 to `len(stepper)`."""
        return self.here.position if self.here else 0

    @property
    def done(self) -> bool:
        """Whether there is no further operation."""
        return self.position == len(self)

    @property
    def paths(self) -> list[str]:
        """The paths of all layers that do something in this step."""
        known = (p for event in self.events for p in above(event.path) or [""])
        return [path for path in dict.fromkeys(known) if path]

    @property
    def names(self) -> list[str]:
        """The names of all arrays: parameters, results, inputs."""
        values = (v for event in self.events for v in (*event.operands, *event.results))
        return list(dict.fromkeys(value.name for value in values))

    # Steps.

    def next(self) -> Stop | None:
        """The next layer as a whole or, inside of one, its next operation; at the end it stays."""
        if not self.done:
            depth = self._shared(self.position) if self.here else 0
            self.here = self._unit(self.position, depth)
        return self.here

    def back(self) -> Stop | None:
        """What was before it, as a whole where it is a layer; None where that is the start."""
        if self.here is not None:
            before = self.here.first - 1
            self.here = self._unit(before, self._shared(before)) if before >= 0 else None
        return self.here

    def into(self) -> Stop | None:
        """The first operation (or layer) in the layer at hand; from an operation, the next one, of any layer."""
        if self.here is not None and self.here.layer:
            self.here = self._unit(self.here.first, self.here.depth + 1)
        elif not self.done:
            self.here = self._one(self.position)
        return self.here

    def out(self) -> Stop | None:
        """The end of the layer around, shown as a whole; outside of all layers, the end of the pass."""
        if self.here is None:
            return self.next()
        if self.here.depth > 0:
            self.here = self._unit(self.here.first, self.here.depth - 1)
        else:
            phases = [event.phase for event in self.events]
            last = len(phases) - 1 - phases[::-1].index(self.here.phase)
            self.here = self._unit(last, 0)
        return self.here

    def run_until(self, wanted: str | Condition) -> Stop | None:
        """The next operation at which a condition holds; None where there is none, and then it is the end.

        A condition is a function of a `Stop`, or a text: "any |delta| of block3 > 10", "any a of fc1 is not finite",
        "layer conv2 and phase backward", which holds where the layer is entered. The grammar stands in `conditions`.

        Raises:
            OptionError: the text cannot be read.
        """
        self.condition = condition(wanted, self.paths, self.names)
        return self.continue_()

    def continue_(self) -> Stop | None:
        """On to where the condition of before holds again, or to the end."""
        for stop in (self._one(i) for i in range(self.position, len(self))):
            if self.condition is not None and self.condition(stop):
                self.here = stop
                return stop
        self.here = self._one(len(self) - 1)
        return None

    def restart(self) -> None:
        """Before the first operation."""
        self.here = None

    def interact(self, input: Any = None, output: Any = None) -> None:
        """Walk through it in a terminal: n next, b back, i into, o out, c continue, u CONDITION, ? help, q end.

        `input` and `output` are files, those of the terminal if left out. In a terminal a key is enough; from any other
        file commands are read line by line.
        """
        from chainrule.glass.stepping.terminal import interact

        interact(self, input, output)

    def __repr__(self) -> str:
        return f"<Stepper at {self.position} of {len(self)} operations>"

    # Places.

    def _one(self, i: int) -> Stop:
        """The operation i by itself."""
        return Stop(self.events, i, i, depth=len(self.events[i].frames))

    def _unit(self, i: int, depth: int) -> Stop:
        """The call around operation i at a depth, or the operation itself where it has no call there."""
        frames = self.events[i].frames
        if len(frames) <= depth:
            return Stop(self.events, i, i, depth=len(frames))
        first = last = i
        while first > 0 and self._within(first - 1, i, depth):
            first -= 1
        while last + 1 < len(self.events) and self._within(last + 1, i, depth):
            last += 1
        return Stop(self.events, first, last, self.labels.get(frames[depth][0], ""), depth)

    def _within(self, i: int, j: int, depth: int) -> bool:
        """Whether operation i lies in the call around operation j."""
        one, other = self.events[i], self.events[j]
        return one.phase == other.phase and one.frames[: depth + 1] == other.frames[: depth + 1]

    def _shared(self, i: int) -> int:
        """How deep operation i lies in the calls that we are in."""
        assert self.here is not None
        mine = self.events[self.here.last].frames[: self.here.depth]
        if self.events[i].phase != self.here.phase:
            return 0
        return shared(mine, self.events[i].frames)


def shared(one: tuple[Frame, ...], other: tuple[Frame, ...]) -> int:
    """How many calls two operations have in common, from the outermost on."""
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n
