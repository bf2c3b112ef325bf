"""Dropout: the mask that was drawn, which the derivative passes as the numbers did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call


def forward(call: Call, signs: Signs) -> Rule:
    """x ⊙ M/(1 − p)."""
    x = call.inputs[0]
    note = f"$M$ is the mask drawn, $p = {call.module.p}$ the part that is dropped"
    return rf"{signs.sign(x)} \odot M/(1 - p)", (signs.value(x), r"\odot", _factor(call, signs)), (note,)


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The mask."""
    mask = (signs.run.slope(call) != 0).astype(np.int64)
    kept, size = int(mask.sum()), mask.size
    whole = ", a channel as a whole" if mask.ndim > 2 and type(call.module).__name__ != "Dropout" else ""
    yield Inside(
        "mask", "M", r"[u \ge p],\; u \sim \mathrm{uniform}(0, 1)", signs.lay(mask),
        caption=f"the mask drawn: 1 is kept, 0 dropped{whole}", notes=(f"{kept} of {size} entries are kept",),
    )  # fmt: skip


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """ȳ ⊙ M/(1 − p)."""
    bar = signs.slope(call.output)
    return rf"{signs.delta(call.output)} \odot M/(1 - p)", (bar, r"\odot", _factor(call, signs))


def _factor(call: Call, signs: Signs) -> np.ndarray:
    return signs.lay(signs.run.slope(call))
