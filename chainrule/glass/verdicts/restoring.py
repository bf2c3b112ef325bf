"""After the block all is as it was: a training that is run once more to be looked at, and taken back bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from chainrule.backends import copied, put
from chainrule.core.stack import stack
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.train.evaluate import modes_restored


@contextmanager
def as_before(models: Sequence[Module], optimizers: Sequence[Any] = ()) -> Iterator[None]:
    """After the block models and optimisers are as before: values, gradients and their dates, moments, counts, modes.

    So is the stream of random numbers. An optimiser of one's own make keeps what the block did to it.
    """
    key, draws = stack.key, stack.draws
    with ExitStack() as undo:
        for optimizer in optimizers:
            if isinstance(optimizer, Optimizer):
                undo.enter_context(_optimizer_as_before(optimizer))
        for model in models:
            undo.enter_context(_model_as_before(model))
        try:
            yield
        finally:
            stack.key, stack.draws = key, draws


@contextmanager
def _model_as_before(model: Module) -> Iterator[None]:
    parameters = [_remembered(p) for p in model.parameters()]
    buffers = [(b, b.value, copied(b.value), b.trace, b.node) for _, b in model.named_buffers()]
    with modes_restored(model):
        try:
            yield
        finally:
            for remembered in parameters:
                _put_back(*remembered)
            for b, value, copy, trace, node in buffers:
                b.value, b.trace, b.node = put(value, copy), trace, node


@contextmanager
def _optimizer_as_before(optimizer: Optimizer) -> Iterator[None]:
    attributes = dict(vars(optimizer))
    parameters = [_remembered(p) for p in optimizer.parameters()]
    kept = [({k: copied(m) for k, m in group.moments.items()}, group.counts.copy()) for group in optimizer.groups]
    try:
        yield
    finally:
        vars(optimizer).clear()
        vars(optimizer).update(attributes)
        for remembered in parameters:
            _put_back(*remembered)
        for group, (moments, counts) in zip(optimizer.groups, kept, strict=True):
            group.moments.update({name: put(group.moments[name], m) for name, m in moments.items()})
            group.counts[:] = counts


def _remembered(p: Any) -> tuple[Any, ...]:
    leaf = p.node
    return p, copied(p.value), copied(leaf.buffer), leaf.written, leaf.filled, leaf.recorded


def _put_back(p: Any, value: Any, buffer: Any, written: int, filled: bool, recorded: Any) -> None:
    p.value, p.node.buffer = put(p.value, value), put(p.node.buffer, buffer)
    p.node.written, p.node.filled, p.node.recorded = written, filled, recorded
