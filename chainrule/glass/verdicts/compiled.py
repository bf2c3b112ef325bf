"""Steps of `cr.compile` under watch: the plan runs as ever, few of its steps once more by define-by-run beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import isfinite, nan
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import Tensor, tree
from chainrule.glass.verdicts.loops import Loop
from chainrule.glass.verdicts.probing import sound, values_of
from chainrule.glass.verdicts.restoring import as_before
from chainrule.glass.verdicts.rows import numbers
from chainrule.glass.verdicts.spectator import Spectator
from chainrule.optim import Optimizer
from chainrule.plan.purity import impurity


class Watch:
    """Whom the block tells what happens. While a step is run once more beside the training, another one listens."""

    def __init__(self) -> None:
        self.spectator = Spectator()

    def plan(self, plan: Any, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A compiled step is called."""
        entry = None if self.spectator.busy else plan.entry(*args, **kwargs)
        if entry is None:  # it runs as define-by-run, and is seen as such
            return original(plan, *args, **kwargs)
        recorder = entry.recording.recorder
        optimizers = [owner for owner in recorder.owners if isinstance(owner, Optimizer)]
        if optimizers:
            return self._trained(plan, original, args, kwargs, list(recorder.modules), optimizers)
        result = original(plan, *args, **kwargs)
        if len(recorder.modules) == 1:
            self.spectator.called(recorder.modules[0], args, result)
        return result

    def _trained(
        self, plan: Any, original: Any, args: Any, kwargs: Any, models: list[Any], optimizers: list[Optimizer]
    ) -> Any:
        spectator, optimizer = self.spectator, optimizers[0]
        spectator.measure()
        loop = spectator.loop_of(optimizer, models)
        if loop.looking and not impurity(plan.step):
            _take(loop, self._inspected(plan, args, kwargs, models, optimizers), args)
        before, kept, lr = values_of(loop.model), [o.state_dict() for o in optimizers], optimizer.lr
        result = original(plan, *args, **kwargs)
        loss = _loss_in(result)
        loop.updated(loop.loss_now if loss is None else loss, lr, nan, before, values_of(loop.model))
        loop.met(*(numbers(args[i]) if i is not None else None for i in loop.places))
        strange = (loss is not None and not isfinite(loss)) or not all(map(sound, optimizers))
        if strange and spectator.failure is None:

            def back() -> None:
                for name, p in loop.model.named_parameters():
                    p.assign(before[name])
                for one, state in zip(optimizers, kept, strict=True):
                    one.load_state_dict(state)

            seen = self._inspected(plan, args, kwargs, models, optimizers, back)
            spectator.fail(seen.failure, loop, loop.step - 1)
        return result

    def _inspected(
        self,
        plan: Any,
        args: Any,
        kwargs: Any,
        models: list[Any],
        optimizers: list[Optimizer],
        prepare: Callable[[], None] = lambda: None,
    ) -> Spectator:
        """What is seen of a step that runs once by define-by-run, and is taken back."""
        outer, self.spectator = self.spectator, Spectator()
        try:
            with as_before(models, optimizers), np.errstate(all="ignore"):
                prepare()
                with suppress(ChainruleError):
                    plan.step(*args, **kwargs)
                self.spectator.finish()
            return self.spectator
        finally:
            self.spectator = outer


def _take(loop: Loop, seen: Spectator, args: tuple[Any, ...]) -> None:
    """What a step told that was looked into: its layers, its loss, and which arguments are inputs and targets."""
    if not seen.loops:
        return
    inner = seen.loops[0]
    loop.loss, loop.loss_name, loop.outer = inner.loss, inner.loss_name, inner.outer
    loop.loss_now, loop.in_evaluation = inner.losses[-1], loop.in_evaluation + inner.in_evaluation
    loop.places = tuple(_place(array, args) for array in (inner.x, inner.y))
    loop.took(inner.probes)


def _place(array: np.ndarray | None, args: tuple[Any, ...]) -> int | None:
    given = [numbers(a) for a in args]
    same = (i for i, g in enumerate(given) if g is not None and array is not None and np.array_equal(g, array))
    return next(same, None)


def _loss_in(result: Any) -> float | None:
    """The first number in what a step returns."""
    for leaf in tree.flatten(result)[0]:
        number = numbers(leaf) if isinstance(leaf, (Tensor, float, np.ndarray)) else None
        if number is not None and number.size == 1 and number.dtype.kind == "f":
            return float(number.reshape(()))
    return None
