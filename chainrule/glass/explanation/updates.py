"""The passes of an explanation: one, or one before every update and one behind the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.passes import Pass, kept
from chainrule.glass.explanation.problem import Problem
from chainrule.glass.explanation.run import Run, float64
from chainrule.glass.explanation.steps import Step
from chainrule.nn import Module


def passes(problem: Problem, lr: float | None, optimizer: Callable[..., Any] | None, steps: int) -> Iterator[Pass]:
    """One pass without updates; else a pass before every update, with its steps, and one behind the last."""
    if lr is None and optimizer is None:
        yield problem.run(None)
        return
    model = problem.model
    with float64(model):
        update = optimizer(model.parameters()) if optimizer else None
        for _ in range(steps):
            run = Run(model, problem.inputs, problem.y, problem.loss, problem.key)
            before = kept(run, problem.layout, backward=True)
            gradients = {p: run.gradient(p) for p in model.parameters()}
            for p, gradient in gradients.items():
                if update is None:
                    p.assign(p.data - lr * gradient)
                else:
                    p.grad = Tensor(gradient)
            if update is not None:
                update.step()
            yield _updated(before, model, lr, update)
        run = Run(model, problem.inputs, problem.y, problem.loss, problem.key)
        yield kept(run, problem.layout, backward=False)


def _updated(before: Pass, model: Module, lr: float | None, update: Any) -> Pass:
    """A pass with the steps of its update."""
    steps = list(_update_steps(before, model, lr, update))
    new = {step.name: step.value for step in steps}
    return replace(before, steps=(*before.steps, *steps), values=before.values | new)


def _update_steps(before: Pass, model: Module, lr: float | None, update: Any) -> Iterator[Step]:
    """θ ← θ − η ∂L/∂θ for every parameter, in the order of the layers."""
    derivatives = {step.name: step for step in before.phase("backward")}
    for path, p in model.named_parameters():
        owner, _, name = path.rpartition(".")
        short = {"weight": "W", "bias": "b"}.get(name, name)
        found = [(s, derivatives.get(f"{owner}.d{s}" if owner else f"d{s}")) for s in (short, name)]
        quantity, step = next(((s, d) for s, d in found if d is not None), (name, None))
        if step is None:
            continue
        sign = step.symbol.removeprefix(r"\partial L/\partial ")
        old, new = (np.reshape(v, step.value.shape) for v in (before.state[path], p.data))
        plain = lr is not None and update is None
        rule = (
            rf"{sign} \leftarrow {sign} - \eta\, {step.symbol}"
            if plain
            else rf"{sign} \leftarrow \operatorname{{step}}({sign}, {step.symbol})"
        )
        yield Step(
            name=".".join(filter(None, (owner, quantity, "new"))), kind="update", phase="update",
            caption="" if plain else repr(update).split("\n")[0], symbol=sign, rule=rule, value=np.array(new),
            substituted=(old, "-", np.float64(lr), r"\cdot", step.value) if plain else None,
        )  # fmt: skip
