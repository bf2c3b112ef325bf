"""compile: a step of training, recorded once, and run from then on without Python between its operations."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.backends import Place, is_array, is_host, place_of
from chainrule.backends.default import Default
from chainrule.base.errors import OptionError
from chainrule.base.source import depth
from chainrule.core import tree
from chainrule.core.spec import UnknownNumbersError
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.plan.cost import Cost, cost_of
from chainrule.plan.guards import Guards, Signature, difference, signature
from chainrule.plan.jitted import Jitted
from chainrule.plan.memory import Memory, memory_of
from chainrule.plan.passes import check_names
from chainrule.plan.places import array_of_home
from chainrule.plan.program import Program
from chainrule.plan.record import Recording, is_data
from chainrule.plan.replay import Replay
from chainrule.plan.watch import Ring, Watch, matched

MOST_RINGS = 16
"""Kinds of calls that a watch remembers; a step that is recorded anew at every call must not fill the memory."""


class PlanWarning(UserWarning):
    """A step, or some calls of it, cannot be a plan, and run as define-by-run."""


def compile(step: Callable[..., Any] | None = None, *, without: Collection[str] = (), checks: bool = True) -> Any:
    """A step that is recorded when it is first called, and replayed as a plan from then on.

        @cr.compile
        def step(x, y):
            optimizer.zero_grad()
            loss = cr.losses.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    The plan is one straight line of kernel calls on buffers that are there: forward, backward, update. It computes
    what define-by-run computes, by the same derivative rules, to rounding. Arguments that are arrays or tensors may
    differ from call to call; other shapes, dtypes, modes or settings make a plan of their own (`plan.why()` says
    what changed). Python's own work in the step (printing, appending to a list) is done once, while it is recorded.
    What a plan cannot hold, as a condition on a number that is computed, is run as define-by-run, with a warning
    that names the line.

    `without` leaves passes out (see `chainrule.plan.passes`); `checks=False` leaves out the checks of labels and
    other arguments, for data that has been checked as a whole.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter([1.0, 2.0])
    >>> twice = cr.compile(lambda x: cr.sum(w * x) * 2)
    >>> float(twice([3.0, 4.0])), float(twice([1.0, 1.0]))
    (22.0, 6.0)

    Raises:
        OptionError: there is no pass of that name.
    """
    check_names(without)
    if step is None:
        return lambda function: Plan(function, without, checks)
    return Plan(step, without, checks)


class Entry:
    """One recording of a step, made ready to run, with the facts that it stands on and what is watched of it."""

    def __init__(self, recording: Recording, guards: Guards, without: Collection[str]) -> None:
        self.recording, self.guards, self.without = recording, guards, without
        self.program: Program = recording.program
        self.rings: list[tuple[int, Ring]] = []

    @functools.cached_property
    def plan(self) -> Replay | Jitted:
        """The program on arrays; made when it is first run, or asked for."""
        place = _home(self.program)
        kind = Replay if place.backend.jit is None else Jitted
        return kind(self.program, place, self.without)

    def run(self, arrays: Sequence[Any], step: int) -> Any:
        """One step; results are copies, for the next step overwrites the buffers."""
        plan = self.plan
        plan.take(arrays)
        plan.run()
        for every, ring in self.rings:
            if step % every == 0:
                ring.note(step)
        results = [Tensor(plan.given(r)) if is_array(r) else r for r in plan.results]
        return self.recording.build(results)

    def watch(self, watches: Sequence[Watch]) -> None:
        """Make the program anew, with what is watched pinned."""
        chosen = [(watch, matched(self.program, watch.patterns)) for watch in watches]
        pinned = frozenset(v for _, values in chosen for v in values.values())
        self.program = replace(self.program, pinned=pinned)
        self.__dict__.pop("plan", None)
        self.rings = [(watch.every, Ring(watch, values, self.plan)) for watch, values in chosen]
        for watch, (_, ring) in zip(watches, self.rings, strict=True):
            watch.rings = [*watch.rings[-MOST_RINGS + 1 :], ring]


class Plan:
    """A step with its plans, one for each kind of call; called like the step itself. See `compile`."""

    def __init__(
        self,
        step: Callable[..., Any],
        without: Collection[str] = (),
        checks: bool = True,
        functions: Sequence[Callable[..., Any]] = (),
    ) -> None:
        """`functions` are those that the step was given, which it does not call by names of its own."""
        functools.update_wrapper(self, step)
        self.functions = step, *functions
        self.step, self.without, self.checks = step, tuple(without), checks
        self.entries: dict[Signature, Entry] = {}
        self.refused: set[Signature] = set()
        self.reasons: list[str] = []
        self.watches: list[Watch] = []
        self.latest: Entry | None = None
        self.steps = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plain = not kwargs and all([type(a) is np.ndarray for a in args])
        leaves: Sequence[Any] = args if plain else tree.flatten((args, kwargs))[0]
        entry = self._found(signature(leaves), args, kwargs)
        if entry is None:
            return self.step(*args, **kwargs)
        self.latest = entry
        arrays = args if plain else [a.data if isinstance(a, Tensor) else a for a in leaves if is_data(a)]
        result = entry.run(arrays, self.steps)
        self.steps += 1
        return result

    def watch(self, *names: str, every: int = 1, statistics: bool = False, keep: int | None = None) -> Watch:
        """Keep quantities by name while the plan runs: at every so many steps, their values or figures of them.

        Names are those of layers and what they are made of: "fc1.z", "fc1.a", "fc1.delta", "fc1.weight",
        "fc1.dweight"; `*` stands for any characters, as in "*.delta". Before the first call they are only noted.
        Values are kept of the last 100 times, figures (mean, standard deviation, least, largest) of the last 10,000,
        unless `keep` says otherwise. A watched run is bit-identical to an unwatched one.

        Raises:
            OptionError: no quantity has a name that fits; a number is less than 1.
        """
        for name, value in {"every": every, "keep": keep}.items():
            if value is not None and value < 1:
                raise OptionError(f"{name} is a whole number of at least 1, got {value}.")
        watch = Watch(names, every, statistics, keep or (10_000 if statistics else 100))
        for entry in self.entries.values():
            matched(entry.program, names)  # refused before anything changes
        self.watches.append(watch)
        for entry in self.entries.values():
            entry.watch(self.watches)
        return watch

    def memory(self, *args: Any, **kwargs: Any) -> Memory:
        """What memory the plan takes, by layer and kind, for a call with such arguments; the latest one's for none.

        Nothing is run for it. The step is recorded, if it was not yet.

        Raises:
            OptionError: it was not called yet and no arguments are given, or it cannot be a plan.
        """
        plan = self._entry(args, kwargs).plan
        return memory_of(plan.program, plan.buffers.size, plan.scratch + plan.passing)

    def cost(self, *args: Any, **kwargs: Any) -> Cost:
        """What the plan computes and moves, by layer, and the time that should take here; see `memory`."""
        return cost_of(self._entry(args, kwargs).plan.program)

    def entry(self, *args: Any, **kwargs: Any) -> Entry | None:
        """The plan for a call with such arguments, recorded if it was not yet; None where there can be none."""
        return self._found(signature(tree.flatten((args, kwargs))[0]), args, kwargs)

    def _entry(self, args: Any, kwargs: Any) -> Entry:
        if not args and not kwargs:
            if self.latest is None:
                raise OptionError("The plan was not called yet.", fix="memory(x, y), with arguments as the step takes")
            return self.latest
        entry = self.entry(*args, **kwargs)
        if entry is None:
            raise OptionError("This step runs as define-by-run, so there is no plan to tell of.")
        return entry

    def __str__(self) -> str:
        return str(self._entry((), {}).plan.program)

    def unwatch(self, watch: Watch) -> None:
        """Stop watching; what was kept stays."""
        self.watches.remove(watch)
        for entry in self.entries.values():
            entry.watch(self.watches)

    def _found(self, key: Signature, args: Any, kwargs: Any) -> Entry | None:
        """The plan for such a call, recorded now if there is none that still holds; None where there can be none."""
        entry = self.entries.get(key)
        return self._made(key, args, kwargs) if entry is None or entry.guards.broken() else entry

    def _made(self, key: Signature, args: Any, kwargs: Any) -> Entry | None:
        """Record the step; None where it cannot be a plan, which is said once."""
        if key in self.refused or stack.recorder is not None:
            return None
        reason = self._reason(key)
        try:
            recording = Recording(self.step, args, kwargs, self.checks)
        except UnknownNumbersError as error:
            self.refused.add(key)
            warnings.warn(PlanWarning(_refusal(self.step, error)), stacklevel=depth())
            return None
        self.reasons.append(f"plan {len(self.reasons) + 1}: {reason}")
        entry = self.entries[key] = Entry(recording, Guards(recording.recorder, self.functions), self.without)
        if self.watches:
            entry.watch(self.watches)
        return entry

    def _reason(self, key: Signature) -> str:
        if not self.reasons:
            return "the first call"
        known = self.entries.get(key)
        if known is not None:
            return known.guards.broken()
        nearest = next(reversed(self.entries), None)
        return "the first call" if nearest is None else difference(nearest, key)

    def why(self) -> str:
        """Why there are as many plans as there are: what changed in a call, or around it, each time."""
        return "\n".join(self.reasons) or "no plan yet: the step has not been called"


def _home(program: Program) -> Place:
    """Where a program runs: where the parameters are, or arrays from outside; else the default place."""
    arrays = [array_of_home(v) for v in program.values() if v.kind not in ("input", "result")]
    foreign = [a for a in arrays if not is_host(a)]
    return place_of(foreign[0]) if foreign else Default.place


def _refusal(step: Any, error: UnknownNumbersError) -> str:
    name = getattr(step, "__name__", type(step).__name__)
    return f"{name} runs as define-by-run, without a plan: {error}"
