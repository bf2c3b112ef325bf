"""What an optimiser would do to every parameter next, found by doing it and taking it back bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.backends import copied, put
from chainrule.base.errors import OptionError
from chainrule.core import Tensor
from chainrule.glass.ledgers.one_step import Tape, array
from chainrule.optim import Optimizer


def updates(tape: Tape, optimizer: Any, asker: str = "A ledger") -> dict[Any, np.ndarray]:
    """Δθ = θ' − θ of every parameter of the model that the optimiser steps, by leaf.

    Raises:
        OptionError: it is no optimiser, or one of another model's parameters.
    """
    if not isinstance(optimizer, Optimizer):
        shown = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
        raise OptionError(f"{asker} needs an optimizer that is made, got {shown}.", fix="cr.optim.Adam(model, lr=1e-3)")
    own = set(tape.model.parameters())
    stepped = [p for p in optimizer.parameters() if p in own]
    if not stepped:
        raise OptionError(
            f"This {type(optimizer).__name__} changes no parameter of the model.",
            cause="the model was made anew after it, or it belongs to another",
            fix=f"cr.optim.{type(optimizer).__name__}(model)",
        )
    with _taken_back(optimizer):
        for p in optimizer.parameters():
            p.node.grad = Tensor(tape.bars[p.node, 0].data) if (p.node, 0) in tape.bars else None
        optimizer.step()
        return {p.node: array(copied(p.value)) - tape.numbers(p) for p in stepped}


@contextmanager
def _taken_back(optimizer: Optimizer) -> Iterator[None]:
    """After the block, optimiser and parameters are as before: values, gradients, moments, counts, and dates."""
    attributes = dict(vars(optimizer))
    parts = [(p, copied(p.value), copied(p.node.buffer)) for p in optimizer.parameters()]
    marks = [(p.node, p.node.written, p.node.filled, p.node.recorded) for p in optimizer.parameters()]
    kept = [({k: copied(m) for k, m in group.moments.items()}, group.counts.copy()) for group in optimizer.groups]
    try:
        yield
    finally:
        vars(optimizer).clear()
        vars(optimizer).update(attributes)
        for p, value, buffer in parts:
            p.value, p.node.buffer = put(p.value, value), put(p.node.buffer, buffer)
        for group, (moments, counts) in zip(optimizer.groups, kept, strict=True):
            group.moments.update({name: put(group.moments[name], m) for name, m in moments.items()})
            group.counts[:] = counts
        for leaf, written, filled, recorded in marks:
            leaf.written, leaf.filled, leaf.recorded = written, filled, recorded
