"""What a model can put out at all: the range that its outputs never leave, whatever its weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.base.keys import Key
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.train.evaluate import outputs

ROWS = 64
DRAWS = 4
"""Sets of weights that are tried, each with both signs."""

LARGE = 10.0
"""How many times larger than they are weights are drawn: what is bounded still is, what is not goes far."""

ROUNDING = 1e-4


@dataclass(frozen=True)
class Reach:
    """The least and the greatest output under many weights; whether rows are probabilities, or their logarithms."""

    low: float
    high: float
    distribution: bool
    logarithms: bool

    @property
    def unit(self) -> bool:
        """Whether outputs lie in [0, 1], and fill it."""
        return -ROUNDING <= self.low < 0.2 and 0.8 < self.high <= 1 + ROUNDING

    @property
    def signed_unit(self) -> bool:
        """Whether outputs lie in [−1, 1], and fill it."""
        return -1 - ROUNDING <= self.low < -0.8 and 0.8 < self.high <= 1 + ROUNDING

    @property
    def positive(self) -> bool:
        """Whether outputs are never below 0, and otherwise free."""
        return self.low >= -ROUNDING and self.high > 1 + ROUNDING

    @property
    def negative(self) -> bool:
        """Whether outputs are never above 0, and otherwise free."""
        return self.high <= ROUNDING and self.low < -1 - ROUNDING


def reach(evidence: Evidence) -> Reach | None:
    """The range of a model's outputs, from copies of it with large weights drawn at random; None where it does not run.

    An activation at the end shows whoever calls it: a layer, a function, or arithmetic.
    """
    if evidence.train is None or evidence.prediction is None or evidence.prediction.dtype.kind != "f":
        return None
    x = evidence.train.x[:ROWS]
    model = copy.deepcopy(evidence.model)
    try:
        with np.errstate(all="ignore"):
            said = [evidence.prediction[:ROWS], *(drawn(model, x, i, sign) for i in range(DRAWS) for sign in (1, -1))]
    except (ChainruleError, ValueError, TypeError):
        return None
    said = [z.astype(np.float64) for z in said if np.isfinite(z).all()]
    if not said:
        return None
    rows = [z.reshape(-1, z.shape[-1]) for z in said if z.ndim > 1]
    several = bool(rows) and rows[0].shape[1] > 1
    with np.errstate(all="ignore"):
        return Reach(
            min(float(z.min()) for z in said),
            max(float(z.max()) for z in said),
            several and all(z.min() >= 0 and np.abs(z.sum(axis=1) - 1).max() < 1e-3 for z in rows),
            several and all(z.max() <= ROUNDING and np.abs(np.exp(z).sum(axis=1) - 1).max() < 1e-3 for z in rows),
        )


def drawn(model: Any, x: np.ndarray, draw: int, sign: int) -> np.ndarray:
    """Outputs with parameters drawn at random, large; the sign turns those of the layer that comes last."""
    names = [name for name, _ in model.named_parameters()]
    last = names[-1].rpartition(".")[0] if names else ""
    for name, p in model.named_parameters():
        value = np.asarray(p.numpy(), np.float64)
        size = LARGE * max(float(np.sqrt((value**2).mean())), 0.1)
        numbers = size * (Key(0) / "reach" / draw / name).generator().standard_normal(value.shape)
        p.assign((numbers * (sign if name.rpartition(".")[0] == last else 1)).astype(p.numpy().dtype))
    return outputs(model, x)
