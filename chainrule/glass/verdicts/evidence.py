"""What is known of a training, and nothing else: what verdicts are made from.

An observer fills it in; a rule reads it. Fields that were not seen are None or empty, and a rule that needs them
says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class LayerProbe:
    """A layer at one step, on (at most 256 examples of) the batch of that step.

    `kind` is the class, such as "Linear"; `inputs` and `output` have the examples first; `delta` is dL/d output of the
    same shape as `output`, None where the loss does not come from it.
    """

    path: str
    kind: str
    inputs: np.ndarray
    output: np.ndarray
    delta: np.ndarray | None


@dataclass(frozen=True)
class ParameterProbe:
    """A parameter at one step: the norms of its values, its gradient, and the update that followed."""

    path: str
    size: int
    norm: float
    gradient: float
    update: float

    @property
    def ratio(self) -> float:
        """‖Δθ‖ / ‖θ‖: how much of itself the parameter moved."""
        return self.update / self.norm if self.norm else 0.0


@dataclass(frozen=True, eq=False)
class Probe:
    """One step looked into: its loss before the update, its layers in forward order, and its parameters."""

    step: int
    loss: float
    layers: Mapping[str, LayerProbe]
    parameters: Mapping[str, ParameterProbe]


@dataclass(frozen=True, eq=False)
class Data:
    """Examples as the model met them, each once: inputs (n, ...) and targets (n, ...).

    Of a large set the first 20,000 distinct rows; `shown` is how many rows were met in all, counting repetitions.
    """

    x: np.ndarray
    y: np.ndarray | None
    shown: int = 0


@dataclass(eq=False)
class Evidence:
    """A training as it was seen.

    `losses`, `lrs`, `gradients` and `ratios` have an entry for every update: the training loss before it, the learning
    rate, the global norm of the gradient, and ‖Δθ‖ / ‖θ‖ over all parameters (NaN where it was not measured). `epochs`
    are the rows of the history where there is one (`train_loss`, `train_accuracy`, `validation_loss`, ...).
    `prediction` is the output of the model on `train.x` in evaluation mode at the end, `validation_prediction` that on
    `validation.x`. `accumulated` are the steps whose gradient still held that of the step before (it was not zeroed),
    and the loop never zeroed it in between; `trained_in_evaluation` counts updates with the model in evaluation mode
    although it has layers for which that matters, `measured_in_training` forward passes without a backward pass, on
    data that is not trained on, in training mode with such layers. `failure` is the first number that was not finite,
    and `failed` the step in which it came up.
    `updates` are the parameters at further steps, by step and path, their gradients not measured: at all of a loop
    written by hand, in `fit` at those before something happened.
    `start` are the parameters and buffers before the first step, by name; `penalty` is what was added to the loss, a
    function of the model, and `clip_norm` what the gradient was clipped to.
    """

    model: Any
    optimizer: Any = None
    loss: Any = None
    loss_name: str = ""
    batch_size: int = 0
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    lrs: np.ndarray = field(default_factory=lambda: np.zeros(0))
    gradients: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ratios: np.ndarray = field(default_factory=lambda: np.zeros(0))
    epochs: list[dict[str, Any]] = field(default_factory=list)
    probes: tuple[Probe, ...] = ()
    train: Data | None = None
    validation: Data | None = None
    prediction: np.ndarray | None = None
    validation_prediction: np.ndarray | None = None
    accumulated: tuple[int, ...] = ()
    trained_in_evaluation: int = 0
    measured_in_training: int = 0
    failure: Any = None
    failed: int | None = None
    updates: Mapping[int, Mapping[str, ParameterProbe]] = field(default_factory=dict)
    start: Mapping[str, np.ndarray] | None = None
    penalty: Any = None
    clip_norm: float | None = None
