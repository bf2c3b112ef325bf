"""A backward pass of a loop, read from its graph before that is given back: layers, loss, target, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.core import Tensor, gradients
from chainrule.core.stack import stack
from chainrule.glass.faults.diagnosis import Diagnosis, of_fault, spoiled, watched
from chainrule.glass.faults.search import Fault, backward_fault, finite, forward_fault
from chainrule.glass.ledgers.one_step import Passage, array
from chainrule.glass.verdicts.loops import Forward
from chainrule.glass.verdicts.losses_noted import LossCall
from chainrule.glass.verdicts.probing import ACTIVATIONS, Probing, calls_of, layers_of, norm, values_of
from chainrule.glass.verdicts.restoring import as_before
from chainrule.glass.verdicts.rows import numbers
from chainrule.nn import Module, ModuleList


def probing_of(
    model: Any, loss: Tensor, nodes: Sequence[Any], looked: Iterable[tuple[Module, list[Passage]]], until: float
) -> Probing:
    """A step looked into before its update; `until` is the number of the node that the loss was taken of."""
    made, places = set(nodes), {id(module): path for path, module in model.named_modules()}
    passages = [
        Passage(".".join(filter(None, (places[id(module)], p.path))), p.module, p.inputs, p.outputs)
        for module, found in looked
        for p in found
        if id(module) in places and p.outputs[0].node in made
    ]
    calls = calls_of(model, passages, () if isinstance(model, ModuleList) else nodes, until)
    parameters = {name: p for name, p in model.named_parameters() if p.node in made}
    targets = [*(call.outputs[0] for call in calls), *parameters.values()]
    with np.errstate(all="ignore"):
        found = gradients(loss, targets) if targets else []
    bars = {(t.node, t.index): array(bar) for t, bar in zip(targets, found, strict=True)}
    layers = layers_of(calls, lambda out: bars.get((out.node, out.index)))
    sizes = {name: norm(bars[p.node, p.index]) for name, p in parameters.items()}
    return Probing(0, float(array(loss)), layers, values_of(model), sizes)


def fault_of(loss: Tensor, forwards: Sequence[Forward], call: LossCall | None) -> Diagnosis | None:
    """The first number that is not finite in a loss or its gradients; looked for as `cr.diagnose` does."""
    for forward in forwards:
        for name, given in (("x", forward.x), ("y", forward.target if call is None else numbers(call.target))):
            if given is not None and not finite(given):
                return spoiled("input", name, given)
        for name, p in forward.model.named_parameters():
            if not finite(p.numpy()):
                return spoiled("parameter", name, p.numpy(), forward.model)
    with np.errstate(all="ignore"):
        fault = _in_models(forwards) or forward_fault(loss) or backward_fault(loss)
    if fault is None:
        return None
    models = [f.model for f in forwards if fault.node.path in dict(f.model.named_modules())]
    return of_fault(fault, models[0] if models else Module())


def _in_models(forwards: Sequence[Forward]) -> Fault | None:
    """The first fault inside of a model, also in operations on its input alone, which a loop does not record."""
    for forward in forwards:
        if forward.again is None or forward.prediction is None or finite(forward.prediction):
            continue
        prediction = forward.again()
        fault = forward_fault(prediction) if isinstance(prediction, Tensor) else None
        if fault is not None:
            return fault
    return None


def once_more(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], modes: Sequence[Any], stream: tuple[Any, int]
) -> Any:
    """A call of a model again, with its random numbers, and its first input recorded if it is made of fractions."""
    with as_before([module]):
        for part, mode in modes:
            part.training = mode
        stack.key, stack.draws = stream
        first = args[:1] if args and getattr(args[0], "node", None) is not None else (watched(args[0], module),)
        return module(*first, *args[1:], **kwargs)


def outer_activation(prediction: Any, results: Sequence[Any]) -> str:
    """The activation between the results of the model and what the loss was given; empty where there is none."""
    if prediction.primitive is not None and prediction.name in ACTIVATIONS and prediction not in results:
        return prediction.name if any(parent in results for parent in prediction.parents) else ""
    return ""
