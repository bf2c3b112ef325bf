"""Who takes part: each module here has `start(workload, **settings)`, which gives a `Trainer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class UnsuitedError(Exception):
    """A contender has no such model, or not with the same arithmetic; the message says why."""


class Trainer(Protocol):
    """A model in training."""

    def step(self, k: int) -> Any:
        """Forward, backward and update on batch k; the loss in whatever form the library has it."""

    def value(self, loss: Any) -> float:
        """The loss as a number; the step and all before it are done then."""


@dataclass(frozen=True)
class Contender:
    """A name for tables, a module of this package, and the settings it is started with."""

    name: str
    module: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


NUMPY, TORCH, JAX, EAGER = "cr numpy", "cr torch", "cr jax", "cr eager"
"""Chainrule's: three plans, and define-by-run on NumPy."""
OURS = (NUMPY, TORCH, JAX, EAGER)
PYTORCH, COMPILED, JIT = "PyTorch", "torch.compile", "JAX jit"
SKLEARN, KERAS_JAX, KERAS_TORCH, TINYGRAD = "scikit-learn", "Keras (JAX)", "Keras (torch)", "tinygrad"
PEERS = (PYTORCH, COMPILED, JIT, SKLEARN, KERAS_JAX, KERAS_TORCH, TINYGRAD)

CONTENDERS = {
    c.name: c
    for c in (
        Contender(NUMPY, "chainrule_steps", {"library": "numpy"}),
        Contender(TORCH, "chainrule_steps", {"library": "torch"}),
        Contender(JAX, "chainrule_steps", {"library": "jax"}),
        Contender(EAGER, "chainrule_steps", {"library": "numpy", "compiled": False}),
        Contender(PYTORCH, "torch_steps"),
        Contender(COMPILED, "torch_steps", {"compiled": True}),
        Contender(JIT, "jax_steps"),
        Contender(SKLEARN, "sklearn_steps"),
        Contender(KERAS_JAX, "keras_steps", environment={"KERAS_BACKEND": "jax"}),
        Contender(KERAS_TORCH, "keras_steps", environment={"KERAS_BACKEND": "torch"}),
        Contender(TINYGRAD, "tinygrad_steps"),
    )
}
