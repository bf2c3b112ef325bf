"""Steps of optimisers by PyTorch's fused kernels, one call a step; see `chainrule.optim`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

Moments = Sequence[torch.Tensor]


def adam(theta: Any, g: Any, moments: Moments, t: int, *, lr: float, betas: Any, eps: float, weight_decay: float,
         eps_inside_sqrt: bool) -> None:  # fmt: skip
    """Adam, with the penalty λ/2 ‖θ‖²."""
    _adam(torch.ops.aten._fused_adam_, theta, g, moments, t, lr, betas, eps, weight_decay)


def adamw(theta: Any, g: Any, moments: Moments, t: int, *, lr: float, betas: Any, eps: float, weight_decay: float,
          eps_inside_sqrt: bool) -> None:  # fmt: skip
    """Adam with decoupled weight decay."""
    _adam(torch.ops.aten._fused_adamw_, theta, g, moments, t, lr, betas, eps, weight_decay)


def _adam(
    fused: Any, theta: Any, g: Any, moments: Any, t: int, lr: float, betas: Any, eps: float, decay: float
) -> None:
    m, v = moments
    step = torch.tensor(float(t), device=theta.device)
    fused(
        [theta], [g], [m], [v], [], [step],
        lr=lr, beta1=betas[0], beta2=betas[1], weight_decay=decay, eps=eps, amsgrad=False, maximize=False,
    )  # fmt: skip


def sgd(theta: Any, g: Any, moments: Moments, t: int, *, lr: float, momentum: float, nesterov: bool, dampening: float,
        weight_decay: float) -> None:  # fmt: skip
    """Gradient descent with heavy-ball momentum, or without."""
    torch.ops.aten._fused_sgd_(
        [theta], [g], list(moments), weight_decay=weight_decay, momentum=momentum, lr=lr, dampening=dampening,
        nesterov=nesterov, maximize=False, is_first_step=t == 1,
    )  # fmt: skip


UPDATES = {"adam": adam, "adamw": adamw, "sgd": sgd}
