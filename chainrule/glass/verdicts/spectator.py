"""Spectator: sees the trainings of one thread that are written by hand, and those by `fit`, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite, nan
from typing import Any

import numpy as np

from chainrule.core import Graph, Tensor, tree
from chainrule.core.stack import stack
from chainrule.glass.faults.diagnosis import Diagnosis, before_step, spoiled_step
from chainrule.glass.faults.search import finite
from chainrule.glass.ledgers.one_step import Passage, array
from chainrule.glass.verdicts.loops import Forward, Learned, Loop, Measured, gradient_of, model_of
from chainrule.glass.verdicts.losses_noted import LossCall
from chainrule.glass.verdicts.observer import Observer
from chainrule.glass.verdicts.passes import fault_of, guessed_loss, once_more, outer_activation, probing_of
from chainrule.glass.verdicts.probing import Probing, sound, values_of
from chainrule.glass.verdicts.rows import numbers
from chainrule.glass.verdicts.zeroing import Zeroing
from chainrule.nn import Module
from chainrule.train import Run

MOST = 4096
"""Calls of models that are remembered until it is known what became of them."""


class Spectator:
    """What was seen so far: a loop for each optimiser, an observer for each run, and the first number not finite."""

    def __init__(self) -> None:
        self.loops: list[Loop] = []
        self.observers: list[Observer] = []
        self.failure: Diagnosis | None = None
        self.suspect: Diagnosis | None = None  # a failure, if training goes on with it
        self.closed = False
        self.aside = 0
        self.stepping = False
        self.zeroing = Zeroing()
        self.forwards: list[Forward] = []
        self.passages: list[Passage] | None = None
        self.latest: Any = None
        self.calls: list[LossCall] = []
        self.learned: list[Learned] = []
        self.looked: list[tuple[Module, list[Passage]]] = []
        self.pending: list[tuple[Module, Probing]] = []
        self.by_hand: tuple[Module, dict[str, np.ndarray]] | None = None

    @property
    def busy(self) -> bool:
        """Whether what happens is not to be noted: `fit` is observed in its own way, a plan is being recorded."""
        return self.aside > 0 or stack.recorder is not None

    # Models and losses are called.

    def call(self, module: Module, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A module is called."""
        if self.busy or (stack.modules and self.passages is None):
            return original(module, *args, **kwargs)
        given = (*args, *kwargs.values())
        if stack.modules:
            path = stack.modules[-1].get(id(module), type(module).__name__)
            result = original(module, *args, **kwargs)
            self._passed(path, module, given, result)
            return result
        self.changed_by_hand()
        self.latest, stream = None, (stack.key, stack.draws)
        modes = [(m, m.training) for m in module.modules()]
        self.passages = passages = [] if self._looking(module) else None
        try:
            result = original(module, *args, **kwargs)
            self._passed("", module, given, result)
        finally:
            self.passages = None
        self.called(module, given, result)
        self.forwards[-1].again = partial(once_more, module, args, kwargs, modes, stream)
        if passages:
            self.looked.append((module, passages))
        return result

    def called(self, module: Module, given: tuple[Any, ...], result: Any) -> None:
        tensors = [t for t in tree.flatten(result)[0] if isinstance(t, Tensor)]
        x = next((n for a in given if (n := numbers(a)) is not None), None)
        serials = frozenset(t.node.serial for t in tensors if t.node is not None)
        prediction = array(tensors[0]) if tensors else None
        self.forwards = [*self.forwards[-MOST:], Forward(module, x, prediction, serials, module.training)]
        self.latest = tensors[0] if tensors else None

    def _passed(self, path: str, module: Module, given: tuple[Any, ...], result: Any) -> None:
        outputs = [t for t in tree.flatten(result)[0] if isinstance(t, Tensor)]
        if self.passages is not None and outputs:
            inputs = tuple(a if isinstance(a, Tensor) else Tensor(n) for a in given if (n := numbers(a)) is not None)
            self.passages.append(Passage(path, module, inputs, outputs))

    def _looking(self, module: Module) -> bool:
        loops = self._loops_with([module])
        return stack.silent < 0 and (not loops or any(loop.looking for loop in loops))

    def compare(self, call: LossCall) -> None:
        """A loss is taken."""
        target, prediction = numbers(call.target), numbers(call.prediction)
        if self.busy or target is None or prediction is None or not target.ndim:
            return
        if getattr(call.prediction, "node", None) is not None:
            self.calls.append(call)
        rows, latest = len(target), []
        for forward in reversed(self.forwards):
            if forward.loss is not None or not forward.rows or forward.rows > rows:
                break
            rows -= forward.rows
            latest.append(forward)
        if latest and not rows:
            for forward in reversed(latest):
                part = slice(rows, rows + forward.rows)
                forward.loss, forward.target, forward.given = call, target[part], prediction[part]
                rows = part.stop

    # Gradients arrive.

    def backward(self, y: Tensor, original: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """A backward pass is made; its graph is given back when it was looked at."""
        if self.busy or y.node is None or y.node.primitive is None or y.size != 1:
            return original(y, *args, **settings)
        self.changed_by_hand()
        nodes = list(Graph(y))
        if any(node.freed for node in nodes if node.primitive is not None):
            return original(y, *args, **settings)  # which refuses it
        leaves = [node for node in nodes if node.primitive is None and hasattr(node, "filled")]
        self.zeroing.arriving(leaves)
        forwards = self._take(nodes)
        call = self._call_of(nodes)
        self._look(y, nodes, forwards, call)
        result = original(y, *args, **settings | {"retain_graph": True})
        self._suspect(y, leaves, forwards, call)
        self.learned = [*self.learned[-MOST:], self._pass(y, nodes, forwards, call)]
        if not (settings.get("retain_graph") or settings.get("create_graph")):
            for node in nodes:
                if node.primitive is not None:
                    node.free()
        self._remember(forwards)
        return result

    def _take(self, nodes: Sequence[Any]) -> list[Forward]:
        """The calls of models that a graph goes through; all before are known to have been for nothing but looking."""
        serials = {node.serial for node in nodes}
        through = [f for f in self.forwards if f.serials & serials]
        self.forwards = [f for f in self.forwards if not f.serials & serials]
        return through

    def _call_of(self, nodes: Sequence[Any]) -> LossCall | None:
        made = set(nodes)
        call = next((c for c in reversed(self.calls) if c.prediction.node in made), None)
        self.calls.clear()
        return call

    def _look(self, y: Tensor, nodes: Sequence[Any], forwards: list[Forward], call: LossCall | None) -> None:
        """Look into the step, if it is one of those."""
        looked, self.looked = self.looked, []
        models = list(dict.fromkeys(f.model for f in forwards))
        if not models or not looked:
            return
        loops = [loop for loop in self._loops_with(models) if loop.looking]
        wanted = [loop.model for loop in loops] or [model_of(models, None)]
        if not loops and self._loops_with(models):
            return
        until = call.prediction.node.serial if call else max(s for f in forwards for s in f.serials)
        self.pending = [(m, probing_of(m, y, nodes, looked, until)) for m in wanted]

    def _pass(self, y: Tensor, nodes: Sequence[Any], forwards: list[Forward], call: LossCall | None) -> Learned:
        """What is remembered of a backward pass."""
        name = outer = ""
        results = [node for node in nodes if any(node.serial in f.serials for f in forwards)]
        if call is not None:
            outer = outer_activation(call.prediction.node, results)
            for forward in forwards:
                target = numbers(call.target)
                if forward.target is None and target is not None and target.ndim and len(target) == forward.rows:
                    forward.target = target
        elif results:
            name, target = guessed_loss(nodes, results[-1])
            for forward in forwards:
                if target is not None and target.ndim and len(target) == forward.rows:
                    forward.target = target
        return Learned(float(array(y)), forwards, call, name, outer)

    def _suspect(self, y: Tensor, leaves: Iterable[Any], forwards: list[Forward], call: LossCall | None) -> None:
        """Look for the first number that is not finite, if one has come up; it counts if training goes on with it."""
        if self.failure is not None:
            return
        if finite(y) and all(finite(leaf.buffer) for leaf in leaves if leaf.filled):
            self.suspect = None
        elif (found := self._fault_of(y, forwards, call)) is not None:
            self.suspect = found

    def read(self, x: Tensor, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A number is read from a tensor, as loops do to look at the loss."""
        value = original(x, *args, **kwargs)
        strange = isinstance(value, float) and not isfinite(value) and _recorded(x)
        if strange and not self.busy and self.failure is None and self.suspect is None:
            nodes = {node.serial for node in Graph(x)}
            through = [f for f in self.forwards if f.serials & nodes]
            self.suspect = self._fault_of(x, through, None)
        return value

    def _fault_of(self, x: Tensor, forwards: Sequence[Forward], call: LossCall | None) -> Diagnosis | None:
        """Where a tensor, or its gradients, are spoiled; models may be called for that, which is not noted."""
        self.aside += 1
        try:
            return fault_of(x, forwards, call)
        finally:
            self.aside -= 1

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
        before, lr, gradient, held = (
            values_of(loop.model),
            optimizer.lr,
            gradient_of(parameters),
            before_step(optimizer),
        )
        self.stepping = True
        try:
            result = original(optimizer, *args, **kwargs)
        finally:
            self.stepping = False
        self.by_hand = None
        self._updated(loop, passes, before, lr, gradient, [p.node for p in parameters])
        if self.failure is None and not sound(optimizer):
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

    def _remember(self, forwards: Sequence[Forward]) -> None:
        """Keep the parameters of a model that no optimiser is known for, to see whether they are changed by hand."""
        models = list(dict.fromkeys(f.model for f in forwards))
        known = {id(p) for loop in self.loops if loop.optimizer is not None for p in loop.model.parameters()}
        if models and not any(id(p) in known for m in models for p in m.parameters()):
            same = [loop.model for loop in self._loops_with(models)]
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

    def _loops_with(self, models: Iterable[Module]) -> list[Loop]:
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
            loops = self._loops_with([forward.model])
            fed = any(x is not None and _same(forward.prediction, x) for x in given)  # into another model
            forward.again = None
            for loop in () if fed else loops:
                loop.measured.append(Measured(loop.step, forward))
            left += [] if loops else [forward]
        self.forwards = left

    def finish(self) -> None:
        """The block ends: what is left was for looking; a number that was not finite was the end of it."""
        self.changed_by_hand()
        if self.failure is None and self.suspect is None and _recorded(self.latest) and not finite(self.latest):
            self.suspect = self._fault_of(self.latest, self.forwards[-1:], None)
        self.measure()
        self.fail(self.suspect, self.loops[-1] if self.loops else None)
        self.latest, self.closed = None, True

    # Runs of fit.

    def run(self, run: Run, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A run of `fit` is made; it gets an observer of its own."""
        original(run, *args, **kwargs)
        if not self.aside:
            run.callbacks.append(Noticed(self))


class Noticed(Observer):
    """An observer of a run that somebody else watches too: what the run does is not to be noted twice."""

    def __init__(self, spectator: Spectator) -> None:
        self.spectator = spectator

    def on_start(self, run: Run) -> None:
        self.spectator.aside += 1
        self.spectator.observers.append(self)
        super().on_start(run)

    def on_end(self, run: Run) -> None:
        try:
            super().on_end(run)
        finally:
            self.spectator.aside -= 1


def _recorded(x: Tensor | None) -> bool:
    return x is not None and x.node is not None and not x.node.freed


def _same(a: np.ndarray | None, b: np.ndarray) -> bool:
    return a is not None and a.shape == b.shape and np.may_share_memory(a, b)


def _shares(model: Module, own: set[int]) -> bool:
    return any(id(p) in own for p in model.parameters())
