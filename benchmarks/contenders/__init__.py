"""Who takes part: each module here has `start(workload, **settings)`, which gives a `Trainer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.agreement import TOLERANCE


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
    """A name for tables, a module of this package, and the settings it is started with.

    `tolerance` is how far its losses may be from those of the others, relatively.
    """

    name: str
    module: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = TOLERANCE


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

HALF = " bf16"
"""Behind the name of who computes in bfloat16 with weights in float32."""
OF_HALF = 5e-2
WHOLE = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}
"""For JAX on a GPU: it would round the operands of products to 10 bits, and take the memory of all others."""


def _on_gpu(half: bool) -> list[Contender]:
    settings, name, tolerance = {"device": "cuda", "half": half}, HALF * half, OF_HALF if half else TOLERANCE
    return [
        Contender(TORCH + name, "chainrule_steps", {**settings, "library": "torch"}, {}, tolerance),
        Contender(PYTORCH + name, "torch_steps", settings, {}, tolerance),
        Contender(COMPILED + name, "torch_steps", {**settings, "compiled": True}, {}, tolerance),
    ]


ON_GPU = {
    c.name: c
    for c in (
        *_on_gpu(half=False),
        Contender(JAX, "chainrule_steps", {"library": "jax"}, WHOLE),
        Contender(EAGER, "chainrule_steps", {"library": "torch", "device": "cuda", "compiled": False}),
        Contender(JIT, "jax_steps", {}, WHOLE),
        *_on_gpu(half=True),
    )
}
"""Who takes part with `--device cuda`."""
