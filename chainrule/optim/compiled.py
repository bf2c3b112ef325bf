"""An optimiser's step as few calls of fused kernels: in plans, and in define-by-run where all parameters step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.backends import flat_zeros, host_view
from chainrule.backends.native.calls import NativeCall, runner
from chainrule.backends.native.library import loaded
from chainrule.base.errors import OptionError

if TYPE_CHECKING:
    from chainrule.optim.group import Group
    from chainrule.optim.optimizer import Optimizer


class CompiledStep:
    """A step of an optimiser: what must happen before the calls, the calls, and what must happen after them.

    On the host the calls are compiled kernels, which run together with those of the plan around them. Elsewhere there
    are none, and `run` calls the library's own fused update. `before` puts the numbers of this step where those read
    them; `ahead` is how many steps of the same optimiser come between the two. Several steps in one go need the numbers
    of each, `numbers(i)`, where `words` says.
    """

    def __init__(self, optimizer: Optimizer, ahead: int = 0) -> None:
        self.optimizer, self.ahead, self.arrays = optimizer, ahead, _arrays(optimizer)
        compiled = all(map(_is_compiled, optimizer.groups))
        groups = optimizer.groups if compiled else []
        self.calls = [_call(optimizer, group) for group in groups]
        self.tails = [_tail(call, self._numbers(group)) for call, group in zip(self.calls, groups, strict=True)]
        self.there = [] if compiled else [Numbers(group) for group in optimizer.groups]
        self.run = runner(self.calls) if compiled else self._updated

    @property
    def words(self) -> list[tuple[np.ndarray, int]]:
        """Where compiled calls have the numbers of a step."""
        return [(tail, place) for tail in self.tails for place in range(len(tail))]

    def numbers(self, later: int) -> tuple[float, ...]:
        """The numbers of the step that comes so many steps later."""
        found: tuple[float, ...] = ()
        for group in self.optimizer.groups:
            found += self._numbers(group, later)
        return found

    def _numbers(self, group: Group, later: int = 0) -> tuple[float, ...]:
        optimizer, t = self.optimizer, group.counts.item(0) + 1 + self.ahead + later
        numbers = optimizer.compiled(t, **group.settings, lr=optimizer._lr * group.factor)
        if numbers is None:
            raise OptionError(
                f"The settings of {type(optimizer).__name__} were changed to some that no compiled kernel serves.",
                fix="make the optimiser, and the plan, anew with them",
            )
        return numbers

    def before(self) -> None:
        """Put the numbers of this step in place: learning rate, corrections for the early steps."""
        optimizer = self.optimizer
        if not self.there:
            for tail, group in zip(self.tails, optimizer.groups, strict=True):
                tail[:] = self._numbers(group)
            return
        for there, group in zip(self.there, optimizer.groups, strict=True):
            there.tell(group.counts.item(0) + 1 + self.ahead, optimizer._lr * group.factor)

    def _updated(self) -> None:
        """The step by the library's fused update; a GPU can record it, for it reads no number on the host."""
        for group, numbers in zip(self.optimizer.groups, self.there, strict=True):
            flat, moments = group.flat, list(group.moments.values())
            update = group.backend.updates[self.optimizer.fused]
            update(flat.values, flat.grads, moments, numbers.next(), **group.settings, lr=numbers.lr)

    def after(self, steps: int = 1) -> None:
        """Count the step, or so many."""
        self.optimizer.count_steps(steps)

    @cached_property
    def whole(self) -> Callable[[], Any]:
        """The step from beginning to end."""
        run, before, after = self.run, self.before, self.after

        def step() -> None:
            before()
            run()
            after()

        return step

    def holds(self) -> bool:
        """Whether the optimiser's arrays are still those that the calls point into."""
        return all(map(is_, self.arrays, _arrays(self.optimizer)))


class Numbers:
    """The step count and the learning rate of a group, as numbers where its arrays are.

    They are told only what they do not know: counting goes on there, and most steps have the rate of the one before.
    """

    def __init__(self, group: Group) -> None:
        self.add, (self.t, self.lr) = group.backend.xp.add, flat_zeros(group.flat.values, 2)
        self.known = 0, 0.0

    def tell(self, t: int, lr: float) -> None:
        """Let the next step be the t-th, with this learning rate."""
        if self.known[0] != t - 1:
            self.t[...] = t - 1
        if self.known[1] != lr:
            self.lr[...] = lr
        self.known = t, lr

    def next(self) -> Any:
        """The step count, one more than before."""
        return self.add(self.t, 1, out=self.t)


def stepped(optimizer: Optimizer) -> bool:
    """Make one step of define-by-run by fused kernels; False where it must be `update`, and nothing was done."""
    if not all(group.flat.runs() == [slice(0, group.flat.places[-1].stop)] for group in optimizer.groups):
        return False
    step = optimizer.fused_step
    if step is None or not step.holds() or not _suit(optimizer):
        step = optimizer.fused_step = compiled_step(optimizer)
    if step is None:
        return False
    step.whole()
    return True


def compiled_step(optimizer: Optimizer, ahead: int = 0) -> CompiledStep | None:
    """The fused step of an optimiser; None where it has none, or where its parameters are not all in step."""
    own = bool(optimizer.kernel) and _is_its_own(type(optimizer)) and "update" not in vars(optimizer)
    return CompiledStep(optimizer, ahead) if own and _suit(optimizer) else None


def _suit(optimizer: Optimizer) -> bool:
    alike = len(set(map(_is_compiled, optimizer.groups))) == 1
    return alike and all(_suits(optimizer, group) for group in optimizer.groups)


def _arrays(optimizer: Optimizer) -> list[Any]:
    """What a step reads and writes."""
    return [a for group in optimizer.groups for a in (group.flat.values, group.flat.grads, *group.moments.values())]


def _suits(optimizer: Optimizer, group: Group) -> bool:
    single = group.flat.parameters[0].dtype == np.float32
    together = len(set(group.counts.tolist())) == 1
    damped = group.settings.get("dampening", 0.0) != 0  # its first step has a rule of its own
    fused = _is_compiled(group) or (optimizer.fused in group.backend.updates and not damped)
    known = optimizer.compiled(1, **group.settings, lr=1.0) is not None
    return single and together and fused and known and group.in_place


def _is_compiled(group: Group) -> bool:
    """Whether compiled kernels can make the step of a group."""
    return group.is_on_host and loaded() is not None


def _is_its_own(kind: type[Any]) -> bool:
    """Whether the kernel stands for the update of this class, and not for one that a subclass has replaced."""
    from chainrule.optim.optimizer import Optimizer

    owner = next(c for c in kind.__mro__ if "update" in vars(c))
    return "compiled" in vars(owner) and kind.step is Optimizer.step and kind.measured is Optimizer.measured


def _tail(call: NativeCall, numbers: Sequence[float]) -> np.ndarray:
    """The last words of a call, which are the numbers of a step."""
    return call.words[len(call.words) - len(numbers) :].view(np.float64)


def _call(optimizer: Optimizer, group: Group) -> NativeCall:
    numbers = optimizer.compiled(1, **group.settings, lr=1.0)
    flat, moments = group.flat, group.moments.values()
    arrays = list(map(host_view, (flat.values, flat.grads, *moments)))
    nothing = [0] if optimizer.kernel == "sgd" and not moments else []
    return NativeCall(optimizer.kernel, len(flat.values), *arrays, *nothing, *map(float, numbers or ()))
