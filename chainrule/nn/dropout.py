"""Dropout."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError
from chainrule.nn.module import Module
from chainrule.ops import dropout


class Dropout(Module):
    """Inverted dropout: in training each entry is dropped with probability p, the rest scaled by 1/(1 − p).

    In evaluation it passes everything. p is the probability of DROPPING (004 §3.6.4 and 002 Ex. 5 write p for
    keeping). Srivastava et al. (2014); 000 (8.28).

    Raises:
        OptionError: p is not in [0, 1].
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            advice = f"Dropout({p / 100:g})" if 1 < p <= 100 else "Dropout(0.5)"
            raise OptionError(f"Dropout takes a probability of dropping between 0 and 1, got {p}.", fix=advice)
        self.p = p

    def forward(self, x: Any) -> Any:
        """x with entries dropped, in training."""
        return dropout(x, self.p) if self.training else x

    def extra_repr(self) -> str:
        return f"p={self.p}"
