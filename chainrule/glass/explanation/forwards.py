"""The steps forwards: every layer's result, then the loss, sample by sample and of the batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.glass.explanation import forward_rules, loss_formulas, loss_numbers
from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.loss_rules import Shortcut
from chainrule.glass.explanation.rules import SOFTMAX
from chainrule.glass.explanation.run import Run, join, kind
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.record import Call

Samples = tuple[np.ndarray, str] | None
"""The loss of each sample, and whether the batch's is their "mean" or "sum"."""


def forward_steps(run: Run, signs: Signs, shortcut: Shortcut | None, samples: Samples) -> Iterator[Step]:
    """Every layer's result, then the loss."""
    for call in run.calls:
        yield _result(run, signs, call)
    if shortcut is not None and shortcut.inside_loss:
        yield _probabilities(run, signs, shortcut)
    alone = len(run.x.data) == 1
    if samples is None or alone:
        yield _loss(run, signs, shortcut, alone)
    else:
        yield from _averaged(run, signs, shortcut, *samples)


def _result(run: Run, signs: Signs, call: Call) -> Step:
    rule, numbers, notes = forward_rules.forward(call, signs)
    linear = kind(call) == "linear"
    return Step(
        name=join(call.path, "z" if linear else "a"),
        kind=kind(call),
        phase="forward",
        caption=f"layer {signs.layer[call.path]}: {call.label}" if linear else call.label,
        symbol=signs.sign(call.output),
        rule=rule,
        value=signs.value(call.output),
        substituted=numbers,
        expanded=forward_rules.expanded(call, signs) if linear else (),
        notes=notes,
        check=None if call.passes else run.check_local(call),
    )


def _probabilities(run: Run, signs: Signs, shortcut: Shortcut) -> Step:
    """The prediction that a loss of logits computes inside."""
    f, z = shortcut.function, run.prediction
    y_hat = signs.y_hat
    return Step(
        name="y_hat",
        kind="prediction",
        phase="forward",
        caption="prediction, inside the loss",
        symbol=y_hat,
        rule=f"{y_hat} = {f}({signs.sign(z)})",
        value=signs.lay(shortcut.prediction),
        substituted=(f"{f}(", signs.value(z), ")"),
        notes=(SOFTMAX,) if "softmax" in f else (),
    )


def _loss(run: Run, signs: Signs, cut: Shortcut | None, alone: bool) -> Step:
    """The loss of one sample, or of a batch that it does not fall apart into samples."""
    latex = loss_formulas.value(run, signs, cut) if alone else ""
    return Step(
        name="loss",
        kind="loss",
        phase="forward",
        caption=f"loss: {loss_formulas.name(run.loss_function)}",
        symbol="L",
        rule=latex.replace(r"\ell", "L", 1) or f"L = {_applied(run, signs.sign(run.prediction), signs.letter('Y'))}",
        value=np.asarray(run.loss.data),
        substituted=loss_numbers.with_numbers(run, cut, 0, float(run.loss.data)) if alone else None,
        notes=tuple(loss_formulas.notes(run)) if latex else (),
        check=run.check(run.prediction),
    )


def _averaged(run: Run, signs: Signs, cut: Shortcut | None, own: np.ndarray, how: str) -> Iterator[Step]:
    """The losses of the samples, and their mean or sum."""
    latex = loss_formulas.value(run, signs, cut)
    yield Step(
        name="losses",
        kind="losses",
        phase="forward",
        caption=f"{loss_formulas.name(run.loss_function)}, sample by sample",
        symbol=r"\ell",
        rule=latex or rf"\ell = {_applied(run, signs.small(run.prediction), 'y')}",
        value=own.reshape(1, -1),
        expanded=_one_by_one(run, cut, own),
        notes=tuple(loss_formulas.notes(run)) if latex else (),
    )
    yield Step(
        name="loss",
        kind="loss",
        phase="forward",
        caption="loss of the batch",
        symbol="L",
        rule="L = " + (r"\tfrac1m " if how == "mean" else "") + r"\textstyle\sum_i \ell_i",
        value=np.asarray(run.loss.data),
        substituted=_summed(own, how),
        check=run.check(run.prediction),
    )


def _one_by_one(run: Run, cut: Shortcut | None, own: np.ndarray) -> tuple[Formula, ...]:
    """The losses of few samples, each with its numbers."""
    if len(own) > SHOWN:
        return ()
    told = [(i, loss_numbers.with_numbers(run, cut, i, float(value)), value) for i, value in enumerate(own)]
    return tuple((rf"\ell_{i + 1}", "=", *formula, "=", value) for i, formula, value in told if formula)


def _applied(run: Run, prediction: str, target: str) -> str:
    return rf"\operatorname{{{loss_formulas.upright(run.loss_function)}}}({prediction}, {target})"


def _summed(own: np.ndarray, how: str) -> Formula | None:
    if len(own) > SHOWN:
        return None
    parts: list[Any] = [part for value in own for part in ("+", value)][1:]
    return ("(", *parts, f")/{len(own)}") if how == "mean" else tuple(parts)
