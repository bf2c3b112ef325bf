"""LossScale: gradients of float16 held inside its range."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import backend_of
from chainrule.core.spec import UnknownNumbersError
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor
from chainrule.optim.clip import changed_in_place, gradients_of
from chainrule.optim.limits import AT_LEAST_ONE, COUNT, POSITIVE
from chainrule.optim.optimizer import Optimizer


class LossScale:
    """A factor on the loss that keeps small gradients from vanishing in float16, and finds itself.

        backward    of s · L, so that every gradient is s times as large
        step        of g / s; where an entry overflowed, no step, and s ← s / 2
        growth      after `interval` steps without overflow s ← 2 s

    float16 ends at 65504 above and at 2⁻²⁴ ≈ 6e-8 below; what is below half of that becomes 0. (000 §11.3.2 says
    that 1e-5 does: it does not, it loses digits.) Micikevicius et al. (2018); 000 (11.8)-(11.9) with a fixed s.

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter([1.0])
    >>> optimizer, scale = cr.optim.SGD([w], lr=0.5), LossScale(2.0**15)
    >>> scale.backward((w * w).sum())
    >>> scale.step(optimizer), w.data
    (True, array([0.], dtype=float32))

    Raises:
        OptionError: a setting is out of range.
    """

    def __init__(self, scale: float = 2.0**16, *, factor: float = 2.0, interval: int = 2000) -> None:
        self.scale = POSITIVE("LossScale", "scale", scale)
        self.factor = AT_LEAST_ONE("LossScale", "factor", factor)
        self.interval = COUNT("LossScale", "interval", interval)
        self.good_steps = 0

    def backward(self, loss: Tensor) -> None:
        """Fill the gradients with s times theirs. An overflow is no mistake here: `step` answers it."""
        if stack.recorder is not None:
            raise UnknownNumbersError("A loss scale changes from step to step, and decides whether there is one.")
        with np.errstate(over="ignore", invalid="ignore"):
            (loss * self.scale).backward()

    def step(self, optimizer: Optimizer) -> bool:
        """Divide the gradients by s and step; whether it did, for an overflow skips the step.

        Either way the gradients are forgotten.
        """
        parameters = list(optimizer.parameters())
        finite = all(map(_is_finite, gradients_of(parameters)))
        if finite:
            changed_in_place(parameters, lambda g, out: backend_of(g).xp.multiply(g, 1 / self.scale, out=out))
            optimizer.step()
        optimizer.zero_grad()
        self._adapt(finite)
        return finite

    def _adapt(self, finite: bool) -> None:
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.scale /= self.factor
        elif self.good_steps == self.interval:
            self.scale, self.good_steps = self.scale * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"scale": self.scale, "good_steps": self.good_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`."""
        self.scale, self.good_steps = float(state["scale"]), int(state["good_steps"])

    def __repr__(self) -> str:
        return f"LossScale({self.scale:g}, factor={self.factor:g}, interval={self.interval})"


def _is_finite(g: Any) -> bool:
    return bool(backend_of(g).xp.isfinite(g).all())
