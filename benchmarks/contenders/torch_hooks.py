"""PyTorch watched by hooks, as one watches there: every pre-activation, activation, delta and gradient of each step."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch

from benchmarks.contenders import torch_steps
from benchmarks.workloads import Workload

KEPT = 100
"""Steps that are remembered, as many as Chainrule's watch keeps."""


def values(a: torch.Tensor) -> torch.Tensor:
    """The tensor itself: nothing writes to it later, so no copy is needed."""
    return a.detach()


def statistics(a: torch.Tensor) -> torch.Tensor:
    """Mean, standard deviation, least, largest, left as a tensor so that nothing waits."""
    a = a.detach()
    return torch.stack([*torch.std_mean(a, correction=0), *torch.aminmax(a)])


class Trainer(torch_steps.Trainer):
    """The eager step with hooks on each layer's result, on its gradient, and on each parameter's."""

    def __init__(self, workload: Workload, figures: bool = False) -> None:
        super().__init__(workload)
        self.keep = statistics if figures else values
        self.rows: deque[dict[str, torch.Tensor]] = deque(maxlen=KEPT)
        for name, layer in self.model.named_children():
            layer.register_forward_hook(self._noted(name))
        for name, p in self.model.named_parameters():
            p.register_post_accumulate_grad_hook(self._noted_gradient(name))

    def _noted(self, name: str) -> Any:
        def hook(layer: Any, inputs: Any, result: torch.Tensor) -> None:
            self.rows[-1][name] = self.keep(result)
            result.register_hook(delta)

        def delta(gradient: torch.Tensor) -> None:
            self.rows[-1][f"{name}.delta"] = self.keep(gradient)

        return hook

    def _noted_gradient(self, name: str) -> Any:
        def hook(p: torch.Tensor) -> None:
            self.rows[-1][f"d{name}"] = self.keep(p.grad)  # type: ignore[arg-type]

        return hook

    def step(self, k: int) -> Any:
        self.rows.append({})
        return super().step(k)


start = Trainer
