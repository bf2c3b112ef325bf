"""Updates: whose parameters change, by which optimiser or by hand, and what led to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np

from chainrule.core.stack import stack
from chainrule.glass.faults.diagnosis import Diagnosis, spoiled_step
from chainrule.glass.verdicts.loops import Forward, Learned, Loop, Measured, gradient_of, model_of
from chainrule.glass.verdicts.observer import Observer
from chainrule.glass.verdicts.probing import Probing, sound, values_of
from chainrule.glass.verdicts.zeroing import Zeroing
from chainrule.nn import Module


class Updates:
    """The trainings seen so far, a loop for each optimiser and an observer for each run, and what is under way.

    `failure` is the first number that was not finite; `suspect` one that counts if training goes on with it.
    """

    def __init__(self) -> None:
        self.loops: list[Loop] = []
        self.observers: list[Observer] = []
        self.failure: Diagnosis | None = None
        self.suspect: Diagnosis | None = None
        self.closed = False
        self.aside = 0
        self.stepping = False
        self.zeroing = Zeroing()
        self.forwards: list[Forward] = []
        self.learned: list[Learned] = []
        self.pending: list[tuple[Module, Probing]] = []
        self.by_hand: tuple[Module, dict[str, np.ndarray]] | None = None

    @property
    def busy(self) -> bool:
        """Whether what happens is not to be noted: `fit` is observed in its own way, a plan is being recorded."""
        return self.aside > 0 or stack.recorder is not None

    # Parameters change.

    def step(self, optimizer: Any, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An optimiser steps."""
        if self.busy or self.stepping:
            return original(optimizer, *args, **kwargs)
        parameters = list(optimizer.parameters())
        models = list(dict.fromkeys(f.model for learned in self.learned for f in learned.forwards))
        loop = self.loop_of(optimizer, models)
        self.measure()
        passes = self._passes_for(loop)
        before, lr, gradient = values_of(loop.model), optimizer.lr, gradient_of(parameters)
        self.stepping = True
        try:
            result = original(optimizer, *args, **kwargs)
        finally:
            self.stepping = False
        self.by_hand = None
        self._updated(loop, passes, before, lr, gradient, [p.node for p in parameters])
        if self.failure is None and not sound(optimizer):
            named = [(before[name], p) for name, p in loop.model.named_parameters() if p.grad is not None]
            held = {id(p): (value, p.grad.numpy()) for value, p in named if p.grad is not None}
            self.fail(spoiled_step(loop.model, optimizer, held), loop, loop.step - 1)
        return result

    def changed_by_hand(self) -> None:
        """Note an update that no optimiser of this library made."""
        if self.by_hand is None:
            return
        model, before = self.by_hand
        after = values_of(model)
        if all(np.array_equal(after[name], v, equal_nan=True) for name, v in before.items()):
            return
        self.by_hand = None
        loop = next((loop for loop in self.loops if loop.model is model), None) or self._new(Loop(model, None))
        leaves = [p.node for p in model.parameters()]
        self.measure()
        self._updated(loop, self._passes_for(loop), before, nan, gradient_of(model.parameters()), leaves)

    def _updated(
        self, loop: Loop, passes: list[Learned], before: Any, lr: float, gradient: float, leaves: list[Any]
    ) -> None:
        for model, probing in self.pending:
            if loop.looking and (model is loop.model or set(model.parameters()) == set(loop.model.parameters())):
                loop.pending = replace(probing, step=loop.step)
        self.pending = []
        if self.zeroing.used(leaves):
            loop.accumulated.append(loop.step)
        loop.learned(passes)
        loss = sum(p.value for p in passes) if passes else (loop.losses[-1] if loop.losses else nan)
        loop.updated(loss, lr, gradient, before, values_of(loop.model))
        self.fail(self.suspect, loop, loop.step - 1)

    def remember(self, forwards: Sequence[Forward]) -> None:
        """Keep the parameters of a model that no optimiser is known for, to see whether they are changed by hand."""
        models = list(dict.fromkeys(f.model for f in forwards))
        known = {id(p) for loop in self.loops if loop.optimizer is not None for p in loop.model.parameters()}
        if models and not any(id(p) in known for m in models for p in m.parameters()):
            same = [loop.model for loop in self.loops_with(models)]
            model = same[0] if same else model_of(models, None)
            self.by_hand = model, values_of(model)

    def fail(self, found: Diagnosis | None, loop: Loop | None, step: int | None = None) -> None:
        """Training went on with a number that is not finite, or ended with it; the first one counts."""
        if found is not None and not found and self.failure is None:
            self.failure = found
            if loop is not None:
                loop.failure, loop.failed = found, loop.step if step is None else step
        self.suspect = None

    # Whose training it is.

    def loops_with(self, models: Iterable[Module]) -> list[Loop]:
        wanted = {id(p) for m in models for p in m.parameters()}
        return [loop for loop in self.loops if any(id(p) in wanted for p in loop.model.parameters())]

    def loop_of(self, optimizer: Any, models: Sequence[Module]) -> Loop:
        """The loop of an optimiser; a new one trains a model of those that were called."""
        found = next((loop for loop in self.loops if loop.optimizer is optimizer), None)
        return found or self._new(Loop(model_of(models, list(optimizer.parameters())), optimizer))

    def _new(self, loop: Loop) -> Loop:
        self.loops.append(loop)
        return loop

    def _passes_for(self, loop: Loop) -> list[Learned]:
        """The backward passes since the last update that went through the model of a loop."""
        own = {id(p) for p in loop.model.parameters()}
        mine = [p for p in self.learned if not p.forwards or any(_shares(f.model, own) for f in p.forwards)]
        self.learned = [p for p in self.learned if p not in mine]
        return mine

    def measure(self) -> None:
        """Calls of models that no backward pass went through were for looking, on other data or on the same."""
        given = [f.x for f in self.forwards if f.x is not None] + [f.x for p in self.learned for f in p.forwards]
        left = []
        for forward in self.forwards:
            loops = self.loops_with([forward.model])
            fed = any(x is not None and _same(forward.prediction, x) for x in given)  # into another model
            forward.again = None
            for loop in () if fed else loops:
                loop.measured.append(Measured(loop.step, forward))
            left += [] if loops else [forward]
        self.forwards = left


def _same(a: np.ndarray | None, b: np.ndarray) -> bool:
    return a is not None and a.shape == b.shape and np.may_share_memory(a, b)


def _shares(model: Module, own: set[int]) -> bool:
    return any(id(p) in own for p in model.parameters())
