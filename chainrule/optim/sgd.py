"""Gradient descent, its three momenta, and its normalised form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.optim.clip import norm_of
from chainrule.optim.limits import FRACTION, NOT_NEGATIVE, SWITCH, Limits
from chainrule.optim.optimizer import Optimizer, Parameters


def penalised(g: np.ndarray, theta: np.ndarray, weight_decay: float, out: np.ndarray) -> np.ndarray:
    """The gradient of the loss with the penalty λ/2 ‖θ‖²: g + λ θ, in `out`; g itself where λ = 0."""
    if weight_decay == 0:
        return g
    np.multiply(theta, weight_decay, out=out)
    out += g
    return out


class SGD(Optimizer):
    """Gradient descent, with heavy-ball momentum in PyTorch's form.

        g ← g + λ θ
        v ← μ v + (1 − τ) g         (v = g at the first step)
        θ ← θ − η v                 nesterov: θ ← θ − η (g + μ v)

    With η `lr`, μ `momentum`, τ `dampening`, λ `weight_decay`. Full-batch, mini-batch and single-sample
    descent differ in the batch alone. v is a weighted sum of gradients, not an average: under a constant one
    it tends to g/(1 − μ) (000 (8.11)).

    `weight_decay` is the penalty λ/2 ‖θ‖², on all parameters given, biases too; here it equals the decay
    θ ← (1 − ηλ) θ (002 (20)-(21), 000 (8.24)). 000 ch. 7 writes λ ‖θ‖²: twice that λ.

    Nesterov: 000 (8.12) takes the gradient at the point ahead, φ = θ − η μ v, and steps θ. Here the
    parameters are φ itself; in φ that step reads φ ← φ − η (g + μ v), so the gradient is needed only where
    the parameters are. Sutskever et al. (2013); Polyak (1964); 000 (8.2)-(8.13).
    """

    formula = r"v \leftarrow \mu v + (1 - \tau)(g + \lambda\theta), \quad \theta \leftarrow \theta - \eta v"
    limits: ClassVar[Limits] = {
        "momentum": FRACTION,
        "nesterov": SWITCH,
        "dampening": FRACTION,
        "weight_decay": NOT_NEGATIVE,
    }

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        *,
        nesterov: bool = False,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            momentum=momentum,
            nesterov=nesterov,
            dampening=dampening,
            weight_decay=weight_decay,
        )

    kernel = fused = "sgd"

    @classmethod
    def kept(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return ("velocity",) if settings["momentum"] else ()

    @staticmethod
    def compiled(t, *, lr, momentum, nesterov, dampening, weight_decay):
        take = 1 - dampening if t > 1 else 1
        step, ahead = (lr * momentum, lr) if nesterov else (lr, 0.0)
        return float(step), float(momentum), float(take), float(weight_decay), float(ahead)

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        if settings["nesterov"] and (settings["momentum"] == 0 or settings["dampening"] != 0):
            raise OptionError(
                "Nesterov's step needs momentum above 0 and dampening 0, "
                f"got momentum {settings['momentum']:g} and dampening {settings['dampening']:g}.",
                fix="SGD(parameters, lr, momentum=0.9, nesterov=True)",
            )

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, momentum, nesterov, dampening, weight_decay) -> None:
        step, spare = scratch
        g = penalised(g, theta, weight_decay, out=spare)
        if not moments:
            np.multiply(g, lr, out=step)
        else:
            (v,) = moments
            v *= momentum
            np.multiply(g, 1 - dampening if t > 1 else 1, out=step)
            v += step
            np.multiply(v, lr * momentum if nesterov else lr, out=step)
        theta -= step
        if nesterov:
            np.multiply(g, lr, out=step)
            theta -= step


class AveragedMomentum(Optimizer):
    """Momentum that averages: a running mean of the gradients takes their place.

        v ← μ v + (1 − μ) g
        θ ← θ − η v

    The path of `SGD` with momentum μ and learning rate η (1 − μ): at equal η it steps 1/(1 − μ) times
    shorter. `weight_decay` is the penalty λ/2 ‖θ‖². 003 §9.4.
    """

    formula = r"v \leftarrow \mu v + (1 - \mu) g, \quad \theta \leftarrow \theta - \eta v"
    limits: ClassVar[Limits] = {"momentum": FRACTION, "weight_decay": NOT_NEGATIVE}
    moments = ("velocity",)

    def __init__(
        self, parameters: Parameters, lr: float = 1e-2, momentum: float = 0.9, *, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, momentum, weight_decay) -> None:
        (v,), (step, spare) = moments, scratch
        g = penalised(g, theta, weight_decay, out=spare)
        v *= momentum
        np.multiply(g, 1 - momentum, out=step)
        v += step
        np.multiply(v, lr, out=step)
        theta -= step


class VelocityMomentum(Optimizer):
    """Momentum with the learning rate inside: the velocity is the step itself.

        v ← μ v + η g
        θ ← θ − v

    The path of `SGD` with momentum while η is constant. When η changes, the steps already in v keep the η
    they were taken with, where `SGD` rescales them all. `weight_decay` is the penalty λ/2 ‖θ‖².
    004 (84)-(85), which writes −v for v; 003 §9.4, second form.
    """

    formula = r"v \leftarrow \mu v + \eta g, \quad \theta \leftarrow \theta - v"
    limits: ClassVar[Limits] = {"momentum": FRACTION, "weight_decay": NOT_NEGATIVE}
    moments = ("velocity",)

    def __init__(
        self, parameters: Parameters, lr: float = 1e-3, momentum: float = 0.9, *, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, momentum, weight_decay) -> None:
        (v,), (step, spare) = moments, scratch
        g = penalised(g, theta, weight_decay, out=spare)
        v *= momentum
        np.multiply(g, lr, out=step)
        v += step
        theta -= v


class NormalizedGD(Optimizer):
    """Gradient descent whose every step has length η, however steep or flat the loss.

        θ ← θ − η g / ‖g‖

    with ‖g‖ the norm over all parameters; groups with a rate of their own scale their part. A gradient of
    zero makes no step. The steps do not shrink towards a minimum: lower η with a schedule. 003 §9.7.
    """

    formula = r"\theta \leftarrow \theta - \eta\, g / \lVert g \rVert"

    def __init__(self, parameters: Parameters, lr: float = 1e-2) -> None:
        super().__init__(parameters, lr)

    def measured(self, gradients: list[np.ndarray]) -> dict[str, Any]:
        return {"norm": norm_of(gradients)}

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, norm) -> None:
        if norm > 0:
            step, _ = scratch
            np.divide(g, norm, out=step)
            step *= lr
            theta -= step
