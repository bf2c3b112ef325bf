"""An optimiser's step as calls of compiled kernels, for plans: the numbers of a step are put in place before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.backends.native.calls import NativeCall
from chainrule.core.graph import tick

if TYPE_CHECKING:
    from chainrule.optim.optimizer import Optimizer


class CompiledStep:
    """The calls that make a step of an optimiser, what must happen before them, and after."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.calls = [_call(optimizer, group) for group in optimizer.groups]

    def before(self) -> None:
        """Put the numbers of this step in place: learning rate, corrections for the early steps."""
        optimizer = self.optimizer
        for group, call in zip(optimizer.groups, self.calls, strict=True):
            t = int(group.counts[0]) + 1
            numbers = optimizer.compiled(t, **group.settings, lr=optimizer.lr * group.factor)
            call.words[-len(numbers) :] = np.array(numbers).view(np.int64)  # type: ignore[arg-type]

    def after(self) -> None:
        """Count the step."""
        self.optimizer.steps += 1
        now = tick()
        for group in self.optimizer.groups:
            group.counts += 1
            for p in group.flat.parameters:
                p.node.written = now


def compiled_step(optimizer: Optimizer) -> CompiledStep | None:
    """The compiled step of an optimiser; None where it has none, or where its parameters are not all in step."""
    suits = bool(optimizer.kernel) and type(optimizer).measured is _unmeasured()
    for group in optimizer.groups:
        single = group.backend.name == "numpy" and group.flat.values.dtype == np.float32
        together = len(set(group.counts.tolist())) == 1
        suits = suits and single and together and optimizer.compiled(1, **group.settings, lr=1.0) is not None
    return CompiledStep(optimizer) if suits else None


def _unmeasured() -> Callable[..., Any]:
    from chainrule.optim.optimizer import Optimizer

    return Optimizer.measured


def _call(optimizer: Optimizer, group: Any) -> NativeCall:
    numbers = optimizer.compiled(1, **group.settings, lr=1.0)
    moments = list(group.moments.values()) or ([0] if optimizer.kernel == "sgd" else [])
    flat = group.flat
    return NativeCall(optimizer.kernel, len(flat.values), flat.values, flat.grads, *moments, *map(float, numbers or ()))
