"""Spectator: sees the trainings of one thread that are written by hand, and those by `fit`, and changes nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import isfinite
from typing import Any

from chainrule.core import Graph, Tensor, tree
from chainrule.core.stack import stack
from chainrule.data import Loader
from chainrule.glass.faults.diagnosis import Diagnosis
from chainrule.glass.faults.search import finite
from chainrule.glass.ledgers.one_step import Passage, array
from chainrule.glass.verdicts.loops import Forward, Learned, model_of
from chainrule.glass.verdicts.losses_noted import LossCall
from chainrule.glass.verdicts.observer import Observer
from chainrule.glass.verdicts.passes import fault_of, once_more, outer_activation, probing_of
from chainrule.glass.verdicts.rows import numbers
from chainrule.glass.verdicts.updates import Updates
from chainrule.glass.verdicts.written_out import written
from chainrule.nn import Module
from chainrule.train import Run

MOST = 4096
"""Calls of models that are remembered until it is known what became of them."""

LATEST = 8
"""Batches of loaders that are remembered until a model is called with them."""


class Spectator(Updates):
    """What was seen so far: a loop for each optimiser, an observer for each run, and the first number not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[Passage] | None = None
        self.looked: list[tuple[Module, list[Passage]]] = []
        self.latest: Any = None
        self.calls: list[LossCall] = []
        self.dealt: deque[tuple[Any, Any]] = deque(maxlen=LATEST)

    # Data is dealt out, models and losses are called.

    def deal(self, loader: Loader, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A loader begins an epoch: what it deals from is one data set, whatever copies of its rows there are."""
        batches = original(loader, *args, **kwargs)
        return batches if self.busy else self._deal(loader.x, batches)

    def _deal(self, source: Any, batches: Iterable[Any]) -> Iterator[Any]:
        for x, y in batches:
            self.dealt.append((x, source))
            yield x, y

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
        """A model was called by itself, not by another one: remember what came in and out until it is clear why."""
        tensors = [t for t in tree.flatten(result)[0] if isinstance(t, Tensor)]
        x = next((n for a in given if (n := numbers(a)) is not None), None)
        serials = frozenset(t.node.serial for t in tensors if t.node is not None)
        prediction = array(tensors[0]) if tensors else None
        source = next((source for batch, source in self.dealt if batch is x), None)
        self.forwards = [*self.forwards[-MOST:], Forward(module, x, prediction, serials, module.training, source)]
        self.latest = tensors[0] if tensors else None

    def _passed(self, path: str, module: Module, given: tuple[Any, ...], result: Any) -> None:
        outputs = [t for t in tree.flatten(result)[0] if isinstance(t, Tensor)]
        if self.passages is not None and outputs:
            inputs = tuple(a if isinstance(a, Tensor) else Tensor(n) for a in given if (n := numbers(a)) is not None)
            self.passages.append(Passage(path, module, inputs, outputs))

    def _looking(self, module: Module) -> bool:
        loops = self.loops_with([module])
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
        self.remember(forwards)
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
        loops = [loop for loop in self.loops_with(models) if loop.looking]
        wanted = [loop.model for loop in loops] or [model_of(models, None)]
        if not loops and self.loops_with(models):
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
            name, target, outer = written(nodes, results, float(array(y)))
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
