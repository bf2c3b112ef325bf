"""What a model can put out at all: the range that its outputs never leave, whatever its weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.base.errors import ChainruleError
from chainrule.base.keys import Key
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.train.evaluate import outputs

ROWS = 64
DRAWS = 4
"""Sets of weights that are tried, each with both signs."""

LARGE = 10.0
"""How many times 1/√inputs the weights are drawn: what is bounded still is, what is not goes far."""

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


def reach(evidence: Evidence, outer: str = "") -> Reach | None:
    """The range of a model's outputs, from copies of it with large weights drawn at random; None where it does not run.

    `outer` is a function that is applied to them before the loss.

    An activation at the end shows whoever calls it: a layer, a function, or arithmetic.
    """
    if evidence.train is None or evidence.prediction is None or evidence.prediction.dtype.kind != "f":
        return None
    x = evidence.train.x[:ROWS]
    model = copy.deepcopy(evidence.model)
    try:
        with np.errstate(all="ignore"):
            drawn = [_drawn(model, x, i, sign) for i in range(DRAWS) for sign in (1, -1)]
            drawn = [np.asarray(getattr(ops, outer)(z)) for z in drawn] if outer else drawn
    except (ChainruleError, ValueError, TypeError):
        return None
    said = [z.astype(np.float64) for z in (evidence.prediction[:ROWS], *drawn) if np.isfinite(z).all()]
    if len(said) <= DRAWS:
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


def _drawn(model: Any, x: np.ndarray, draw: int, sign: int) -> np.ndarray:
    """Outputs with parameters drawn at random, large; the sign turns those of the layer that comes last."""
    names = [name for name, _ in model.named_parameters()]
    last = names[-1].rpartition(".")[0] if names else ""
    for name, p in model.named_parameters():
        value = p.numpy()
        size = LARGE / np.sqrt(value.size / len(value)) if value.ndim > 1 else 1.0
        numbers = size * (Key(0) / "reach" / draw / name).generator().standard_normal(value.shape)
        p.assign((numbers * (sign if name.rpartition(".")[0] == last else 1)).astype(value.dtype))
    return outputs(model, x)
