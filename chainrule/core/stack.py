"""The interpreter stack: which transformations are at work, in which module, with which random numbers.

This is the one mutable global of the core, kept per thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.base.errors import GradientError
from chainrule.base.keys import Key


class Trace:
    """One transformation at work: it sees every primitive applied to the tensors it made.

    Traces nest by `level`: an operation goes to the highest trace among its operands, which lowers them and
    applies the same operation one level down, until plain arrays are left. The eager tape is level 0.
    """

    level: int
    closed = False
    lasting = False
    """Whether it goes on inside `no_grad`, because it does more than differentiate."""

    def refuse_if_closed(self) -> None:
        """Refuse work after the end.

        Raises:
            GradientError: the transformation is finished.
        """
        if self.closed:
            raise GradientError(
                "A tensor of a finished transformation was used.",
                cause="it was kept from inside the function given to grad, vjp or jvp",
                fix="return it from the function, or keep x.detach()",
            )

    def process(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply a primitive to tensors of which at least one belongs to this trace."""
        raise NotImplementedError


class Stack(threading.local):
    """The state of the interpreter in one thread."""

    structure = 0  # counts changes of any module tree, in all threads together

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.silent = -1  # traces at this level or below record nothing
        self.modules: list[Any] = []
        self.path: list[str] = []
        self.key: Any = Key(0)  # inside `vmap` perhaps one for each example (`example_keys`)
        self.draws = 0
        self.watcher: Any = None  # sees the operands of every operation (see `closure`)
        self.scenes: list[Any] = []  # how to put in place again what stands in for parameters now
        self.again = 0  # how deep in runs that repeat an earlier one, which change no state


stack = Stack()


@contextmanager
def running(trace: Trace) -> Iterator[Trace]:
    """Put a transformation on the stack, one level above those at work."""
    trace.level = len(stack.traces) + 1
    stack.traces.append(trace)
    try:
        yield trace
    finally:
        stack.traces.pop()
        trace.closed = True


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing inside the block: results carry no history, and cost none.

    Silences the tape of `backward()` and the transformations that were at work when the block was entered; a
    `grad` that starts inside the block works as ever.
    """
    before, stack.silent = stack.silent, len(stack.traces)
    try:
        yield
    finally:
        stack.silent = before


def seed(value: int) -> None:
    """Start the stream of random numbers anew from a seed: equal seeds, equal draws."""
    stack.key, stack.draws = Key(value), 0


def next_key() -> Any:
    """The key of the next random draw: a function of the seed, the module path and the count of draws."""
    stack.draws += 1
    return stack.key / ".".join(stack.path) / stack.draws


class random_stream:  # noqa: N801 - used as a function; a class, because it runs every step and a generator costs more
    """Take random draws inside the block from `key`, counted from one; the outer stream stays as it was."""

    def __init__(self, key: Key) -> None:
        self.key = key

    def __enter__(self) -> None:
        self.before = stack.key, stack.draws
        stack.key, stack.draws = self.key, 0

    def __exit__(self, *exception: object) -> None:
        stack.key, stack.draws = self.before
