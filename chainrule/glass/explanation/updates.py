"""The passes of an explanation: one, or one before every update and one behind the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation import update_rules
from chainrule.glass.explanation.passes import Pass, kept
from chainrule.glass.explanation.problem import Problem
from chainrule.glass.explanation.run import Run, float64, join
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.update_rules import Line, Stepped
from chainrule.nn import Module, Parameter
from chainrule.optim import Optimizer

PLAIN = {"momentum": 0.0, "weight_decay": 0.0}
"""What gradient descent by `lr` alone leaves out."""

Happened = Callable[[str, str, np.ndarray, np.ndarray, Parameter], tuple[list[Line], tuple[str, ...]]]
"""Signs of a parameter and of its derivative, both before the step, the parameter now: its lines, and notes."""


def passes(problem: Problem, lr: float | None, optimizer: Callable[..., Any] | None, steps: int) -> Iterator[Pass]:
    """One pass without updates; else a pass before every update, with its steps, and one behind the last."""
    if lr is None and optimizer is None:
        yield problem.run(None)
        return
    model = problem.model
    with float64(model):
        update = optimizer(model.parameters()) if optimizer else None
        for _ in range(steps):
            run = Run(model, problem.x, problem.y, problem.loss, problem.key)
            before = kept(run, problem.layout, backward=True)
            gradients = {p: run.gradient(p) for p in model.parameters()}
            happened = _descended(lr, gradients) if update is None else _stepped(update, gradients)
            yield _updated(before, model, happened)
        run = Run(model, problem.x, problem.y, problem.loss, problem.key)
        yield kept(run, problem.layout, backward=False)


def _descended(lr: Any, gradients: dict[Parameter, np.ndarray]) -> Happened:
    """Change the parameters by plain gradient descent, and say how."""
    for p, gradient in gradients.items():
        p.assign(p.data - lr * gradient)

    def happened(sign: str, slope: str, theta: np.ndarray, g: np.ndarray, p: Parameter) -> Any:
        told = Stepped(sign, slope, theta, g, p.data.reshape(g.shape), {}, {}, 1, {"lr": lr} | PLAIN)
        return list(update_rules.sgd(told)), ()

    return happened


def _stepped(optimizer: Optimizer, gradients: dict[Parameter, np.ndarray]) -> Happened:
    """Make a step of an optimiser, and say how."""
    before = {p: _copied(optimizer.moments_of(p)) for p in gradients}
    for p, gradient in gradients.items():
        p.grad = Tensor(gradient)
    measured = optimizer.measured([group.flat.grads[run] for group in optimizer.groups for run in group.flat.runs()])
    optimizer.step()
    place = {p: (group, i) for group in optimizer.groups for i, p in enumerate(group.flat.parameters)}

    def happened(sign: str, slope: str, theta: np.ndarray, g: np.ndarray, p: Parameter) -> Any:
        group, i = place[p]
        settings = {**group.settings, "lr": optimizer.lr * group.factor, **measured}
        was, now = (
            {name: m.reshape(g.shape) for name, m in of.items()} for of in (before[p], _copied(optimizer.moments_of(p)))
        )
        told = Stepped(sign, slope, theta, g, p.data.reshape(g.shape), was, now, int(group.counts[i]), settings)
        return list(update_rules.lines(optimizer, told)), update_rules.notes(optimizer, told)

    return happened


def _copied(moments: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.array(m) for name, m in moments.items()}


def _updated(before: Pass, model: Module, happened: Happened) -> Pass:
    """A pass with the steps of its update."""
    steps = list(_update_steps(before, model, happened))
    new = {step.name: step.value for step in steps}
    return replace(before, steps=(*before.steps, *steps), values=before.values | new)


def _update_steps(before: Pass, model: Module, happened: Happened) -> Iterator[Step]:
    """The lines of every parameter's update, in the order of the layers; notes stand where they are new."""
    derivatives = {step.name: step for step in before.phase("backward")}
    said: set[str] = set()
    for path, p in model.named_parameters():
        owner, _, name = path.rpartition(".")
        short = {"weight": "W", "bias": "b"}.get(name, name)
        found = [(s, derivatives.get(join(owner, f"d{s}"))) for s in (short, name)]
        quantity, step = next(((s, d) for s, d in found if d is not None), (name, None))
        if step is None:
            continue
        sign = step.symbol.removeprefix(r"\partial L/\partial ")
        old = np.reshape(before.state[path], step.value.shape)
        lines, notes = happened(sign, step.symbol, old, step.value, p)
        for i, line in enumerate(lines):
            yield _step(join(owner, quantity), line, tuple(n for n in notes if i == 0 and n not in said))
        said.update(notes)


def _step(parameter: str, line: Line, notes: tuple[str, ...]) -> Step:
    numbers: tuple[Formula, ...] = () if line.before is None else ((line.sign, "=", line.before, r"\to", line.value),)
    return Step(
        name=f"{parameter}.{line.name}", kind="update", phase="update", caption="", symbol=line.sign, rule=line.rule,
        value=np.array(line.value), substituted=line.numbers, expanded=numbers, notes=notes,
    )  # fmt: skip
