"""What a function uses from outside: found by running it once, put in place when it is run again.

A function given to `checkpoint` may use any tensors: its arguments, and others that it finds by itself, such as
the parameters of a module. While it runs, every operation passes here, so that those tensors that some
transformation is watching are known; in a later run other values stand in for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from typing import Any

from chainrule.base.errors import GradientError
from chainrule.core import tree
from chainrule.core.stack import Trace, stack
from chainrule.core.tensor import Tensor

Identity = tuple[int, ...]


class Closure:
    """A function with its arguments, the moment it was called at, and the tensors it used from outside.

    `used` are those tensors, in the order in which they were met.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.level = len(stack.traces)
        self.used: list[Tensor] = []
        self.places: dict[Identity, int] = {}
        self.moment = (stack.key, stack.draws, list(stack.modules), list(stack.path))
        self.scenes = list(stack.scenes)

    def first(self) -> Any:
        """Run the function without recording it, and note what it uses."""
        shadows = {id(trace): _shadow(trace, self.level) for trace in stack.traces}
        real = {id(shadow): trace for shadow, trace in zip(shadows.values(), stack.traces, strict=True)}
        stack.traces += shadows.values()
        try:
            with _watched_by(Listener(self, shadows)):
                result = self.function()
        finally:
            del stack.traces[self.level :]
        return tree.map_leaves(lambda leaf: of_other_traces(leaf, real), result)

    def again(self, values: Sequence[Any]) -> Any:
        """Run the function with other values for what it uses, in the circumstances of the first run.

        Raises:
            GradientError: it did not use all that it used in the first run.
        """
        now = (stack.key, stack.draws, stack.modules, stack.path)
        replacer = Replacer(self, values)
        with ExitStack() as circumstances:
            for scene in self.scenes:
                if scene not in stack.scenes:
                    circumstances.enter_context(scene())
            stack.key, stack.draws, stack.modules, stack.path = *self.moment[:2], *map(list, self.moment[2:])
            stack.again += 1
            try:
                with _watched_by(replacer):
                    result = self.function()
            finally:
                stack.again -= 1
                stack.key, stack.draws, stack.modules, stack.path = now
        if len(replacer.met) < len(self.places):
            raise GradientError(
                "A checkpointed function did something else when it was called again.",
                used=f"{len(self.places)} tensors in the first run, {len(replacer.met)} of them in the second",
                fix="a function that depends on nothing that changes in between",
            )
        return result


class Listener:
    """Notes the tensors of transformations at work that operations are applied to, and silences those."""

    def __init__(self, closure: Closure, shadows: dict[int, Trace]) -> None:
        self.closure, self.shadows = closure, shadows
        self.above: Any = None

    def operand(self, a: Any) -> Any:
        """An operand as it is for this run: without the transformations that differentiate."""
        b = self.above.operand(a) if self.above is not None else a
        if not isinstance(b, Tensor) or not _is_watched(b.trace, self.closure.level):
            return b
        closure, identity = self.closure, identity_of(a)
        if identity not in closure.places:
            closure.places[identity] = len(closure.used)
            closure.used.append(b)
        return of_other_traces(b, self.shadows)


class Replacer:
    """Puts other values in the places of the tensors that were noted."""

    def __init__(self, closure: Closure, values: Sequence[Any]) -> None:
        self.places, self.values = closure.places, values
        self.met: set[int] = set()
        self.above: Any = None

    def operand(self, a: Any) -> Any:
        """An operand as it is for this run."""
        place = self.places.get(identity_of(a)) if isinstance(a, Tensor) else None
        b = a
        if place is not None:
            self.met.add(place)
            b = self.values[place]
        return self.above.operand(b) if self.above is not None else b


def identity_of(a: Tensor) -> Identity:
    """What stays the same of a tensor under another guise (a stand-in for a parameter)."""
    return id(a.trace), id(a.node), id(a.value), a.index


def of_other_traces(b: Any, others: dict[int, Trace]) -> Any:
    """A tensor as a constant of every derivative; what keeps examples apart (`vmap`) goes over to other traces."""
    if not isinstance(b, Tensor) or b.trace is None:
        return b
    below = of_other_traces(b.value, others)
    if not b.trace.lasting:
        return below if isinstance(below, Tensor) else Tensor(below)
    same = object.__new__(type(b))
    Tensor.__init__(same, below, others.get(id(b.trace), b.trace))
    return same


def _shadow(trace: Trace, levels: int) -> Trace:
    """The same transformation some levels up, so that what it makes is told from what it was given."""
    shadow = copy(trace)
    shadow.level += levels
    return shadow


def is_differentiated(a: Any) -> bool:
    """Whether some transformation that differentiates follows a tensor, at any level."""
    while isinstance(a, Tensor):
        if a.trace is not None and not a.trace.lasting and not a.trace.closed:
            return True
        a = a.value
    return False


def _is_watched(trace: Trace | None, level: int) -> bool:
    """Whether a tensor is followed by a transformation around the function; the recorder of a plan (−1) follows all."""
    return trace is not None and 0 <= trace.level <= level and not trace.closed


@contextmanager
def _watched_by(watcher: Any) -> Iterator[None]:
    watcher.above, stack.watcher = stack.watcher, watcher
    try:
        yield
    finally:
        stack.watcher = watcher.above
