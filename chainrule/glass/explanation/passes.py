"""A pass kept: its steps and its quantities by name, as arrays that nothing changes any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core import Tensor
from chainrule.glass.explanation import forward_rules, loss_rules
from chainrule.glass.explanation.backwards import Backward
from chainrule.glass.explanation.forwards import forward_steps
from chainrule.glass.explanation.inside import INSIDE
from chainrule.glass.explanation.run import Run, join, kind, mark, slope_name, weighted
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Step
from chainrule.glass.record import Call


@dataclass(frozen=True, eq=False)
class Pass:
    """One forward and backward pass over a batch: `steps` in order, and quantities by name.

    Names are a layer's path and a letter: `fc1.z`, `fc1.a`, `fc1.delta` (dL/dz), `fc1.da` (dL/da), `fc1.W`,
    `fc1.b`, `fc1.dW`, `fc1.db`; of other layers `act.a` and `act.da`, `bn.weight` and `bn.dweight`, and what
    a layer tells of its inside, `bn.mean`; and `x`, `y`, `y_hat`, `loss`, `losses` (one a sample), `dx`.
    Inside recurrent layers, step by step, `rnn.t2.h`, `rnn.t2.dh`, `lstm.t2.delta_i`, as the ledger has them; inside
    attention `attn.head1.weights`. Of sequences (n, T, features) all steps of all samples are rows, one below the
    other. `single` says whether the loss is of one row.
    """

    steps: tuple[Step, ...]
    values: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    single: bool = True

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise OptionError(f"There is no quantity {name!r} here.", known=", ".join(self.values))
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def keys(self) -> list[str]:
        """The names of all quantities, so that `dict(p)` is their numbers."""
        return list(self.values)

    def step(self, name: str) -> Step:
        """The step that a quantity comes from.

        Raises:
            OptionError: no step has this name.
        """
        found = [step for step in self.steps if step.name == name]
        if not found:
            raise OptionError(f"There is no step {name!r} here.", known=", ".join(s.name for s in self.steps))
        return found[0]

    def phase(self, phase: str) -> tuple[Step, ...]:
        """The steps of one phase: "forward", "backward" or "update"."""
        return tuple(step for step in self.steps if step.phase == phase)


def kept(run: Run, layout: str, backward: bool) -> Pass:
    """A run as a pass; its backward steps only where wanted."""
    signs, cut, samples = Signs(run, layout), loss_rules.shortcut(run), loss_rules.by_sample(run)
    steps = list(forward_steps(run, signs, cut, samples))
    steps += Backward(run, signs, cut, samples[1] if samples else "").steps() if backward else ()
    values = dict(_named(run, signs))
    values["y_hat"] = signs.lay(cut.prediction) if cut else signs.value(run.prediction)
    values |= {step.name: step.value for step in steps if step.kind == INSIDE}
    if samples is not None:
        values["losses"] = samples[0]
    state = {**dict(run.model.named_parameters()), **dict(run.model.named_buffers())}
    return Pass(tuple(steps), _copies(values), _copies({name: p.data for name, p in state.items()}), signs.single)


def _copies(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in arrays.items()}


def _named(run: Run, signs: Signs) -> Iterator[tuple[str, Any]]:
    for x in run.inputs:
        yield signs.names[mark(x)], signs.value(x)
    yield "y", signs.lay(np.asarray(getattr(run.y, "data", run.y)))
    for call in run.calls:
        yield from _of_layer(run, call, signs)
    for path, p in run.parameters.items():
        yield path, p.data
    yield "loss", run.loss.data
    for x in run.inputs:
        if x.node is not None:
            yield f"d{signs.names[mark(x)]}", signs.slope(x)


def _of_layer(run: Run, call: Call, signs: Signs) -> Iterator[tuple[str, Any]]:
    counted = weighted(call)
    if counted:
        yield join(call.path, "z"), signs.value(call.output)
        yield join(call.path, "delta"), signs.slope(call.output)
    result = _activation_after(run, call) if counted else call.output
    yield join(call.path, "a"), signs.value(result)
    yield join(call.path, "da"), signs.slope(result)
    for name, numbers in forward_rules.quantities(call, signs):
        yield join(call.path, name), numbers
    again = any(c.module is call.module for c in run.calls[: run.calls.index(call)])
    for name, tensor in run.own_parameters(call).items() if not again else ():
        short = {"weight": "W", "bias": "b"}.get(name, name) if counted else name
        yield join(call.path, short), tensor.data
        yield slope_name(call.path, short), run.gradient(tensor)


def _activation_after(run: Run, call: Call) -> Tensor:
    """The activation of a dense layer: the first before the next dense layer, or the layer's own result."""
    for later in run.calls[run.calls.index(call) + 1 :]:
        if weighted(later):
            break
        if kind(later) in ("activation", "softmax") and not later.passes:
            return later.output
    return call.output
