"""Positions: rows added to the rows of a sequence, waves or learned ones."""

from __future__ import annotations

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call
from chainrule.nn import LearnedPositions

WAVES = r"$\mathrm{PE}_{t,2i} = \sin(t/10000^{2i/d})$, $\mathrm{PE}_{t,2i+1} = \cos(t/10000^{2i/d})$, t from 0"


def forward(call: Call, signs: Signs) -> Rule:
    """y = x + PE, or x + P; in training some entries may be dropped."""
    x, rows = call.inputs[0], _rows(call, signs)
    numbers, learned = signs.value(x), isinstance(call.module, LearnedPositions)
    sign = "P" if learned else r"\mathrm{PE}"
    rule, put_in = f"{signs.sign(x)} + {sign}", (numbers, "+", rows)
    notes = ("row t of $P$ is learned for place t, from 0",) if learned else (WAVES,)
    if not _drops(call):
        return rule, put_in, notes
    mask = signs.lay(signs.run.slope(call))
    return rf"({rule}) \odot M/(1 - p)", ("(", *put_in, r") \odot", mask), notes


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """A sum passes the derivative on as it is."""
    y = signs.delta(call.output)
    if not _drops(call):
        return y, (signs.slope(call.output),)
    return rf"{y} \odot M/(1 - p)", (signs.slope(call.output), r"\odot", signs.lay(signs.run.slope(call)))


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂P: each place's row, summed over the sequences."""
    return "P" if name == "weight" else named(name), (rf"\textstyle\sum_n {signs.delta(call.output)}", None)


def _drops(call: Call) -> bool:
    module = call.module
    return module.training and getattr(getattr(module, "dropout", None), "p", 0) > 0


def _rows(call: Call, signs: Signs) -> np.ndarray:
    """What is added, for every step of every sequence."""
    x, module = call.inputs[0].data, call.module
    length = x.shape[-2]
    held = module.weight.data if isinstance(module, LearnedPositions) else module._waves
    return signs.lay(np.broadcast_to(np.asarray(held[:length], np.float64), x.shape))
