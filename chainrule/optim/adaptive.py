"""Optimisers that give each parameter a learning rate of its own, from the size of its gradients."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from chainrule.optim.limits import FRACTION, NOT_NEGATIVE, SWITCH, Limits, two_fractions
from chainrule.optim.optimizer import Optimizer, Parameters
from chainrule.optim.sgd import penalised


class Adagrad(Optimizer):
    """Adagrad: each parameter's rate falls with the sum of its squared gradients.

        s ← s + g²
        θ ← θ − η g / (√s + ε)

    Rates only fall: apt for sparse features, slow on long runs. `weight_decay` is the penalty λ/2 ‖θ‖².
    Duchi, Hazan & Singer (2011).
    """

    formula = r"s \leftarrow s + g^2, \quad \theta \leftarrow \theta - \eta\, g / (\sqrt s + \varepsilon)"
    limits: ClassVar[Limits] = {"eps": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    moments = ("s",)

    def __init__(
        self, parameters: Parameters, lr: float = 1e-2, *, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, eps=eps, weight_decay=weight_decay)

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, eps, weight_decay) -> None:
        (s,), (step, spare) = moments, scratch
        g = penalised(g, theta, weight_decay, out=spare)
        np.multiply(g, g, out=step)
        s += step
        np.sqrt(s, out=step)
        step += eps
        np.divide(g, step, out=step)
        step *= lr
        theta -= step


class RMSprop(Optimizer):
    """RMSprop: each parameter steps by its gradient over the root of its running mean square.

        s ← α s + (1 − α) g²
        θ ← θ − η g / (√s + ε)          eps_inside_sqrt: θ ← θ − η g / √(s + ε)

    α is PyTorch's name and 0.99 its default; the documents' (β, ρ) is 0.9. `eps_inside_sqrt` is 004 (86); it
    matters for gradients below √ε. `weight_decay` is the penalty λ/2 ‖θ‖².
    Tieleman & Hinton (2012); 000 (8.14)-(8.15), 003 §9.6.
    """

    formula = (
        r"s \leftarrow \alpha s + (1 - \alpha) g^2, \quad "
        r"\theta \leftarrow \theta - \eta\, g / (\sqrt s + \varepsilon)"
    )
    limits: ClassVar[Limits] = {
        "alpha": FRACTION,
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "eps_inside_sqrt": SWITCH,
    }
    moments = ("s",)

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        eps_inside_sqrt: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, eps_inside_sqrt=eps_inside_sqrt
        )

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, alpha, eps, weight_decay, eps_inside_sqrt) -> None:
        (s,), (step, spare) = moments, scratch
        g = penalised(g, theta, weight_decay, out=spare)
        s *= alpha
        np.multiply(g, g, out=step)
        step *= 1 - alpha
        s += step
        rooted(s, eps, eps_inside_sqrt, out=step)
        np.divide(g, step, out=step)
        step *= lr
        theta -= step


class Adam(Optimizer):
    """Adam: each parameter steps by its mean gradient over its root mean square.

    With gradient g at step t = 1, 2, ... of the parameter

        m ← β₁ m + (1 − β₁) g         m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1 − β₂) g²        v̂ = v / (1 − β₂ᵗ)
        θ ← θ − η m̂ / (√v̂ + ε)

    The divisions make up for the start at zero: the first step is ±η, whatever the scale of g.
    `eps_inside_sqrt` divides by √(v̂ + ε), 004 (87); the two differ for gradients below √ε: at |g| = 1e-6
    the first step is 0.0100 η inside and 0.990 η outside. `weight_decay` is the penalty λ/2 ‖θ‖², whose
    gradient is rescaled like the rest; for decay proper see `AdamW`. Kingma & Ba (2015), Algorithm 1; 000
    (8.16)-(8.20).
    """

    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad "
        r"\theta \leftarrow \theta - "
        r"\eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon}"
    )
    limits: ClassVar[Limits] = {
        "betas": two_fractions,
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "eps_inside_sqrt": SWITCH,
    }
    moments = ("m", "v")
    kernel = fused = "adam"

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        eps_inside_sqrt: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, eps_inside_sqrt=eps_inside_sqrt
        )

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, betas, eps, weight_decay, eps_inside_sqrt) -> None:
        (m, v), (step, spare), (beta1, beta2) = moments, scratch, betas
        g = penalised(g, theta, weight_decay, out=spare)
        m *= beta1
        np.multiply(g, 1 - beta1, out=step)
        m += step
        v *= beta2
        np.multiply(g, g, out=step)
        step *= 1 - beta2
        v += step
        # m̂ / (√v̂ + ε) = (c / (1 − β₁ᵗ)) · m / (√v + c ε) with c = √(1 − β₂ᵗ): two passes fewer than in full
        c = (1 - beta2**t) ** 0.5
        rooted(v, c * c * eps if eps_inside_sqrt else c * eps, eps_inside_sqrt, out=step)
        np.divide(m, step, out=step)
        step *= lr * c / (1 - beta1**t)
        theta -= step

    @staticmethod
    def compiled(t, *, lr, betas, eps, weight_decay, eps_inside_sqrt):
        if eps_inside_sqrt:
            return None
        c = (1 - betas[1] ** t) ** 0.5
        return *betas, c * eps, lr * c / (1 - betas[0] ** t), weight_decay, 1.0


class AdamW(Adam):
    """Adam with decoupled weight decay: the parameters shrink by their own rule, not through the moments.

        θ ← (1 − η λ) θ, then Adam's step without penalty

    All parameters shrink at the same rate, where in `Adam(weight_decay=)` those with large gradients shrink
    less. Loshchilov & Hutter (2019); 000 (8.21).
    """

    fused = "adamw"
    formula = r"\theta \leftarrow (1 - \eta\lambda)\theta - \eta\, \hat m / (\sqrt{\hat v} + \varepsilon)"

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        eps_inside_sqrt: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, eps_inside_sqrt=eps_inside_sqrt)

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, weight_decay, **settings) -> None:
        if weight_decay:
            theta *= 1 - lr * weight_decay
        Adam.update(theta, g, t, moments, scratch, lr=lr, weight_decay=0.0, **settings)

    @staticmethod
    def compiled(t, *, lr, weight_decay, **settings):
        numbers = Adam.compiled(t, lr=lr, weight_decay=0.0, **settings)
        return numbers and (*numbers[:-1], 1 - lr * weight_decay)


def rooted(s: np.ndarray, eps: float, eps_inside_sqrt: bool, out: np.ndarray) -> None:
    """√s + ε, or √(s + ε), in `out`."""
    if eps_inside_sqrt:
        np.add(s, eps, out=out)
        np.sqrt(out, out=out)
    else:
        np.sqrt(s, out=out)
        out += eps
